package checkpoint

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

// saves are the situations whose save is interrupted: each prepares a folder and then saves a step.
var saves = []struct {
	name   string
	keep   int
	before []Snapshot
	save   Snapshot
	least  int64 // the step that must be loadable after any interruption; 0 means none need be
}{
	{"first", 3, nil, snapshot(10), 0},
	{"second", 3, []Snapshot{snapshot(10)}, snapshot(20), 10},
	{"with retention", 1, []Snapshot{snapshot(10)}, snapshot(20), 10},
	{"with retention and a best", 1, []Snapshot{withError(10, 5), withError(20, 9)}, withError(30, 9), 20},
	{"final, of the same data", 3, []Snapshot{snapshot(20)}, final(snapshot(20)), 20},
	{"of the same step and other data", 3, []Snapshot{snapshot(10), withOtherState(snapshot(20))}, snapshot(20), 20},
}

func final(s Snapshot) Snapshot { s.Final = true; return s }

// withOtherState changes only what checkLoaded does not look at.
func withOtherState(s Snapshot) Snapshot {
	s.StateMeta["other"] = "x"
	return s
}

// TestKillAtEveryOperationLosesNothing kills the process at the k-th operation of a save for every
// k, also in the middle of a write, and looks at the disk as the next process finds it: after the
// death of the process alone, and after a power failure of two kinds.
func TestKillAtEveryOperationLosesNothing(t *testing.T) {
	for _, c := range saves {
		t.Run(c.name, func(t *testing.T) {
			start := atomicfiletest.NewDisk()
			save(t, openMem(t, start, c.keep), c.before...)
			for k := 1; ; k++ {
				m := start.AfterKill()
				s := openMem(t, m, c.keep)
				n := 0
				m.Op = func(string, string) error {
					if n++; n == k {
						return atomicfiletest.ErrKilled
					}
					return nil
				}
				var err error
				dead := atomicfiletest.Killed(func() { _, err = s.Save(c.save) })
				if !dead && err != nil {
					t.Fatal(err)
				}
				for kind, disk := range map[string]*atomicfiletest.Disk{
					"kill":                          m.AfterKill(),
					"power failure":                 m.AfterPowerFailure(atomicfiletest.NamesLost),
					"power failure, names kept":     m.AfterPowerFailure(atomicfiletest.NamesKept),
					"power failure, last name kept": m.AfterPowerFailure(atomicfiletest.LastNameKept),
				} {
					least := c.least
					if !dead {
						least = c.save.Step // Save has promised
					}
					checkDisk(t, fmt.Sprintf("%s at operation %d", kind, k), disk, c.keep, least)
				}
				if !dead {
					if k < 10 {
						t.Fatalf("only %d operations: the faults miss the save", k)
					}
					return
				}
			}
		})
	}
}

// checkDisk opens the folder as the next process does and requires a sound checkpoint of at least a
// step, no leftovers, and that saving goes on.
func checkDisk(t *testing.T, what string, disk *atomicfiletest.Disk, keep int, least int64) {
	t.Helper()
	s := openMem(t, disk, keep)
	l, warnings, err := s.LoadLatest()
	switch {
	case errors.Is(err, ErrNotFound) && least == 0:
	case err != nil:
		t.Errorf("%s: %v", what, err)
	case len(warnings) > 0:
		t.Errorf("%s: a damaged checkpoint was left: %q", what, warnings)
	case l.Manifest.Step < least:
		t.Errorf("%s: step %d, want at least %d", what, l.Manifest.Step, least)
	default:
		checkLoaded(t, l, l.Manifest.Step)
	}
	if temps := disk.Temps(); len(temps) > 0 {
		t.Errorf("%s: %v left", what, temps)
	}
	list, problems, err := s.List()
	if err != nil || len(problems) > 0 {
		t.Errorf("%s: %v %v", what, err, problems)
	}
	if names, _ := disk.ReadDir(s.dir); len(names) != 3*len(list) {
		t.Errorf("%s: %d checkpoints, files %v", what, len(list), names)
	}
	save(t, s, snapshot(1000))
	if l, _, err := s.LoadLatest(); err != nil || l.Manifest.Step != 1000 {
		t.Errorf("%s: after the next save: %v", what, err)
	}
}

