package experiment

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAFolderStandsForItsFilesWithTheEndings(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.WAV", "a.flac", "deep/c.wav", "text.txt", ".hidden.wav", ".git/d.wav"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	named := filepath.Join(dir, ".hidden.wav")
	got, err := filesOf((*recordings)(nil).kinds(), []string{dir, named, "nowhere.txt"})
	want := []string{filepath.Join(dir, "a.flac"), filepath.Join(dir, "b.WAV"), filepath.Join(dir, "deep", "c.wav"), named, "nowhere.txt"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q (%v), want %q: what is named is taken as it is", got, err, want)
	}
	if _, err := filesOf((*pictures)(nil).kinds(), []string{dir}); err == nil || !strings.Contains(err.Error(), ".pgm, .pbm or .pnm in this folder") {
		t.Errorf("no image: %v", err)
	}
}
