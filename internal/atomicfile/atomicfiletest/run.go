package atomicfiletest

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/input"
)

// Writer is what Run tests.
type Writer struct {
	// Files are the files that it writes, relative to the folder.
	Files []string
	// Write writes them into a folder that is there: other contents for another version.
	Write func(fsys atomicfile.FS, dir string, version int) error
	// OnOS runs it on the real file system, for a writer that also reads there. What a power
	// failure leaves is then not looked at.
	OnOS bool
	// Old is set for a writer that needs the files of version 1, New for one that replaces none.
	Old, New bool
	// Fits, if set, judges the files together; each of them is old, new or absent. Without it each
	// file must be old or new, and what was there may not be absent.
	Fits func(now, before, after map[string]string) bool
}

// faults are injected one after another, once each.
var faults = []error{syscall.ENOSPC, syscall.EACCES, syscall.EIO, syscall.EROFS, ErrShort, ErrKilled}

// Run fails every single operation of the writer with each fault: once where there is no file and
// once where there is an old one. It requires that every file is whole afterwards, old or new; that
// an error is an atomicfile.ErrIO that names one of the files and leaves no temporary file; that
// what was reported as written is there, also after a power failure; and that the next attempt
// succeeds.
func Run(t *testing.T, w Writer) {
	t.Helper()
	for _, old := range []bool{false, true} {
		for _, fault := range faults {
			// On the real system every fault takes time; EACCES and EROFS tell no more than EIO.
			if w.Old && !old || w.New && old || w.OnOS && (errors.Is(fault, syscall.EACCES) || errors.Is(fault, syscall.EROFS)) {
				continue
			}
			t.Run(fmt.Sprintf("old %v/%v", old, fault), func(t *testing.T) { w.run(t, old, fault) })
		}
	}
}

func (w Writer) run(t *testing.T, old bool, fault error) {
	begin := func() (room, map[string]string) {
		r := w.room(t)
		if old {
			if err := w.Write(r.fsys, r.dir, 1); err != nil {
				t.Fatal(err)
			}
		}
		return r, w.contents(r)
	}
	r, _ := begin()
	if err := w.Write(r.fsys, r.dir, 2); err != nil {
		t.Fatal(err)
	}
	after := w.contents(r)
	if left := r.temps(); len(left) > 0 || len(after) != len(w.Files) {
		t.Fatalf("files %v, left %v", after, left)
	}
	reported := 0
	for k := 1; ; k++ {
		r, before := begin()
		n, hit := 0, ""
		r.hook.Op = func(kind, path string) error {
			if errors.Is(fault, ErrShort) && kind != "write" {
				return nil
			}
			if n++; n != k {
				return nil
			}
			hit = kind + " " + path
			return fault
		}
		var err error
		dead := Killed(func() { err = w.Write(r.fsys, r.dir, 2) })
		what := fmt.Sprintf("operation %d (%s)", k, hit)
		if hit == "" {
			// A writer may also write the rest of what was cut short.
			if reported == 0 && !errors.Is(fault, ErrShort) || err != nil {
				t.Errorf("%d faults were reported, without one: %v", reported, err)
			}
			return
		}
		if err != nil || dead {
			reported++
		}
		if err != nil && !dead {
			names := func(f string) bool { return strings.Contains(err.Error(), filepath.Join(r.dir, f)) }
			ofFolder := strings.HasSuffix(hit, "dir "+r.dir) && names("") // mkdir, readdir, syncdir
			if !errors.Is(err, atomicfile.ErrIO) || !slices.ContainsFunc(w.Files, names) && !ofFolder {
				t.Errorf("%s: error %v is no ErrIO that names a file", what, err)
			}
			for _, temp := range r.temps() { // one that could not be removed is named
				if !strings.HasPrefix(hit, "remove ") || !strings.Contains(err.Error(), temp) {
					t.Errorf("%s: %s left, error %v", what, temp, err)
				}
			}
		}
		for name, later := range r.later() {
			w.check(t, what+", "+name, w.contents(later), before, after, !dead && err == nil)
			later.hook.Op, later.hook.dead = nil, false
			if err := w.Write(later.fsys, later.dir, 2); err != nil {
				t.Errorf("%s, %s: written again: %v", what, name, err)
			}
			w.check(t, what+", "+name+", written again", w.contents(later), before, after, true)
		}
	}
}

// check compares the files with what was there and with what was to be written.
func (w Writer) check(t *testing.T, what string, now, before, after map[string]string, done bool) {
	t.Helper()
	for _, f := range w.Files {
		v, is := now[f]
		b, was := before[f]
		switch {
		case is && v == after[f]:
		case done:
			t.Errorf("%s: reported as written, %s is %.40q", what, f, v)
		case is && was && v == b, !is && !was, !is && w.Fits != nil:
		case !is:
			t.Errorf("%s: %s is gone", what, f)
		default:
			t.Errorf("%s: %s is neither old nor new: %.40q", what, f, v)
		}
	}
	if w.Fits != nil && !w.Fits(now, before, after) {
		t.Errorf("%s: the files do not fit together: %q", what, now)
	}
}

// contents are those of the files that are there.
func (w Writer) contents(r room) map[string]string {
	list := map[string]string{}
	for _, f := range w.Files {
		if data, ok := r.read(filepath.Join(r.dir, f)); ok {
			list[f] = strings.ReplaceAll(string(data), r.dir, "DIR")
		}
	}
	return list
}

// room is where a writer writes.
type room struct {
	dir   string
	fsys  atomicfile.FS
	hook  *Hook
	read  func(path string) ([]byte, bool)
	temps func() []string
	later func() map[string]room // after a crash
}

func (w Writer) room(t *testing.T) room {
	if w.OnOS {
		return osRoom(t)
	}
	d := NewDisk()
	const dir = "/folder"
	if err := d.MkdirAll(dir, atomicfile.DirPerm); err != nil {
		t.Fatal(err)
	}
	return diskRoom(d, dir)
}

func diskRoom(d *Disk, dir string) room {
	return room{
		dir: dir, fsys: d, hook: &d.Hook, temps: d.Temps,
		read: func(path string) ([]byte, bool) {
			f := d.Files[path]
			if f == nil {
				return nil, false
			}
			return f.Data, true
		},
		later: func() map[string]room {
			return map[string]room{
				"killed":                     diskRoom(d.AfterKill(), dir),
				"power lost":                 diskRoom(d.AfterPowerFailure(NamesLost), dir),
				"power lost, names kept":     diskRoom(d.AfterPowerFailure(NamesKept), dir),
				"power lost, last name kept": diskRoom(d.AfterPowerFailure(LastNameKept), dir),
			}
		},
	}
}

func osRoom(t *testing.T) room {
	dir, f := t.TempDir(), OnOS()
	r := room{dir: dir, fsys: f, hook: &f.Hook}
	r.read = func(path string) ([]byte, bool) {
		data, err := input.Read(path, 1<<30)
		return data, err == nil
	}
	r.temps = func() (list []string) {
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && strings.Contains(e.Name(), ".tmp-") {
				list = append(list, path)
			}
			return err
		})
		return list
	}
	r.later = func() map[string]room { return map[string]room{"killed": r} }
	return r
}
