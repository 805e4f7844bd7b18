package corpus

import (
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/speech"
)

// writeWAV writes a tone of so many samples at 8 kHz, 16 bits.
func writeWAV(t *testing.T, path string, samples int, hertz float64) {
	t.Helper()
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, 8000)
	b = binary.LittleEndian.AppendUint32(b, 16000)
	b = append(b, 2, 0, 16, 0)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*samples))
	for i := range samples {
		v := 8000*math.Sin(2*math.Pi*hertz*float64(i)/8000) + float64(i*7919%101)
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(v)))
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	must(t, os.WriteFile(path, b, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// digits is a folder like FSDD's: 3 speakers, 4 digits, 3 recordings of each, of lengths between 20
// and 50 frames.
func digits(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for s, speaker := range []string{"ann", "bob", "cas"} {
		for d := range 4 {
			for k := range 3 {
				name := string(rune('0'+d)) + "_" + speaker + "_" + string(rune('0'+k)) + ".wav"
				writeWAV(t, filepath.Join(dir, name), 1800+80*(7*s+5*d+3*k), 200+300*float64(d))
			}
		}
	}
	return dir
}

func digitsConfig() Config {
	c := DefaultConfig()
	c.Frontend.Rate, c.Frontend.Bins = 8000, 10
	c.TestSpeakers, c.Buckets = "bob", 3
	return c
}

func openDigits(t *testing.T, d datasets.Config, c Config) *Corpus {
	t.Helper()
	d.Name = "fsdd"
	if d.Dir == "" {
		d.Dir = digits(t)
	}
	o, err := Open(t.Context(), d, c, 1)
	must(t, err)
	return o
}

func TestDigitsAreSplitBySpeaker(t *testing.T) {
	o := openDigits(t, datasets.Config{Validation: 5}, digitsConfig())
	info := o.Info()
	if info.Train != 19 || info.Val != 5 || info.Test != 12 || info.Dim != 30 || !slices.Equal(info.Classes, []string{"0", "1", "2", "3"}) {
		t.Errorf("%+v", info)
	}
	for i := range o.Len(datasets.Test) {
		if o.Speaker(datasets.Test, i) != "bob" || o.ID(datasets.Test, i)[:1] != info.Classes[o.Label(datasets.Test, i)] {
			t.Errorf("test utterance %s of %s has label %d", o.ID(datasets.Test, i), o.Speaker(datasets.Test, i), o.Label(datasets.Test, i))
		}
	}
	for _, s := range []datasets.Split{datasets.Train, datasets.Val} {
		for i := range o.Len(s) {
			if o.Speaker(s, i) == "bob" {
				t.Errorf("%s is in %s", o.ID(s, i), s)
			}
		}
	}
	var frames int64
	for _, n := range o.Counts() {
		frames += n
	}
	if int(frames) != info.Frames || info.Frames == 0 {
		t.Errorf("%d frames counted by class, %d in all", frames, info.Frames)
	}
}

func TestFramesHaveNoMeanAndTheirDifferences(t *testing.T) {
	o := openDigits(t, datasets.Config{}, digitsConfig())
	labels := make([]int32, o.Frames(datasets.Train, 0))
	f, err := o.Read(datasets.Train, 0, labels)
	must(t, err)
	for d := range f.Dim {
		var sum float64
		for k := range f.Frames {
			sum += float64(f.Row(k)[d])
		}
		if mean := sum / float64(f.Frames); !(math.Abs(mean) <= 1e-5) {
			t.Errorf("value %d has a mean of %v", d, mean)
		}
	}
	if slices.Max(labels) != slices.Min(labels) || int(labels[0]) != o.Label(datasets.Train, 0) {
		t.Errorf("labels %v, class %d", labels, o.Label(datasets.Train, 0))
	}
	again, err := o.Read(datasets.Train, 0, nil)
	must(t, err)
	if !slices.Equal(f.Data, again.Data) {
		t.Error("reading again gives something else")
	}
}

// collect reads n batches from a position and returns copies.
func collect(t *testing.T, o *Corpus, opt LoaderOptions, n int) []datasets.Batch {
	t.Helper()
	l, err := o.NewLoader(opt)
	must(t, err)
	defer l.Close()
	var list []datasets.Batch
	for range n {
		b, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		c := *b
		c.X, c.Labels, c.Index, c.Lengths = slices.Clone(b.X), slices.Clone(b.Labels), slices.Clone(b.Index), slices.Clone(b.Lengths)
		list = append(list, c)
		for i := range b.X {
			b.X[i] = float32(math.NaN()) // what is recycled must not be seen again
		}
		l.Recycle(b)
	}
	return list
}

func TestBatchesAreTransposedPaddedAndLabelled(t *testing.T) {
	o := openDigits(t, datasets.Config{}, digitsConfig())
	shapes := o.TrainShapes(Limits{Utterances: 4})
	for _, b := range collect(t, o, LoaderOptions{Split: datasets.Train, Shapes: shapes, Maps: 3}, o.PerEpoch(shapes)) {
		if len(b.X) != b.N*30*b.Frames || len(b.Labels) != b.N*b.Frames {
			t.Fatalf("%d values and %d labels for %d utterances of %d frames", len(b.X), len(b.Labels), b.N, b.Frames)
		}
		for j, i := range b.Index {
			f, err := o.Read(datasets.Train, i, nil)
			must(t, err)
			for k := range b.Frames {
				label := int32(NoLabel)
				if k < f.Frames {
					label = int32(o.Label(datasets.Train, i))
				}
				if got := b.Labels[j*b.Frames+k]; got != label {
					t.Fatalf("frame %d of %d has label %d, want %d", k, f.Frames, got, label)
				}
				for d := range f.Dim {
					want := float32(0)
					if k < f.Frames {
						want = f.Row(k)[d]
					}
					if got := b.X[(j*f.Dim+d)*b.Frames+k]; got != want {
						t.Fatalf("utterance %d, value %d, frame %d: %v, want %v", j, d, k, got, want)
					}
				}
			}
		}
	}
}

func TestALoaderGoesOnAnywhere(t *testing.T) {
	o := openDigits(t, datasets.Config{}, digitsConfig())
	shapes := o.TrainShapes(Limits{Utterances: 4, Frames: 150})
	opt := LoaderOptions{Split: datasets.Train, Shapes: shapes, Maps: 3, Seed: 5, Utterances: true}
	per := o.PerEpoch(shapes)
	all := collect(t, o, opt, 3*per)
	if all[per].Epoch != 1 || all[per].Step != 0 || slices.Equal(all[0].Index, all[per].Index) {
		t.Errorf("epoch %d step %d after %d batches", all[per].Epoch, all[per].Step, per)
	}
	for at := range all {
		opt.StartEpoch, opt.StartBatch = at/per, at%per
		b := collect(t, o, opt, 1)[0]
		if !slices.Equal(b.X, all[at].X) || !slices.Equal(b.Labels, all[at].Labels) || b.Epoch != all[at].Epoch || b.Step != all[at].Step {
			t.Errorf("batch %d is another when the loader starts there", at)
		}
	}
}

func TestOnceReadsTheTestSplit(t *testing.T) {
	o := openDigits(t, datasets.Config{}, digitsConfig())
	shapes := Shapes(o.Lengths(datasets.Test), 2, Limits{Utterances: 5})
	var seen []int
	for _, b := range collect(t, o, LoaderOptions{Split: datasets.Test, Shapes: shapes, Maps: 3, Once: true, Utterances: true}, 100) {
		seen = append(seen, b.Index...)
	}
	slices.Sort(seen)
	if len(seen) != 12 || seen[0] != 0 || seen[11] != 11 {
		t.Errorf("%v", seen)
	}
}

func TestWhatIsWrongWithACorpusIsSaid(t *testing.T) {
	dir := digits(t)
	bad := t.TempDir()
	writeWAV(t, filepath.Join(bad, "nodigit.wav"), 2000, 300)
	short := t.TempDir()
	writeWAV(t, filepath.Join(short, "1_ann_0.wav"), 100, 300)
	labels := filepath.Join(t.TempDir(), "labels")
	must(t, os.WriteFile(labels, []byte("a\n"), 0o600))
	for _, c := range []struct {
		name string
		data datasets.Config
		set  func(*Config)
		kind error
		says string
	}{
		{"no folder", datasets.Config{Name: "fsdd"}, nil, datasets.ErrConfig, "data.dir"},
		{"missing folder", datasets.Config{Name: "fsdd", Dir: filepath.Join(dir, "none")}, nil, datasets.ErrMissing, "none"},
		{"empty folder", datasets.Config{Name: "recordings", Dir: t.TempDir()}, nil, datasets.ErrMissing, "no .wav, .flac"},
		{"another corpus", datasets.Config{Name: "cifar10", Dir: dir}, nil, datasets.ErrConfig, "no speech corpus"},
		{"name", datasets.Config{Name: "fsdd", Dir: bad}, nil, datasets.ErrData, "DIGIT_SPEAKER_NUMBER"},
		{"short", datasets.Config{Name: "fsdd", Dir: short}, nil, datasets.ErrData, "fewer than a window"},
		{"rate", datasets.Config{Name: "fsdd", Dir: dir}, func(c *Config) { c.Frontend.Rate = 16000 }, datasets.ErrData, "8000"},
		{"speaker", datasets.Config{Name: "fsdd", Dir: dir}, func(c *Config) { c.TestSpeakers = "eve" }, datasets.ErrConfig, "ann, bob, cas"},
		{"everyone", datasets.Config{Name: "fsdd", Dir: dir}, func(c *Config) { c.TestSpeakers = "ann,bob,cas" }, datasets.ErrConfig, ""},
		{"validation", datasets.Config{Name: "fsdd", Dir: dir, Validation: 24}, nil, datasets.ErrConfig, "none would be left"},
		{"no labels", datasets.Config{Name: "recordings", Dir: dir}, func(c *Config) { c.TestSpeakers = "" }, datasets.ErrConfig, "speech.labels"},
		{"bad labels", datasets.Config{Name: "fsdd", Dir: dir}, func(c *Config) { c.Labels = labels }, datasets.ErrData, ":1:"},
		{"missing alignments", datasets.Config{Name: "fsdd", Dir: dir}, func(c *Config) { c.Alignments = "none.*.gz" }, datasets.ErrMissing, "none.*.gz"},
		{"both labels", datasets.Config{Name: "fsdd", Dir: dir}, func(c *Config) { c.Alignments, c.Labels = "a", "b" }, datasets.ErrConfig, "keep one"},
	} {
		cfg := digitsConfig()
		if c.set != nil {
			c.set(&cfg)
		}
		_, err := Open(t.Context(), c.data, cfg, 1)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAlignmentsLabelFrames(t *testing.T) {
	dir := digits(t)
	o := openDigits(t, datasets.Config{Dir: dir}, digitsConfig())
	var text strings.Builder
	for _, s := range []datasets.Split{datasets.Train, datasets.Test} {
		for i := range o.Len(s) {
			if o.ID(s, i) == "0_ann_1" {
				continue // has none
			}
			text.WriteString(o.ID(s, i))
			off := i%3 - 1 // one frame too few, as many, one too many
			for k := range o.Frames(s, i) + off {
				text.WriteString(" " + string(rune('0'+k%7)))
			}
			text.WriteString("\n")
		}
	}
	path := filepath.Join(t.TempDir(), "ali.txt")
	must(t, os.WriteFile(path, []byte(text.String()), 0o600))
	cfg := digitsConfig()
	cfg.Alignments = path
	a := openDigits(t, datasets.Config{Dir: dir}, cfg)
	info := a.Info()
	if info.Count != 7 || info.Classes != nil || !info.Aligned || info.Train != o.Len(datasets.Train)-1 || len(info.Notes) != 2 {
		t.Errorf("%+v", info)
	}
	var total int64
	for _, n := range a.Counts() {
		total += n
	}
	if total > int64(info.Frames) || total < int64(info.Frames-info.Train) {
		t.Errorf("%d labelled of %d frames", total, info.Frames)
	}
	labels := make([]int32, a.Frames(datasets.Train, 0))
	_, err := a.Read(datasets.Train, 0, labels)
	must(t, err)
	if labels[3] != 3 || labels[8] != 1 || labels[len(labels)-1] != NoLabel {
		t.Errorf("%v", labels)
	}
	must(t, os.WriteFile(path, []byte("0_ann_0 1 2 3\n"), 0o600))
	if _, err := Open(t.Context(), datasets.Config{Name: "fsdd", Dir: dir}, cfg, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "3 frames") {
		t.Errorf("an alignment of another length: %v", err)
	}
}

func TestAFrontEndIsKeptAsText(t *testing.T) {
	f := digitsConfig().Frontend
	g, err := DecodeFrontend(f.Encode())
	if err != nil || g != f {
		t.Errorf("%+v (%v), want %+v", g, err, f)
	}
	for _, text := range []string{"", "{", `{"rate":-1}`, `{"rate":16000,"bins":40,"length_ms":25,"shift_ms":10,"deltas":99,"normalize":"utterance"}`} {
		if _, err := DecodeFrontend(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// TestAKaldiDirectoryIsACorpus: features as text, speakers and labels by tables, lengths that are
// given or read.
func TestAKaldiDirectoryIsACorpus(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) { must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)) }
	ark := "a1  [\n 1 2\n 3 4\n 5 9 ]\na2  [\n 0 1\n 2 2 ]\nb1  [\n 7 7\n 8 9 ]\n"
	write("feats.ark", ark)
	offset := func(key string) string { return strconv.Itoa(strings.Index(ark, key+" ") + 3) }
	write("feats.scp", "a1 feats.ark:"+offset("a1")+"\na2 feats.ark:"+offset("a2")+"\nb1 feats.ark:"+offset("b1")+"\n")
	write("utt2spk", "a1 ann\na2 ann\nb1 bob\n")
	write("ali.txt", "a1 0 1 1\na2 4 0\nb1 2 2\n")
	c := DefaultConfig()
	c.Frontend.Deltas, c.Frontend.Normalize, c.TestSpeakers = 0, BySpeaker, "bob"
	c.Alignments = filepath.Join(dir, "ali.*")
	for _, lengths := range []string{"", "a1 3\na2 2\nb1 2\n"} {
		if lengths != "" {
			write("utt2num_frames", lengths)
		}
		o, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1)
		must(t, err)
		if info := o.Info(); info.Train != 2 || info.Test != 1 || info.Dim != 2 || info.Count != 5 || info.Frames != 5 {
			t.Errorf("%+v", info)
		}
		labels := make([]int32, 3)
		f, err := o.Read(datasets.Train, 0, labels)
		must(t, err)
		// The mean over ann's five frames is (2.2, 3.6).
		for i, want := range []float32{1 - 2.2, 2 - 3.6, 3 - 2.2, 4 - 3.6, 5 - 2.2, 9 - 3.6} {
			if !(math.Abs(float64(f.Data[i]-want)) <= 1e-5) {
				t.Errorf("value %d is %v, want %v", i, f.Data[i], want)
			}
		}
		if !slices.Equal(labels, []int32{0, 1, 1}) || !slices.Equal(o.Counts(), []int64{2, 2, 0, 0, 1}) {
			t.Errorf("labels %v, counts %v", labels, o.Counts())
		}
	}
	for _, bad := range []string{"0", "-2", "2.5", "x"} {
		write("utt2num_frames", "a1 3\na2 "+bad+"\nb1 2\n")
		if _, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), `utt2num_frames: a2: "`+bad) {
			t.Errorf("%s frames: %v", bad, err)
		}
	}
	write("utt2num_frames", "a1 3\na2 5\nb1 2\n")
	o, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, Config{Frontend: c.Frontend, Labels: filepath.Join(dir, "utt2spk"), Buckets: 1}, 1)
	must(t, err)
	if _, err := o.Read(datasets.Train, 1, nil); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "a2") {
		t.Errorf("another length than utt2num_frames says: %v", err)
	}
	for text, want := range map[string]string{"a1\n": `utt2spk:1: the key "a1" has no value`, "a1 ann\n": "utterance a2"} {
		write("utt2spk", text)
		if _, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), want) {
			t.Errorf("utt2spk of %q: %v", text, err)
		}
	}
	write("utt2spk", "a1 ann\na2 ann\nb1 bob\n")
	write("feats.scp", "a1 copy-feats ark:x ark:- |\n")
	if _, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "a1") {
		t.Errorf("a pipe: %v", err)
	}
}

