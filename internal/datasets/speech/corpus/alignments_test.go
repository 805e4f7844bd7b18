package corpus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

// featureDir is a Kaldi directory with two utterances a and b of 38 and 25 frames of one value.
func featureDir(t *testing.T) (dir string, write func(name, text string) string) {
	t.Helper()
	dir = t.TempDir()
	write = func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	a := "a  [\n" + strings.Repeat(" 1\n", 37) + " 2 ]\n"
	write("feats.ark", a+"b  [\n"+strings.Repeat(" 3\n", 24)+" 5 ]\n")
	write("feats.scp", fmt.Sprintf("a feats.ark:2\nb feats.ark:%d\n", len(a)+2))
	return dir, write
}

// ramp is an alignment of n numbers 0 0 1 1 2 2 ….
func ramp(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " %d", i/2)
	}
	return b.String()
}

func alignedConfig(files string) Config {
	c := DefaultConfig()
	c.Frontend.Deltas, c.Frontend.Normalize, c.Alignments = 0, NoNorm, files
	return c
}

// TestAlignmentsAtAThirdOfTheRate: the message names the factor, and with it every number stands
// for three frames.
func TestAlignmentsAtAThirdOfTheRate(t *testing.T) {
	dir, write := featureDir(t)
	c := alignedConfig(write("ali.txt", "a"+ramp(13)+"\nb"+ramp(9)+"\n"))
	d := datasets.Config{Name: "kaldi", Dir: dir}
	if _, err := Open(t.Context(), d, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "ali.txt: the alignment of a has 13 frames, and its features 38") ||
		!strings.Contains(err.Error(), "set speech.alignment_subsampling: 3") {
		t.Errorf("%v", err)
	}
	c.AlignmentSubsampling = 3
	o, err := Open(t.Context(), d, c, 1)
	must(t, err)
	labels := make([]int32, 38)
	_, err = o.Read(datasets.Train, 0, labels)
	must(t, err)
	want := make([]int32, 38)
	for i := range want {
		want[i] = int32(i / 3 / 2)
	}
	if info := o.Info(); !slices.Equal(labels, want) || info.Count != 7 || len(info.Notes) != 0 {
		t.Errorf("%v, %+v", labels, info)
	}
	// 13 numbers of a, of which each of 0 to 5 comes twice, and 9 of b.
	if got := o.Counts(); !slices.Equal(got, []int64{12, 12, 12, 12, 7, 6, 2}) {
		t.Errorf("%v", got)
	}
	c.Alignments = write("wrong.txt", "a"+ramp(20)+"\nb"+ramp(9)+"\n")
	if _, err := Open(t.Context(), d, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "one of them for 3") || !strings.Contains(err.Error(), "speech.alignment_subsampling: 2") {
		t.Errorf("every second: %v", err)
	}
	c.AlignmentSubsampling = 1
	c.Alignments = write("full.txt", "a"+ramp(38)+"\nb"+ramp(31)+"\n")
	if _, err := Open(t.Context(), d, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "is it of these features?") {
		t.Errorf("no factor: %v", err)
	}
}

// TestLabelsWithTimesAreClassesOfFrames: names are numbered by the table, which gives the classes,
// and frames between labels have none.
func TestLabelsWithTimesAreClassesOfFrames(t *testing.T) {
	dir, write := featureDir(t)
	d := datasets.Config{Name: "kaldi", Dir: dir}
	mlf := write("x.mlf", "#!MLF!#\n\"*/a.rec\"\n0 1000000 s2 -1 sil\n1000000 1500000 s3 -1\n2000000 4000000 x\n.\n\"*/b.rec\"\n0 2500000 x\n.\n")
	c := alignedConfig(mlf)
	if _, err := Open(t.Context(), d, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "x.mlf:3: ") || !strings.Contains(err.Error(), "speech.states") {
		t.Errorf("no table: %v", err)
	}
	c.States = write("states", "sil_s2 0\nsil_s3 1\nx 2\nnever 3\n")
	o, err := Open(t.Context(), d, c, 1)
	must(t, err)
	info := o.Info()
	if info.Count != 4 || !slices.Equal(info.Classes, []string{"sil_s2", "sil_s3", "x", "never"}) || !info.Aligned || len(info.Notes) != 1 || !strings.HasPrefix(info.Notes[0], "5 of 63 training frames have no label") {
		t.Errorf("%+v", info)
	}
	// Of a: 10 frames, 5, a gap of 5, 18 of the last 20, which reach behind the features; 25 of b.
	if got := o.Counts(); !slices.Equal(got, []int64{10, 5, 18 + 25, 0}) {
		t.Errorf("%v", got)
	}
	labels := make([]int32, 38)
	_, err = o.Read(datasets.Train, 0, labels)
	must(t, err)
	if !slices.Equal(labels[8:22], []int32{0, 0, 1, 1, 1, 1, 1, NoLabel, NoLabel, NoLabel, NoLabel, NoLabel, 2, 2}) {
		t.Errorf("%v", labels)
	}
	c.Alignments = write("x.ctm", "a 1 0 0.38 x\nb 1 0.0 0.29 x\nb 1 0.29 0.1 x\n")
	if _, err := Open(t.Context(), d, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "the last label of b begins at 0.29 s, and its features last 0.25 s") {
		t.Errorf("labels of something longer: %v", err)
	}
	c.Alignments = write("y.ctm", "a 1 0 0.38 x\nb 1 0.0 0.30 x\n")
	o, err = Open(t.Context(), d, c, 1)
	must(t, err)
	if info := o.Info(); len(info.Notes) != 1 || !strings.HasPrefix(info.Notes[0], "the last labels of 1 utterances") || o.Counts()[2] != 63 {
		t.Errorf("%+v, %v", info, o.Counts())
	}
	c.Alignments = write("n.txt", "a"+ramp(38)+"\nb"+ramp(25)+"\n")
	if _, err := Open(t.Context(), d, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "speech.states names 4") {
		t.Errorf("a class without a name: %v", err)
	}
}

// TestRecordingsOfATrainingAreResampledIfAsked, and the front end of a checkpoint says so.
func TestRecordingsOfATrainingAreResampledIfAsked(t *testing.T) {
	f := DefaultConfig().Frontend
	if f.Rate = 11025; strings.Contains(f.Encode(), "resample") {
		t.Errorf("%s: not as before", f.Encode())
	}
	path := "../../../../testdata/speech/6_jackson_7.wav" // of 8000
	if _, err := ReadRecording(path, f); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "speech.frontend.resample") {
		t.Errorf("%v", err)
	}
	f.Resample = true
	g, err := DecodeFrontend(f.Encode())
	must(t, err)
	got, err := ReadRecording(path, g)
	// 5087 samples are 0.635875 s, 7011 of the other rate; windows of 275 every 110.
	if want := 1 + (7011-275)/110; err != nil || got.Frames != want || got.Dim != 80 {
		t.Errorf("%d frames of %d, %v, want %d", got.Frames, got.Dim, err, want)
	}
}
