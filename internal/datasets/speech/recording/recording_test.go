package recording

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
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
		lines.WriteString(key + " " + filepath.Join(dir, "x.ark") + ":" + strconv.Itoa(len(ark)) + "\n")
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
