package atomicfile_test

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

func TestAnAppenderKeepsWholeRecordsAlone(t *testing.T) {
	for _, fault := range []error{syscall.ENOSPC, atomicfiletest.ErrShort, syscall.EIO} {
		for _, durable := range []bool{false, true} {
			d := disk(t)
			a, err := atomicfile.OpenAppend(d, "/out/log")
			if err != nil {
				t.Fatal(err)
			}
			add := a.Append
			if durable {
				add = a.AppendSync
			}
			if err := add([]byte("one\n")); err != nil {
				t.Fatal(err)
			}
			d.Op = fail("write", fault)
			if err := add([]byte("second\n")); !errors.Is(err, atomicfile.ErrIO) {
				t.Errorf("%v: %v", fault, err)
			}
			d.Op = nil
			if err := add([]byte("three\n")); err != nil || a.Size() != 10 {
				t.Errorf("%v: %v, size %d", fault, err, a.Size())
			}
			if synced := slices.Contains(d.Log, "sync /out/log"); synced != durable {
				t.Errorf("synced %v, durable %v", synced, durable)
			}
			d.Op = fail("write", fault)
			_ = add([]byte("four\n"))
			d.Op = nil
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if got := string(d.Files["/out/log"].Data); got != "one\nthree\n" {
				t.Errorf("%v: %q", fault, got)
			}
			if a, err = atomicfile.OpenAppend(d, "/out/log"); err != nil || a.Size() != 10 {
				t.Errorf("opened again: %v, size %d", err, a.Size())
			}
		}
	}
}

// TestAnAppenderTruncatesOnlyWhatIsTorn: whole records cost one write each.
func TestAnAppenderTruncatesOnlyWhatIsTorn(t *testing.T) {
	d := disk(t)
	a, err := atomicfile.OpenAppend(d, "/out/log")
	if err != nil {
		t.Fatal(err)
	}
	d.Op = fail("write", syscall.ENOSPC)
	_ = a.Append([]byte("lost\n"))
	d.Op, d.Log = nil, nil
	for range 3 {
		if err := a.Append([]byte("kept\n")); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"truncate /out/log", "write /out/log", "write /out/log", "write /out/log"}; !slices.Equal(d.Log, want) {
		t.Errorf("%q, want %q", d.Log, want)
	}
	if _, err := atomicfile.OpenAppend(d, "/none/log"); !errors.Is(err, atomicfile.ErrIO) || !strings.Contains(err.Error(), "/none/log") {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
