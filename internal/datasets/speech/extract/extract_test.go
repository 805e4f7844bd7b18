package extract

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/kaldi"
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
func run(t *testing.T, j Job, recordings []Recording) (keys []string, all map[string]speech.Features, sum Summary) {
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

func list(t *testing.T, inputs ...string) []Recording {
	t.Helper()
	all, err := Find(inputs, "")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFoldersFilesAndScriptsAreListed(t *testing.T) {
	dir := corpus(t)
	keys := func(all []Recording) (keys []string) {
		for _, r := range all {
			keys = append(keys, r.Key)
		}
		return keys
	}
	if got := keys(list(t, dir)); !slices.Equal(got, []string{"a", "below-b"}) {
		t.Errorf("a folder has %v", got)
	}
	if got := keys(list(t, filepath.Join(dir, "below", "b.WAV"), filepath.Join(dir, "a.wav"))); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("two files are %v", got)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if got := keys(list(t, link)); !slices.Equal(got, []string{"a", "below-b"}) {
		t.Errorf("a link to a folder has %v", got)
	}
	scp := filepath.Join(dir, "wav.scp")
	if err := os.WriteFile(scp, []byte("two below/b.WAV\none "+filepath.Join(dir, "a.wav")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := keys(list(t, scp)); !slices.Equal(got, []string{"two", "one"}) {
		t.Errorf("a script has %v", got)
	}
	if err := os.WriteFile(scp, []byte("two below/b.WAV:0[3:4]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, inputs := range map[string][]string{"comes twice": {dir, filepath.Join(dir, "a.wav")}, "segments": {scp}} {
		if _, err := Find(inputs, ""); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", inputs, err)
		}
	}
	for _, input := range []string{filepath.Join(dir, "nowhere"), t.TempDir()} {
		if _, err := Find([]string{input}, ""); !errors.Is(err, fault.ErrMissing) {
			t.Errorf("%s: %v", input, err)
		}
	}
}

func TestRecordingsInArchivesAreReadAtTheirOffsets(t *testing.T) {
	var ark []byte
	var lines strings.Builder
	dir := t.TempDir()
	for key, name := range map[string]string{"wav": "6_jackson_7.wav", "flac": "audio/flac16.flac"} {
		raw, err := os.ReadFile("../../../../testdata/speech/" + name)
		if err != nil {
			t.Fatal(err)
		}
		ark = append(ark, key+" "...)
		lines.WriteString(key + " " + filepath.Join(dir, "x.ark") + ":" + itoa(len(ark)) + "\n")
		ark = append(ark, raw...)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "x.ark"), ark, 0o644), os.WriteFile(filepath.Join(dir, "wav.scp"), []byte(lines.String()), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, r := range list(t, filepath.Join(dir, "wav.scp")) {
		s, err := r.Open()
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Each(0, 0, 0, func([]float32) error { return nil })
		if want := map[string]int64{"wav": 5087, "flac": 551}[r.Key]; err != nil || n != want {
			t.Errorf("%s: %d samples, %v", r.Key, n, err)
		}
		s.Close()
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestThreadsChangeNeitherOrderNorValues(t *testing.T) {
	dir := corpus(t)
	var recordings []Recording
	for i := range 40 { // more than wait at a time
		r := list(t, dir)[i%2]
		r.Key = itoa(i)
		r.End = 0.1 + 0.003*float64(i)
		recordings = append(recordings, r)
	}
	j := job()
	j.Fbank.Dither, j.Normalize, j.Speakers = 1, Speaker, map[string]string{}
	for i, r := range recordings {
		j.Speakers[r.Key] = itoa(i % 3)
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
		return slices.IndexFunc(recordings, func(r Recording) bool { return r.Key == a }) - slices.IndexFunc(recordings, func(r Recording) bool { return r.Key == b })
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
