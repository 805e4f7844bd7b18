package atomicfile_test

import (
	"errors"
	"slices"
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
