package configs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestPresetIsFoundWithAndWithoutExtension(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"cifar110", "cifar110.yaml", "cifar110.yml"} {
		s, err := Find(name)
		if err != nil {
			t.Fatalf("Find(%q): %v", name, err)
		}
		if !s.Preset || s.Name != "cifar110" || !strings.Contains(string(s.Data), "resnet110") {
			t.Errorf("Find(%q) = preset %v, name %q", name, s.Preset, s.Name)
		}
	}
}

func TestFileIsPreferredToPreset(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("cifar20.yaml", []byte("model: {name: plain20}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Find("cifar20.yaml")
	if err != nil || s.Preset || !strings.Contains(string(s.Data), "plain20") {
		t.Fatalf("Find = %+v, %v; want the file", s, err)
	}
	if s, err := Find("cifar20"); err != nil || !s.Preset {
		t.Errorf("Find(cifar20) = preset %v, %v; want the preset: no file has exactly that name", s.Preset, err)
	}
}

func TestFolderWithAPresetsNameDoesNotHideIt(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("cifar20", 0o755); err != nil {
		t.Fatal(err)
	}
	if s, err := Find("cifar20"); err != nil || !s.Preset {
		t.Errorf("Find = preset %v, %v; want the preset", s.Preset, err)
	}
}

func TestUnknownNameAndMissingFileAreNotFound(t *testing.T) {
	for _, name := range []string{"cifar21", "", "no/such/cifar20.yaml", "../configs"} {
		if _, err := Find(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("Find(%q) = %v, want ErrNotFound", name, err)
		}
	}
}

func TestOversizedFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(path, make([]byte, 10<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(path); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Find = %v, want ErrTooLarge", err)
	}
}

func TestEveryPresetSaysWhatItIs(t *testing.T) {
	names := Names()
	for _, name := range names {
		if Summary(name) == "" || strings.Contains(Summary(name), ": {") {
			t.Errorf("%s.yaml: first line is no comment: %q", name, Summary(name))
		}
		// A second line is a sentence of its own: lists show the first alone.
		src, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, rest, _ := strings.Cut(string(src.Data), "\n# "); rest != "" && strings.HasPrefix(string(src.Data[len("# ")+len(Summary(name)):]), "\n# ") && !unicode.IsUpper(rune(rest[0])) {
			t.Errorf("%s.yaml: the first line goes on: %q", name, Summary(name))
		}
	}
	if slices.Index(names, "cifar20") > slices.Index(names, "cifar110") {
		t.Errorf("names are not in natural order: %v", names)
	}
}