// TestSegmentsAreCutOutOfRecordings: wav.scp with segments is a corpus too.
func TestSegmentsAreCutOutOfRecordings(t *testing.T) {
	dir := t.TempDir()
	writeWAV(t, filepath.Join(dir, "r.wav"), 8000, 400)
	must(t, os.WriteFile(filepath.Join(dir, "wav.scp"), []byte("r "+filepath.Join(dir, "r.wav")+"\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "segments"), []byte("u1 r 0 0.5\nu2 r 0.25 -1\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "text"), []byte("u1 yes\nu2 no\n"), 0o600))
	c := digitsConfig()
	c.TestSpeakers, c.Labels = "", filepath.Join(dir, "text")
	o, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1)
	must(t, err)
	// (samples - 200) / 80 + 1 frames of 25 ms every 10.
	if o.Frames(datasets.Train, 0) != 48 || o.Frames(datasets.Train, 1) != 73 || !slices.Equal(o.Info().Classes, []string{"no", "yes"}) {
		t.Errorf("%d and %d frames, %v", o.Frames(datasets.Train, 0), o.Frames(datasets.Train, 1), o.Info().Classes)
	}
	if notes := o.Info().Notes; len(notes) > 0 {
		t.Errorf("every utterance has a label, and there are notes: %q", notes)
	}
	must(t, os.WriteFile(filepath.Join(dir, "text"), []byte("u1 yes\n"), 0o600))
	o, err = Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1)
	must(t, err)
	if notes := o.Info().Notes; o.Len(datasets.Train) != 1 || len(notes) != 1 || notes[0] != "1 of 2 train utterances have no label and are left out, such as u2" {
		t.Errorf("%d utterances, notes %q", o.Len(datasets.Train), notes)
	}
	must(t, os.WriteFile(filepath.Join(dir, "segments"), []byte("u1 r 3 4\nu2 r 0 1\n"), 0o600))
	if _, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1); !errors.Is(err, datasets.ErrData) {
		t.Errorf("a segment behind the end: %v", err)
	}
}