// TestAnErrorAtEveryOperationIsReportedAndLosesNothing fails the k-th operation of a save with each
// of the errors, once and for good. A save that reports success is durable; one that does not
// leaves every earlier checkpoint.
func TestAnErrorAtEveryOperationIsReportedAndLosesNothing(t *testing.T) {
	faults := []error{syscall.ENOSPC, syscall.EACCES, syscall.EROFS, syscall.EIO, syscall.EXDEV, atomicfiletest.ErrShort}
	for _, c := range saves {
		for _, fault := range faults {
			for _, forGood := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/for good %v", c.name, fault, forGood), func(t *testing.T) {
					start := atomicfiletest.NewDisk()
					save(t, openMem(t, start, c.keep), c.before...)
					failAtEvery(t, start, c.keep, c.save, c.least, fault, forGood)
				})
			}
		}
	}
}

func failAtEvery(t *testing.T, start *atomicfiletest.Disk, keep int, snap Snapshot, least int64, fault error, forGood bool) {
	t.Helper()
	reported := 0
	for k := 1; ; k++ {
		m := start.AfterKill()
		s := openMem(t, m, keep)
		n, hit := 0, ""
		m.Op = func(kind, path string) error {
			n++
			if errors.Is(fault, atomicfiletest.ErrShort) && kind != "write" {
				return nil
			}
			if n >= k && (hit == "" || forGood) {
				hit = kind + " " + path
				return fault
			}
			return nil
		}
		saved, err := s.Save(snap)
		m.Op = nil
		what := fmt.Sprintf("%v at operation %d (%s)", fault, k, hit)
		if err != nil {
			reported++
			if !errors.Is(err, ErrIO) || !errors.Is(err, ErrVersion) && !strings.Contains(err.Error(), "step") {
				t.Errorf("%s: error %v is no ErrIO that names the checkpoint", what, err)
			}
			if errors.Is(fault, syscall.ENOSPC) && (!errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "bytes")) {
				t.Errorf("%s: error %v does not say how much is needed", what, err)
			}
			if list, _, err := s.List(); err == nil && !forGood { // the space is given back at once
				if names, _ := m.ReadDir(s.dir); len(names) != 3*len(list) {
					t.Errorf("%s: %d checkpoints, files %v", what, len(list), names)
				}
			}
			checkDisk(t, what+", killed", m.AfterKill(), keep, least)
			checkDisk(t, what+", power lost", m.AfterPowerFailure(atomicfiletest.NamesLost), keep, least)
		} else {
			if saved.Manifest.Step != snap.Step {
				t.Errorf("%s: saved step %d", what, saved.Manifest.Step)
			}
			checkDisk(t, what+", saved", m.AfterPowerFailure(atomicfiletest.NamesLost), keep, snap.Step)
		}
		if hit == "" {
			if reported == 0 {
				t.Error("no fault was ever reported")
			}
			return
		}
	}
}

// TestEveryFailedSyncIsAFailedSave: the kernel forgets a failed sync, so the first report is the
// only one.
func TestEveryFailedSyncIsAFailedSave(t *testing.T) {
	for _, kind := range []string{"sync", "syncdir", "close"} {
		for k := 1; k <= 3; k++ {
			m := atomicfiletest.NewDisk()
			s := openMem(t, m, 3)
			n := 0
			m.Op = func(op, _ string) error {
				if op == kind {
					if n++; n == k {
						return syscall.EIO
					}
				}
				return nil
			}
			_, err := s.Save(snapshot(1))
			if n >= k && (!errors.Is(err, ErrIO) || !errors.Is(err, syscall.EIO)) {
				t.Errorf("%s %d failed, Save said %v", kind, k, err)
			}
			if want := map[string]int{"sync": 3, "syncdir": 2, "close": 3}[kind]; k <= want && n < k {
				t.Errorf("a save makes fewer than %d calls of %s", want, kind)
			}
		}
	}
}

