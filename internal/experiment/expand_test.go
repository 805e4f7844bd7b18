package experiment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPathsOfAConfigurationAreThoseOfAShell, but for files that are called so.
func TestPathsOfAConfigurationAreThoseOfAShell(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a$HOME", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	e := &Environment{Variable: func(name string) (string, bool) {
		v, ok := map[string]string{"HOME": "/home/x", "DATA": "/data", "EMPTY": ""}[name]
		return v, ok
	}}
	for path, want := range map[string]string{
		"~": "/home/x", "~/photos": "/home/x/photos", "$HOME/p": "/home/x/p", "${DATA}/p": "/data/p", "/p$EMPTY/q": "/p/q", "a~b": "a~b", "~other/p": "~other/p", "a$HOME": "a$HOME",
	} {
		got := path
		if err := e.expand(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", path, got, want, err)
		}
	}
	path := filepath.Join("$NOWHERE", "p")
	if err := e.expand(&path); err == nil || !strings.Contains(err.Error(), "NOWHERE") {
		t.Errorf("a variable that is not set: %v", err)
	}
}
