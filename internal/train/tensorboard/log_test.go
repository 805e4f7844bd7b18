package tensorboard

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

func clock() time.Time { return time.Unix(1_700_000_000, 500_000_000) }

func all(int64, string) bool { return true }

func open(t *testing.T, path string, keep func(int64, string) bool) *Log {
	t.Helper()
	l, err := Open(atomicfile.OS, path, "test", keep, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func add(t *testing.T, l *Log, step int64, s ...Scalar) {
	t.Helper()
	if err := l.Add(step, s...); err != nil {
		t.Fatal(err)
	}
}

// readAll decodes a file, and fails at a record that does not hold.
func readAll(t *testing.T, path string) []event {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []event
	for len(b) > 0 {
		data, n := nextRecord(b)
		if n == 0 {
			t.Fatalf("a bad record after %d", len(list))
		}
		e, ok := decode(data)
		if !ok {
			t.Fatalf("record %d is no event: %x", len(list), data)
		}
		list = append(list, e)
		b = b[n:]
	}
	return list
}

func same(a, b event) bool {
	return a.step == b.step && a.version == b.version && slices.Equal(a.scalars, b.scalars)
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	l := open(t, path, all)
	add(t, l, 10, Scalar{"test/error", 12.5}, Scalar{"test/loss", 0.25})
	add(t, l, 1<<40, Scalar{"träin/loss", -1})
	got := readAll(t, path)
	want := []event{{version: version}, {step: 10, scalars: []Scalar{{"test/error", 12.5}, {"test/loss", 0.25}}}, {step: 1 << 40, scalars: []Scalar{{"träin/loss", -1}}}}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The fixture was written by the writer of TensorBoard's Python package; testdata/events.py write
// makes it.
func TestAFileOfTensorBoardsOwnWriterIsRead(t *testing.T) {
	got := readAll(t, "testdata/events.out.tfevents.python")
	want := []event{{version: version}, {step: 3, scalars: []Scalar{{"train/loss", 2.5}, {"train/error", 81.25}}}, {step: 300, scalars: []Scalar{{"train/loss", 0.125}}}}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestResumingLeavesTheBytesOfAnUninterruptedRun(t *testing.T) {
	dir := t.TempDir()
	whole, broken := filepath.Join(dir, "whole"), filepath.Join(dir, "broken")
	write := func(l *Log, from, to int64) {
		for s := from; s <= to; s++ {
			add(t, l, s, Scalar{"batch/loss", float64(s)})
			if s%3 == 0 {
				add(t, l, s, Scalar{"test/error", float64(s)})
			}
		}
	}
	write(open(t, whole, all), 1, 9)
	want, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	write(open(t, broken, all), 1, 8)
	torn, err := os.OpenFile(broken, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := torn.Write(want[:17]); err != nil {
		t.Fatal(err)
	}
	torn.Close()
	// Saved at step 6 before its evaluation.
	write2 := open(t, broken, func(step int64, tag string) bool { return step < 6 || step == 6 && tag == "batch/loss" })
	add(t, write2, 6, Scalar{"test/error", 6})
	write(write2, 7, 9)
	got, err := os.ReadFile(broken)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes after resuming, %d without: %v", len(got), len(want), readAll(t, broken))
	}
}

func TestAFileTornInItsFirstRecordBeginsAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	whole := first(1)
	for _, n := range []int{0, 1, 11, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		open(t, path, all)
		if got := readAll(t, path); len(got) != 1 || got[0].version != version {
			t.Errorf("torn after %d bytes: %v", n, got)
		}
	}
}

func TestAnotherFileIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	text := bytes.Repeat([]byte("a diary that somebody needs. "), 4)
	notVersion := appendRecord(nil, event{step: 1, scalars: []Scalar{{"a", 1}}}.encode())
	for _, b := range [][]byte{text, notVersion} {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(atomicfile.OS, path, "test", all, clock); err == nil {
			t.Error("accepted")
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, b) {
			t.Error("changed")
		}
	}
}

func TestAFailedWriteLeavesNoPartOfARecord(t *testing.T) {
	fsys := atomicfiletest.OnOS()
	path := filepath.Join(t.TempDir(), File)
	l, err := Open(fsys, path, "test", all, clock)
	if err != nil {
		t.Fatal(err)
	}
	full := func(kind, _ string) error {
		if kind == "write" {
			return syscall.ENOSPC
		}
		return nil
	}
	add(t, l, 1, Scalar{"a", 1})
	fsys.Op = full
	if err := l.Add(2, Scalar{"a", 2}); !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, atomicfile.ErrIO) || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	fsys.Op = nil
	add(t, l, 3, Scalar{"a", 3})
	fsys.Op = full
	if err := l.Add(4, Scalar{"a", 4}); err == nil {
		t.Fatal("no error")
	}
	fsys.Op = nil
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, path); len(got) != 3 || got[1].step != 1 || got[2].step != 3 {
		t.Errorf("got %v", got)
	}
}

func TestWhatIsDroppedGoesWholeOrNotAtAll(t *testing.T) {
	atomicfiletest.Run(t, atomicfiletest.Writer{
		Files: []string{File}, Old: true,
		Write: func(fsys atomicfile.FS, dir string, version int) error {
			path := filepath.Join(dir, File)
			if version == 1 {
				records := appendRecord(first(1), event{step: 1, scalars: []Scalar{{"a", 1}}}.encode())
				return atomicfile.WriteFile(fsys, path, "test", appendRecord(records, event{step: 2, scalars: []Scalar{{"a", 1}}}.encode()))
			}
			l, err := Open(fsys, path, "test", func(step int64, _ string) bool { return step < 2 }, clock)
			if err != nil {
				return atomicfile.Error(err)
			}
			return l.Close()
		},
	})
}

func FuzzFilter(f *testing.F) {
	whole := appendRecord(first(1), event{step: 2, scalars: []Scalar{{"a", 1}}}.encode())
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		kept, ok := filter(b, all)
		if len(kept) > len(b) || !ok && kept != nil {
			t.Errorf("%d of %d bytes, %v", len(kept), len(b), ok)
		}
		again, _ := filter(kept, all)
		if !bytes.Equal(again, kept) {
			t.Error("what was kept is not kept again")
		}
	})
}