func TestEveryKindOfCorpusIsAName(t *testing.T) {
	for name := range kinds {
		if !datasets.IsSpeech(name) {
			t.Errorf("data.name does not take %s", name)
		}
	}
	for _, name := range []string{"cifar10", "folder", ""} {
		if datasets.IsSpeech(name) || kinds[name] != nil {
			t.Errorf("%q is no corpus", name)
		}
	}
}

func TestUtterancesWithoutLabelsAreListed(t *testing.T) {
	dir := digits(t)
	f := digitsConfig().Frontend
	other := t.TempDir()
	writeWAV(t, filepath.Join(other, "my word.wav"), 2400, 300)
	o, err := List(t.Context(), []string{dir, filepath.Join(other, "my word.wav")}, f)
	must(t, err)
	if o.Len(datasets.Test) != 37 || o.ID(datasets.Test, 36) != "my_word" || o.Frames(datasets.Test, 36) != 28 || o.Info().Dim != 30 {
		t.Errorf("%+v, last %s", o.Info(), o.ID(datasets.Test, 36))
	}
	got, err := o.Read(datasets.Test, 36, nil)
	must(t, err)
	if got.Frames != 28 || got.Dim != 30 {
		t.Errorf("%d x %d", got.Frames, got.Dim)
	}
	alone, err := List(t.Context(), []string{filepath.Join(other, "my word.wav")}, f)
	must(t, err)
	want, err := alone.Read(datasets.Test, 0, nil)
	must(t, err)
	if !slices.Equal(got.Data, want.Data) {
		t.Error("the last utterance of two inputs is not that of the second")
	}
	first, err := o.Read(datasets.Test, 0, nil)
	must(t, err)
	folder, err := List(t.Context(), []string{dir}, f)
	must(t, err)
	if want, err = folder.Read(datasets.Test, 0, nil); err != nil || !slices.Equal(first.Data, want.Data) {
		t.Errorf("the first utterance of two inputs is not that of the first (%v)", err)
	}
	bad := f
	bad.Bins = 0
	if _, err := List(t.Context(), []string{dir}, bad); !errors.Is(err, datasets.ErrConfig) || !strings.HasPrefix(err.Error(), "speech.frontend.bins: ") {
		t.Errorf("a front end without bins: %v", err)
	}
	if _, err := List(t.Context(), nil, f); !errors.Is(err, datasets.ErrConfig) {
		t.Errorf("nothing is named: %v", err)
	}
	if _, err := List(t.Context(), []string{dir, dir}, f); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "named twice") {
		t.Errorf("the same folder twice: %v", err)
	}
	if _, err := List(t.Context(), []string{filepath.Join(dir, "none.wav")}, f); !errors.Is(err, datasets.ErrMissing) {
		t.Errorf("no such file: %v", err)
	}
}

