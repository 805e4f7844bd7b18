package corpus

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

func printOf(t *testing.T, name, dir string, c Config) datasets.Fingerprint {
	t.Helper()
	o, err := Open(t.Context(), datasets.Config{Name: name, Dir: dir}, c, 1)
	must(t, err)
	f, err := o.Fingerprint(t.Context())
	must(t, err)
	return f
}

func TestAFingerprintSeesWhatHasChangedInRecordings(t *testing.T) {
	for name, c := range map[string]struct {
		change func(dir string)
		want   string // of the training split
	}{
		"nothing":  {func(string) {}, ""},
		"one more": {func(dir string) { writeWAV(t, filepath.Join(dir, "1_ann_9.wav"), 2000, 300) }, datasets.OtherNumber},
		"another name": {func(dir string) {
			must(t, os.Rename(filepath.Join(dir, "0_ann_0.wav"), filepath.Join(dir, "0_ann_9.wav")))
		}, datasets.OtherNames},
		"other samples":     {func(dir string) { writeWAV(t, filepath.Join(dir, "0_ann_0.wav"), 1800, 555) }, datasets.OtherContent},
		"some samples more": {func(dir string) { writeWAV(t, filepath.Join(dir, "0_ann_0.wav"), 1801, 200) }, datasets.OtherSizes},
		"of the test split": {func(dir string) { writeWAV(t, filepath.Join(dir, "0_bob_0.wav"), 2000, 555) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := digits(t), digits(t)
			c.change(b)
			f, g := printOf(t, "fsdd", a, digitsConfig()), printOf(t, "fsdd", b, digitsConfig())
			if got := f[datasets.Train].Differs(g[datasets.Train]); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if f[datasets.Train].N != 24 || f[datasets.Train].Contents == "" {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestAFingerprintSeesWhatHasChangedInADataDirectory has features as text.
func TestAFingerprintSeesWhatHasChangedInADataDirectory(t *testing.T) {
	const utts = 4
	build := func() string {
		dir := t.TempDir()
		var scp, ark, spk, ali strings.Builder
		for i := range utts {
			id := "utt" + string(rune('a'+i))
			ark.WriteString(id + " ")
			scp.WriteString(id + " feats.ark:" + strconv.Itoa(ark.Len()) + "\n")
			ark.WriteString(" [\n")
			for k := range 30 {
				ark.WriteString(" " + strconv.Itoa(i+k) + " 2.5 3\n")
			}
			ark.WriteString(" ]\n")
			spk.WriteString(id + " spk" + strconv.Itoa(i%2) + "\n")
			ali.WriteString(id + strings.Repeat(" "+strconv.Itoa(i%2), 30) + "\n")
		}
		for name, s := range map[string]string{"feats.ark": ark.String(), "feats.scp": scp.String(), "utt2spk": spk.String(), "ali.txt": ali.String()} {
			must(t, os.WriteFile(filepath.Join(dir, name), []byte(s), 0o600))
		}
		return dir
	}
	edit := func(dir, name, old, with string) {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		must(t, err)
		if !strings.Contains(string(b), old) {
			t.Fatalf("%s does not hold %q", name, old)
		}
		must(t, os.WriteFile(path, []byte(strings.Replace(string(b), old, with, 1)), 0o600))
	}
	open := func(dir string) datasets.Fingerprint {
		c := DefaultConfig()
		c.Alignments = filepath.Join(dir, "ali.txt")
		return printOf(t, "kaldi", dir, c)
	}
	for name, c := range map[string]struct {
		change func(dir string)
		want   string
	}{
		"nothing":            {func(string) {}, ""},
		"another label":      {func(dir string) { edit(dir, "ali.txt", "uttb 1", "uttb 0") }, datasets.OtherNames},
		"another speaker":    {func(dir string) { edit(dir, "utt2spk", "utta spk0", "utta spk1") }, datasets.OtherNames},
		"another feature":    {func(dir string) { edit(dir, "feats.ark", " 2.5 3", " 2.6 3") }, datasets.OtherContent},
		"one utterance less": {func(dir string) { edit(dir, "feats.scp", "utta feats.ark:5\n", "") }, datasets.OtherNumber},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := build(), build()
			c.change(b)
			f, g := open(a), open(b)
			if got := f[datasets.Train].Differs(g[datasets.Train]); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
