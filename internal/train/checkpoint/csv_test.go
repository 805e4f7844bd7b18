package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

var columns = []string{"step", "epoch", "loss"}

func rowOf(step int64) []string {
	return []string{fmt.Sprint(step), "0", fmt.Sprint(1 / float64(step))}
}

// table opens metrics.csv as a training that resumes after step does, and appends the rows of the
// steps.
func table(t *testing.T, fsys atomicfile.FS, path string, resumed int64, steps ...int64) {
	t.Helper()
	c, err := OpenCSV(fsys, path, columns, resumed)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if err := c.Append(rowOf(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAResumedTableIsBitIdentical interrupts a table of five rows at every byte of it, resumes from
// each checkpoint whose row was written, and compares with the uninterrupted one.
func TestAResumedTableIsBitIdentical(t *testing.T) {
	m := atomicfiletest.NewDisk()
	if err := m.MkdirAll(run, atomicfile.DirPerm); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run, "metrics.csv")
	table(t, m, path, -1, 10, 20, 30, 40, 50)
	whole := m.Files[path].Data
	if !strings.HasPrefix(string(whole), "step,epoch,loss\n10,0,0.1\n20,") {
		t.Fatalf("%q", whole)
	}
	for n := range len(whole) + 1 {
		rows := int64(strings.Count(string(whole[:n]), "\n")) - 1 // complete ones
		// Resume from step 10k: its row is there.
		for k := int64(0); k <= max(rows, 0); k++ {
			m.Files[path] = &atomicfiletest.Content{Data: slices.Clone(whole[:n])}
			var rest []int64
			for s := 10*k + 10; s <= 50; s += 10 {
				rest = append(rest, s)
			}
			table(t, m, path, 10*k, rest...)
			if got := string(m.Files[path].Data); got != string(whole) {
				t.Fatalf("cut at %d, resumed from step %d: %q", n, 10*k, got)
			}
		}
	}
}

func TestATableFromAnEarlierStartIsEmptied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.csv")
	table(t, atomicfile.OS, path, -1, 10, 20)
	table(t, atomicfile.OS, path, -1)
	if got, _ := os.ReadFile(path); string(got) != "step,epoch,loss\n" {
		t.Errorf("%q", got)
	}
}

func TestATableOfOtherColumnsIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.csv")
	const other = "step,seconds\n1,2\n"
	if err := os.WriteFile(path, []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCSV(atomicfile.OS, path, columns, 5); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != other {
		t.Errorf("%q", got)
	}
	if _, err := OpenCSV(atomicfile.OS, path, []string{"seconds"}, 5); err == nil {
		t.Error("a table without steps")
	}
}

// TestAFailedAppendLeavesNoTornRow fails a row in each way; what follows is whole.
func TestAFailedAppendLeavesNoTornRow(t *testing.T) {
	for _, c := range []struct {
		kind  string
		fault error
	}{{"write", syscall.ENOSPC}, {"write", syscall.EIO}, {"write", atomicfiletest.ErrShort}, {"sync", syscall.EIO}} {
		m := atomicfiletest.NewDisk()
		if err := m.MkdirAll(run, atomicfile.DirPerm); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(run, "metrics.csv")
		table(t, m, path, -1, 1)
		for _, appendAgain := range []bool{true, false} {
			f, err := OpenCSV(m, path, columns, 1)
			if err != nil {
				t.Fatal(err)
			}
			m.Op = func(kind, _ string) error {
				if kind == c.kind {
					return c.fault
				}
				return nil
			}
			if err := f.Append(rowOf(2)); !errors.Is(err, ErrIO) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s %v: error %v", c.kind, c.fault, err)
			}
			m.Op = nil
			want := "step,epoch,loss\n1,0,1\n"
			if appendAgain {
				want += "2,0,0.5\n"
				if err := f.Append(rowOf(2)); err != nil {
					t.Errorf("%s %v: %v", c.kind, c.fault, err)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if got := string(m.Files[path].Data); got != want {
				t.Errorf("%s %v: %q, want %q", c.kind, c.fault, got, want)
			}
		}
	}
}

func TestARowIsDurableWhenAppendReturns(t *testing.T) {
	m := atomicfiletest.NewDisk()
	if err := m.MkdirAll(run, atomicfile.DirPerm); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run, "metrics.csv")
	f, err := OpenCSV(m, path, columns, -1)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Append(rowOf(4)); err != nil {
		t.Fatal(err)
	}
	after := m.AfterPowerFailure(atomicfiletest.NamesLost).Files[path]
	if after == nil || string(after.Data) != "step,epoch,loss\n4,0,0.25\n" {
		t.Errorf("after a power failure: %+v", after)
	}
}

func TestARowThatDoesNotFitIsRefused(t *testing.T) {
	f, err := OpenCSV(atomicfile.OS, filepath.Join(t.TempDir(), "x.csv"), columns, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Append([]string{"1"}); err == nil {
		t.Error("a row of one column")
	}
	if err := f.Append([]string{"1", "a\nb", "c"}); err == nil {
		t.Error("a line break")
	}
}

// FuzzRows: whatever a table holds, what is kept of it is its beginning, ends with a line and keeps
// all of itself when it is cut again.
func FuzzRows(f *testing.F) {
	f.Add([]byte("step,a\n1,2\n2,3\n"), int64(1))
	f.Add([]byte("step,a\n1,2\n2"), int64(9))
	f.Add([]byte("step,a\n\"1\",2\n\"2,3\n"), int64(9))
	f.Add([]byte("step,a\n-1,2\n99999999999999999999,3\n"), int64(9))
	f.Fuzz(func(t *testing.T, data []byte, step int64) {
		const start = len("step,a\n")
		if len(data) < start {
			return // TruncateCSV has compared the header
		}
		kept := keepRows(data, start, 2, 0, step)
		if !bytes.HasPrefix(data, kept) || len(kept) > start && kept[len(kept)-1] != '\n' {
			t.Fatalf("%q of %q", kept, data)
		}
		if again := keepRows(kept, start, 2, 0, step); len(again) != len(kept) {
			t.Fatalf("%q, and cut again %q", kept, again)
		}
	})
}