// TestSpeakersOfRecordingsAreNormalisedOverAllTheirs: neither over one utterance nor over all
// speakers.
func TestSpeakersOfRecordingsAreNormalisedOverAllTheirs(t *testing.T) {
	c := digitsConfig()
	c.Frontend.Normalize, c.Frontend.Deltas, c.Frontend.Variance = BySpeaker, 0, true
	o := openDigits(t, datasets.Config{}, c)
	count, sum, squares := map[string]float64{}, map[string]float64{}, map[string]float64{}
	alone := 0.
	for i := range o.Len(datasets.Train) {
		f, err := o.Read(datasets.Train, i, nil)
		must(t, err)
		mean := 0.
		for k := range f.Frames {
			x := float64(f.Row(k)[3])
			name := o.Speaker(datasets.Train, i)
			count[name]++
			sum[name] += x
			squares[name] += x * x
			mean += x / float64(f.Frames)
		}
		alone = max(alone, math.Abs(mean))
	}
	if len(count) != 2 || alone < 0.1 {
		t.Fatalf("%d speakers; the mean of an utterance is at most %g from 0", len(count), alone)
	}
	for name, n := range count {
		if mean, variance := sum[name]/n, squares[name]/n; !(math.Abs(mean) <= 1e-4) || !(math.Abs(variance-1) <= 1e-3) {
			t.Errorf("%s: mean %g, variance %g", name, mean, variance)
		}
	}
}

