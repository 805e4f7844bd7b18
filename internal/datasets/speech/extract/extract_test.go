package extract

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/datasets/speech/recording"
)

// corpus is a folder of recordings: a of 62 frames, below/b of 24, both at 8 kHz.
func corpus(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for to, from := range map[string]string{"a.wav": "6_jackson_7", "below/b.WAV": "3_theo_12", ".hidden/c.wav": "3_theo_12", "notes.txt": "3_theo_12"} {
		raw, err := os.ReadFile("../../../../testdata/speech/" + from + ".wav")
		if err != nil {
			t.Fatal(err)
		}
		to = filepath.Join(dir, to)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, raw, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func job() Job {
	return Job{Fbank: speech.DefaultFbank(0, 23), Channel: -1, DeltaWindow: 2, Normalize: None, Threads: 2}
}

// run collects what a job writes.
func run(t *testing.T, j Job, recordings []recording.Recording) (keys []string, all map[string]speech.Features, sum Summary) {
	t.Helper()
	all = map[string]speech.Features{}
	sum, err := j.Run(context.Background(), recordings, func(key string, f speech.Features) error {
		keys = append(keys, key)
		all[key] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys, all, sum
}

func list(t *testing.T, inputs ...string) []recording.Recording {
	t.Helper()
	all, err := recording.Find(inputs, "")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestThreadsChangeNeitherOrderNorValues(t *testing.T) {
	dir := corpus(t)
	var recordings []recording.Recording
	for i := range 40 { // more than wait at a time
		r := list(t, dir)[i%2]
		r.Key = strconv.Itoa(i)
		r.End = 0.1 + 0.003*float64(i)
		recordings = append(recordings, r)
	}
	j := job()
	j.Fbank.Dither, j.Normalize, j.Speakers = 1, Speaker, map[string]string{}
	for i, r := range recordings {
		j.Speakers[r.Key] = strconv.Itoa(i % 3)
	}
	j.Threads = 1
	var done []int
	j.OnDone = func(n, of int) {
		if of != 40 {
			t.Errorf("%d recordings, want 40", of)
		}
		done = append(done, n)
	}
	keys, want, sum := run(t, j, recordings)
	// Speakers take two passes, each of which counts half.
	for i, n := range done {
		if n != (i+1)/2 {
			t.Errorf("after %d of 80 steps %d recordings are done", i+1, n)
		}
	}
	if len(done) != 80 {
		t.Errorf("%d steps, want 80", len(done))
	}
	j.OnDone = nil
	if sum.Utterances != 40 || sum.Speakers != 3 || sum.Rate != 8000 || sum.Dim != 23 || !slices.IsSortedFunc(keys, func(a, b string) int {
		return slices.IndexFunc(recordings, func(r recording.Recording) bool { return r.Key == a }) - slices.IndexFunc(recordings, func(r recording.Recording) bool { return r.Key == b })
	}) {
		t.Errorf("%+v %v", sum, keys)
	}
	for _, threads := range []int{2, 7} {
		j.Threads = threads
		got, all, _ := run(t, j, recordings)
		if !slices.Equal(got, keys) {
			t.Errorf("%d threads: %v", threads, got)
		}
		for key, f := range all {
			if !slices.Equal(f.Data, want[key].Data) {
				t.Errorf("%d threads: %s differs", threads, key)
			}
		}
	}
}

func TestSpeakersAreNormalisedBeforeTheDeltasAndUtterancesLast(t *testing.T) {
	dir := corpus(t)
	static := job()
	_, raw, _ := run(t, static, list(t, dir))
	j := job()
	j.Deltas, j.Normalize, j.Variance, j.Speakers = 2, Speaker, true, map[string]string{"a": "s", "below-b": "s"}
	_, got, sum := run(t, j, list(t, dir))
	c := speech.NewCMVN(23)
	if err := errors.Join(c.Add(raw["a"]), c.Add(raw["below-b"])); err != nil {
		t.Fatal(err)
	}
	f := raw["a"]
	f.Data = slices.Clone(f.Data)
	if err := c.Apply(f, true); err != nil {
		t.Fatal(err)
	}
	f, err := f.Deltas(2, 2)
	if err != nil || !slices.Equal(f.Data, got["a"].Data) || sum.Dim != 69 {
		t.Errorf("of a speaker: %v, %d values", err, sum.Dim)
	}
	j.Statistics = sum.Statistics // in one pass
	if _, again, _ := run(t, j, list(t, dir)); !slices.Equal(again["a"].Data, got["a"].Data) {
		t.Error("given statistics are not what was measured")
	}
	j.Normalize, j.Variance = Utterance, false
	_, got, _ = run(t, j, list(t, dir))
	f, err = raw["a"].Deltas(2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := speech.NormalizeUtterance(f, false); err != nil || !slices.Equal(f.Data, got["a"].Data) {
		t.Errorf("of an utterance: %v", err)
	}
}

func TestBadRecordingsEndTheJobOrAreLeftOut(t *testing.T) {
	dir := corpus(t)
	bad := filepath.Join(dir, "0.wav")
	if err := os.WriteFile(bad, []byte("RIFF\x00\x00\x00\x00WAVE"), 0o644); err != nil {
		t.Fatal(err)
	}
	j := job()
	nothing := func(string, speech.Features) error { return nil }
	if _, err := j.Run(context.Background(), list(t, dir), nothing); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), bad) {
		t.Error(err)
	}
	for _, normalize := range []Normalization{None, Speaker} {
		var left []string
		j.Normalize, j.Speakers = normalize, map[string]string{"0": "s", "a": "s", "below-b": "s"}
		j.OnBad = func(key string, _ error) error {
			left = append(left, key)
			return nil
		}
		if _, _, sum := run(t, j, list(t, dir)); !slices.Equal(left, []string{"0"}) || sum.Left != 1 || sum.Utterances != 2 {
			t.Errorf("%s: %v are left out: %+v", normalize, left, sum)
		}
	}
	if _, err := j.Run(context.Background(), list(t, bad), nothing); !errors.Is(err, fault.ErrData) {
		t.Errorf("of bad recordings alone: %v", err)
	}
	j = job()
	full := errors.New("disk full")
	if _, err := j.Run(context.Background(), list(t, filepath.Join(dir, "a.wav")), func(string, speech.Features) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := j.Run(ctx, list(t, filepath.Join(dir, "a.wav")), nothing); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestJobsThatCannotBeDoneAreRefused(t *testing.T) {
	recordings := list(t, corpus(t))
	for name, change := range map[string]func(*Job){
		"normalisation": func(j *Job) { j.Normalize = "word" },
		"variance":      func(j *Job) { j.Variance = true },
		"threads":       func(j *Job) { j.Threads = 0 },
		"order":         func(j *Job) { j.Deltas = -1 },
		"bins":          func(j *Job) { j.Fbank.Bins = 0 },
		"no speaker of": func(j *Job) { j.Normalize, j.Speakers = Speaker, map[string]string{"a": "s"} },
		"no statistics of": func(j *Job) {
			j.Normalize, j.Speakers, j.Statistics = Speaker, map[string]string{"a": "s", "below-b": "t"}, map[string]*speech.CMVN{"s": speech.NewCMVN(23)}
		},
	} {
		j := job()
		change(&j)
		if _, err := j.Run(context.Background(), recordings, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := speech.ReadStatistics("../../../../testdata/speech/integers.ark"); !errors.Is(err, fault.ErrData) {
		t.Error(err)
	}
	all := map[string]kaldi.Value{}
	if err := kaldi.Each("../../../../testdata/speech/deltas.ark", func(key string, v kaldi.Value) error { all[key] = v; return nil }); err != nil || all["stats"].Rows != 2 {
		t.Error(err)
	}
}

// TestRecordingsOfOtherRatesAreResampledIfAsked: both of these are the same sound, and the features
// below the lower rate's band are as near as the resamplers are (the fixture is rounded to 16
// bits).
func TestRecordingsOfOtherRatesAreResampledIfAsked(t *testing.T) {
	const speechDir = "../../../../testdata/speech/"
	both := []recording.Recording{{Key: "16", Path: speechDir + "6_jackson_7-16000.wav"}, {Key: "8", Path: speechDir + "6_jackson_7.wav"}}
	j := job()
	j.Fbank.High = 3500
	if _, err := j.Run(t.Context(), both, func(string, speech.Features) error { return nil }); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "--resample") {
		t.Errorf("two rates: %v", err)
	}
	j.Resample = true
	_, all, sum := run(t, j, both)
	a, b := all["16"], all["8"]
	if sum.Rate != 16000 || a.Frames != b.Frames {
		t.Fatalf("%d frames and %d at %d Hz", a.Frames, b.Frames, sum.Rate)
	}
	var worst float64
	for i := range a.Data {
		worst = max(worst, math.Abs(float64(a.Data[i]-b.Data[i])))
	}
	if worst > 0.02 || worst == 0 {
		t.Errorf("the largest difference is %g", worst)
	}
}

func TestSegmentsBehindTheirRecordingAreCounted(t *testing.T) {
	path := "../../../../testdata/speech/6_jackson_7.wav" // 0.636 s
	parts := []recording.Recording{{Key: "a", Path: path, End: 0.5}, {Key: "b", Path: path, Start: 0.2, End: 0.7}, {Key: "c", Path: path, Start: 0.2, End: 1.135875}, {Key: "d", Path: path, Start: 0.1, End: -1}}
	_, _, sum := run(t, job(), parts)
	if b := sum.Beyond; b.Utterances != 2 || b.First != "b" || math.Abs(b.Most-0.5) > 1e-9 {
		t.Errorf("%+v", b)
	}
}
