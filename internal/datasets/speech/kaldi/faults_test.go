package kaldi

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

// pair writes an archive and its script; the offsets differ from version to version.
func pair(fsys atomicfile.FS, dir string, version int) error {
	w, err := create(fsys, filepath.Join(dir, "x.ark"), filepath.Join(dir, "x.scp"))
	if err != nil {
		return err
	}
	defer w.Discard()
	for i := range 3 {
		if err := w.WriteMatrix(fmt.Sprintf("%s%d", strings.Repeat("u", version), i), 1, 2, []float32{float32(version), 1}); err != nil {
			return err
		}
	}
	return w.Commit()
}

// fit: a script stands only beside the archive that it was written with.
func fit(now, before, after map[string]string) bool {
	script, there := now["x.scp"]
	if !there {
		return true
	}
	return now["x.ark"] == before["x.ark"] && script == before["x.scp"] || now["x.ark"] == after["x.ark"] && script == after["x.scp"]
}

func TestAnArchiveAndItsScriptFitAtEveryMoment(t *testing.T) {
	for name, onOS := range map[string]bool{"memory": false, "system": true} {
		t.Run(name, func(t *testing.T) {
			atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{"x.ark", "x.scp"}, Write: pair, Fits: fit, OnOS: onOS})
		})
	}
	t.Run("archive alone", func(t *testing.T) {
		atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{"x.ark"}, Write: func(fsys atomicfile.FS, dir string, version int) error {
			w, err := create(fsys, filepath.Join(dir, "x.ark"), "")
			if err != nil {
				return err
			}
			defer w.Discard()
			return errors.Join(w.WriteMatrix("u", 1, 2, []float32{float32(version), 1}), w.Commit())
		}})
	})
}

// TestAnArchiveThatCannotBeReplacedKeepsItsScript: only a crash between two names costs the older
// script, and not an error.
func TestAnArchiveThatCannotBeReplacedKeepsItsScript(t *testing.T) {
	for _, fault := range []string{"rename /out/x.ark", "syncdir /out", "rename /out/x.scp"} {
		d := atomicfiletest.NewDisk()
		if err := errors.Join(d.MkdirAll("/out", atomicfile.DirPerm), pair(d, "/out", 1)); err != nil {
			t.Fatal(err)
		}
		ark, scp := string(d.Files["/out/x.ark"].Data), string(d.Files["/out/x.scp"].Data)
		failed := false
		d.Op = func(kind, path string) error {
			if kind+" "+path != fault || failed {
				return nil
			}
			failed = true
			return syscall.EIO
		}
		if err := pair(d, "/out", 2); !errors.Is(err, syscall.EIO) || !errors.Is(err, ErrWrite) {
			t.Errorf("%s: %v", fault, err)
		}
		if fault == "rename /out/x.scp" { // after the archive's
			if d.Files["/out/x.scp"] != nil || string(d.Files["/out/x.ark"].Data) == ark || len(d.Files) != 1 {
				t.Errorf("%s: %v", fault, d.Files)
			}
			continue
		}
		if string(d.Files["/out/x.ark"].Data) != ark || d.Files["/out/x.scp"] == nil || string(d.Files["/out/x.scp"].Data) != scp || len(d.Files) != 2 {
			t.Errorf("%s: %d files, the script %v", fault, len(d.Files), d.Files["/out/x.scp"])
		}
	}
}