func TestTemporaryFilesAreBesideTheirTargets(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 3)
	m.Log = nil
	save(t, s, snapshot(1))
	created, renamed := 0, 0
	for _, l := range m.Log {
		kind, path, _ := strings.Cut(l, " ")
		switch kind {
		case "create":
			created++
			if filepath.Dir(path) != s.dir || !atomicfile.IsTemp(filepath.Base(path), Kind) {
				t.Errorf("created %s", path)
			}
		case "rename":
			renamed++
		}
	}
	if created != 3 || renamed != 3 {
		t.Errorf("%d created, %d renamed, want 3 and 3", created, renamed)
	}
}

func TestTooLittleSpaceIsToldBeforeWriting(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 3)
	save(t, s, snapshot(1))
	m.FreeBytes, m.FreeKnown = 1000, true
	m.Log = nil
	_, err := s.Save(snapshot(2))
	if !errors.Is(err, ErrIO) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "1000 are free") || !strings.Contains(err.Error(), "needs ") {
		t.Errorf("error %v", err)
	}
	for _, l := range m.Log {
		if strings.HasPrefix(l, "create ") {
			t.Errorf("%s in spite of it", l)
		}
	}
	m.FreeBytes = 1 << 20
	save(t, s, snapshot(2))
}

func TestAnOldCheckpointThatCannotBeRemovedIsAWarning(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 1)
	save(t, s, snapshot(1))
	m.Op = func(kind, path string) error {
		if kind == "remove" {
			return syscall.EACCES
		}
		return nil
	}
	saved, err := s.Save(snapshot(2))
	if err != nil || len(saved.Warnings) != 1 || len(saved.Removed) != 0 {
		t.Errorf("saved %+v (%v), want one warning", saved, err)
	}
}

// TestLeftoversAreSweptAndNothingElse: a file that Open does not know is not its to remove.
func TestLeftoversAreSweptAndNothingElse(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 0)
	save(t, s, snapshot(1), snapshot(2), snapshot(3))
	put := func(path string) { m.Files[path] = &atomicfiletest.Content{Data: []byte("x"), Synced: []byte("x")} }
	keep := []string{
		s.dir + "/notes.txt", s.dir + "/step-7.safetensors", s.dir + "/model.safetensors", run + "/config.yaml",
		// A report that is being written.
		run + "/.tmp-0123456789abcdef", run + "/.report.html.tmp-report-17-0123abcd",
		s.dir + "/step-000002.safetensors", s.dir + "/step-000002.state.safetensors", s.dir + "/step-000002.json",
	}
	gone := []string{
		s.dir + "/.tmp-step-000009.safetensors", run + "/.tmp-metrics.csv", // of former versions
		s.dir + "/.step-000009.json.tmp-run-17-0123abcd", run + "/.metrics.csv.tmp-run-17-0123abcd",
		s.dir + "/step-000009.safetensors", s.dir + "/step-000009.state.safetensors", s.dir + "/step-000001-2.safetensors",
		s.dir + "/step-000003.json", s.dir + "/step-000003.state.safetensors",
	}
	for _, p := range append(keep[:6:6], gone[:7]...) {
		put(p)
	}
	// A manifest with one wrong byte does not cost its weights.
	m.Files[keep[8]].Data[3] ^= 1
	delete(m.Files, s.dir+"/step-000003.safetensors") // nothing to load here
	s = openMem(t, m, 0)
	for _, p := range keep {
		if m.Files[p] == nil {
			t.Errorf("%s was removed", p)
		}
	}
	for _, p := range gone {
		if m.Files[p] != nil {
			t.Errorf("%s is still there", p)
		}
	}
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "step-000009.safetensors") {
		t.Errorf("notes %q", s.Notes)
	}
}
