//go:build unix

package kaldi

import (
	"os"
	"path/filepath"
	"testing"

	"resnet/internal/atomicfile"
)

// TestAScriptThatIsSetAsideIsNotTakenForAbandoned: while an archive is replaced, the older script
// has a temporary name. Another process that begins to write the same files removes what dead ones
// left, and not that.
func TestAScriptThatIsSetAsideIsNotTakenForAbandoned(t *testing.T) {
	ark, scp := filepath.Join(t.TempDir(), "x.ark"), filepath.Join(t.TempDir(), "x.scp")
	if err := os.WriteFile(scp, []byte("a x.ark:2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w, err := Create(ark, scp)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	aside, err := w.setAside(scp)
	if err != nil || aside == "" {
		t.Fatalf("%q (%v)", aside, err)
	}
	other, err := atomicfile.Create(atomicfile.OS, scp, tempKind)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Discard()
	if _, err := os.Stat(aside); err != nil {
		t.Fatalf("the older script is gone: %v", err)
	}
	// Once its writer is gone, it is a leftover like any other.
	w.Discard()
	third, err := atomicfile.Create(atomicfile.OS, scp, tempKind)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Discard()
	if _, err := os.Stat(aside); err == nil {
		t.Error("a leftover of a writer that is gone stays")
	}
}