// TestASpeakerWithoutStatisticsHasThoseOfTheUtterance: a recording that a network is shown alone.
func TestASpeakerWithoutStatisticsHasThoseOfTheUtterance(t *testing.T) {
	f := speech.Features{Frames: 3, Dim: 2, Data: []float32{1, 2, 3, 4, 5, 9}}
	got, err := Frontend{Normalize: BySpeaker}.Finish(f, nil)
	must(t, err)
	if want := []float32{-2, -3, 0, -1, 2, 4}; !slices.Equal(got.Data, want) {
		t.Errorf("%v, want %v", got.Data, want)
	}
}

func TestAlignmentsOfSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	one, two := write("1.txt", "a 0 1\n"), write("2.txt", "b 2\n")
	for _, names := range []string{one + "," + two, " " + one + " , " + two + " ", filepath.Join(dir, "*.txt")} {
		c := DefaultConfig()
		c.Alignments = names
		all, err := readAlignments(c)
		if err != nil {
			t.Fatal(err)
		}
		got := all.byFrame
		if len(got) != 2 || !slices.Equal(got["a"], []int32{0, 1}) || !slices.Equal(got["b"], []int32{2}) {
			t.Errorf("%q: %v (%v)", names, got, err)
		}
	}
	for names, want := range map[string]string{one + "," + one: "an alignment of a is in another file, too", "[": "speech.alignments: [", dir: "a folder: name a file in it", one + ",": "no such file"} {
		c := DefaultConfig()
		c.Alignments = names
		if _, err := readAlignments(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", names, err, want)
		}
	}
}

// Every number of the front end is there, also what no configuration changes.
func TestAFrontEndInPlainNumbers(t *testing.T) {
	f := DefaultConfig().Frontend
	f.Rate, f.High, f.Variance, f.Resample = 8000, -200.5, true, true
	want := map[string]string{
		"x.rate": "8000", "x.resample": "true", "x.bins": "80", "x.low": "20", "x.high": "-200.5", "x.length_ms": "25", "x.shift_ms": "10", "x.dither": "0",
		"x.deltas": "2", "x.delta_window": "2", "x.normalize": "utterance", "x.variance": "true", "x.window": "povey", "x.preemphasis": "0.97",
	}
	if got := f.Plain("x."); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
