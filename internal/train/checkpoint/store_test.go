package checkpoint

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/graph/weights"
)

const run = "runs/a"

// snapshot is a small checkpoint whose tensors depend on its step.
func snapshot(step int64) Snapshot {
	v := float32(step)
	return Snapshot{
		Step: step, Epoch: step / 10, ConfigDigest: "sha256:0123",
		Model:     []weights.Tensor{{Name: "fc.weight", Shape: []int{1, 2}, Data: []float32{v, v + 0.5}}},
		ModelMeta: weights.Meta{Arch: "{}", Step: step, Preprocessing: `{"kind":"none"}`}.Encode(),
		State:     []weights.Tensor{{Name: "momentum.fc.weight", Shape: []int{1, 2}, Data: []float32{-v, v}}},
		StateMeta: map[string]string{"cursor": fmt.Sprint(step)},
	}
}

func withError(step int64, percent float64) Snapshot {
	s := snapshot(step)
	s.Metrics = map[string]float64{MetricValidationError: percent}
	return s
}

// openMem opens a store on a file system in memory, without a lock, as a process would.
func openMem(t *testing.T, m *atomicfiletest.Disk, keep int) *Store {
	t.Helper()
	s, err := tryOpenMem(m, keep)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryOpenMem(m *atomicfiletest.Disk, keep int) (*Store, error) {
	s := View(run, m)
	s.opts = Options{Keep: keep, Producer: "resnet v0.1.0", FS: m}
	if err := m.MkdirAll(run, atomicfile.DirPerm); err != nil {
		return nil, err
	}
	return s, s.prepare()
}

func save(t *testing.T, s *Store, snaps ...Snapshot) {
	t.Helper()
	for _, snap := range snaps {
		saved, err := s.Save(snap)
		if err != nil {
			t.Fatal(err)
		}
		if len(saved.Warnings) > 0 {
			t.Fatalf("warnings %q", saved.Warnings)
		}
	}
}

func steps(t *testing.T, s *Store) []int64 {
	t.Helper()
	list, problems, err := s.List()
	if err != nil || len(problems) > 0 {
		t.Fatalf("list: %v %v", err, problems)
	}
	var n []int64
	for _, m := range list {
		n = append(n, m.Step)
	}
	return n
}

// checkLoaded requires the tensors and metadata of snapshot(step).
func checkLoaded(t *testing.T, l *Loaded, step int64) {
	t.Helper()
	want := snapshot(step)
	model, err := l.Model.Float32("fc.weight")
	if err != nil || !slices.Equal(model, want.Model[0].Data) {
		t.Errorf("step %d: weights %v (%v), want %v", step, model, err, want.Model[0].Data)
	}
	state, err := l.State.Float32("momentum.fc.weight")
	if err != nil || !slices.Equal(state, want.State[0].Data) {
		t.Errorf("step %d: momentum %v (%v), want %v", step, state, err, want.State[0].Data)
	}
	if l.Manifest.Step != step || l.State.Meta["cursor"] != fmt.Sprint(step) || l.Manifest.ConfigDigest != want.ConfigDigest || l.Manifest.Epoch != want.Epoch {
		t.Errorf("step %d: manifest %+v, cursor %q", step, l.Manifest, l.State.Meta["cursor"])
	}
}

func TestACheckpointComesBackWhole(t *testing.T) {
	s := openMem(t, atomicfiletest.NewDisk(), 3)
	want := snapshot(123)
	want.Final = true
	save(t, s, want)
	for _, path := range []string{"step-000123.safetensors", "step-000123.state.safetensors", "step-000123.json"} {
		if s.fs.(*atomicfiletest.Disk).Files[filepath.Join(run, "checkpoints", path)] == nil {
			t.Errorf("%s is not there", path)
		}
	}
	l, err := s.Load(123)
	if err != nil {
		t.Fatal(err)
	}
	checkLoaded(t, l, 123)
	if !l.Manifest.Final || l.Manifest.Producer != "resnet v0.1.0" {
		t.Errorf("manifest %+v", l.Manifest)
	}
	if _, err := s.Load(124); !errors.Is(err, ErrNotFound) {
		t.Errorf("a step that is not there: %v", err)
	}
}

func TestTheSameSnapshotGivesTheSameBytes(t *testing.T) {
	a, b := atomicfiletest.NewDisk(), atomicfiletest.NewDisk()
	save(t, openMem(t, a, 0), snapshot(5))
	s := openMem(t, b, 2) // another history, other retention
	save(t, s, snapshot(1), snapshot(2), snapshot(5))
	for _, name := range []string{"step-000005.safetensors", "step-000005.state.safetensors", "step-000005.json"} {
		path := filepath.Join(run, "checkpoints", name)
		if string(a.Files[path].Data) != string(b.Files[path].Data) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestNewestIsByNumberNotByName(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 0)
	save(t, s, snapshot(10_000_000), snapshot(999_999), snapshot(9), snapshot(1_000_000))
	if got := steps(t, s); !slices.Equal(got, []int64{9, 999_999, 1_000_000, 10_000_000}) {
		t.Errorf("steps %v", got)
	}
	latest, err := s.Latest()
	if err != nil || latest.Step != 10_000_000 {
		t.Errorf("latest %d (%v)", latest.Step, err)
	}
	// The number is the manifest's: names that a copy or a user has changed do not matter.
	dir := filepath.Join(run, "checkpoints")
	if err := m.Rename(filepath.Join(dir, "step-000009.json"), filepath.Join(dir, "step-99999999.json")); err != nil {
		t.Fatal(err)
	}
	if latest, err := s.Latest(); err != nil || latest.Step != 10_000_000 {
		t.Errorf("latest %d (%v) after renaming the manifest of step 9", latest.Step, err)
	}
	l, warnings, err := s.LoadLatest()
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	checkLoaded(t, l, 10_000_000)
}

func TestRetentionKeepsTheNewestAndTheBest(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 2)
	for i, percent := range []float64{50, 20, 30, 40, 35, 20} {
		save(t, s, withError(int64(i+1)*100, percent))
	}
	if got := steps(t, s); !slices.Equal(got, []int64{200, 500, 600}) {
		t.Errorf("kept %v, want the best and the two newest", got)
	}
	if best, err := s.Best(); err != nil || best.Step != 200 {
		t.Errorf("best %d (%v), want the earliest of equals", best.Step, err)
	}
	if names, _ := m.ReadDir(filepath.Join(run, "checkpoints")); len(names) != 9 {
		t.Errorf("files left: %v", names)
	}
}

// TestTheCheckpointJustSavedIsNeverRemoved: after a fallback from a damaged checkpoint, the newest
// by number is not it.
func TestTheCheckpointJustSavedIsNeverRemoved(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 1)
	save(t, s, withError(200, 1))
	m.Files[filepath.Join(s.dir, "step-000200.safetensors")].Data[9] ^= 1
	save(t, s, snapshot(150))
	l, warnings, err := s.LoadLatest()
	if err != nil || len(warnings) != 1 {
		t.Fatalf("%v, warnings %q", err, warnings)
	}
	checkLoaded(t, l, 150)
}

func TestWithoutAValidationErrorTheBestIsTheLast(t *testing.T) {
	s := openMem(t, atomicfiletest.NewDisk(), 1)
	for i, percent := range []float64{1, 99} {
		snap := snapshot(int64(i + 1))
		snap.Metrics = map[string]float64{"test_error": percent}
		save(t, s, snap)
	}
	if best, err := s.Best(); err != nil || best.Step != 2 {
		t.Errorf("best %d (%v): the test set must not choose", best.Step, err)
	}
	if got := steps(t, s); !slices.Equal(got, []int64{2}) {
		t.Errorf("kept %v", got)
	}
}

func TestNoCheckpointIsToldApartFromDamage(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 0)
	if _, _, err := s.LoadLatest(); !errors.Is(err, ErrNotFound) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := View("runs/none", m).Best(); !errors.Is(err, ErrNotFound) {
		t.Errorf("no folder: %v", err)
	}
	save(t, s, snapshot(1))
	m.Files[filepath.Join(run, "checkpoints", "step-000001.safetensors")].Data[9] ^= 1
	if _, _, err := s.LoadLatest(); !errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNotFound) {
		t.Errorf("the only checkpoint damaged: %v", err)
	}
}

// TestSavingAStepAgain covers the three cases: the same data, other data, damaged data.
func TestSavingAStepAgain(t *testing.T) {
	model := filepath.Join(run, "checkpoints", "step-000001.safetensors")
	t.Run("same data, now final", func(t *testing.T) {
		m := atomicfiletest.NewDisk()
		s := openMem(t, m, 0)
		save(t, s, snapshot(1))
		before := m.Files[model]
		again := snapshot(1)
		again.Final = true
		save(t, s, again)
		l, err := s.Load(1)
		if err != nil || !l.Manifest.Final || m.Files[model] != before || len(m.Temps()) > 0 {
			t.Errorf("final %v (%v), files rewritten: %v, left: %v", l.Manifest.Final, err, m.Files[model] != before, m.Temps())
		}
	})
	t.Run("other data", func(t *testing.T) {
		m := atomicfiletest.NewDisk()
		s := openMem(t, m, 0)
		save(t, s, snapshot(1))
		for _, v := range []float32{7, 8, 9} { // alternates between two names
			again := snapshot(1)
			again.Model[0].Data = []float32{v, v}
			save(t, s, again)
			l, err := s.Load(1)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := l.Model.Float32("fc.weight"); err != nil || got[0] != v {
				t.Errorf("weights %v (%v), want %v", got, err, v)
			}
			if names, _ := m.ReadDir(filepath.Join(run, "checkpoints")); len(names) != 3 {
				t.Errorf("files %v, want one checkpoint's", names)
			}
		}
	})
	t.Run("damaged data", func(t *testing.T) {
		m := atomicfiletest.NewDisk()
		s := openMem(t, m, 0)
		save(t, s, snapshot(1))
		m.Files[model].Data[20] ^= 4
		save(t, s, snapshot(1))
		l, err := s.Load(1)
		if err != nil {
			t.Fatal(err)
		}
		checkLoaded(t, l, 1)
	})
}

func TestWhatCannotBeSavedIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	m := atomicfiletest.NewDisk()
	s := openMem(t, m, 0)
	m.Log = nil
	bad := map[string]Snapshot{"negative step": snapshot(-1), "NaN": withError(1, math.NaN()), "infinity": withError(1, math.Inf(1))}
	shape := snapshot(1)
	shape.Model[0].Shape = []int{3}
	bad["wrong shape"] = shape
	for name, snap := range bad {
		if _, err := s.Save(snap); err == nil || errors.Is(err, ErrIO) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if len(m.Log) > 0 {
		t.Errorf("operations %q", m.Log)
	}
	if _, err := View(run, m).Save(snapshot(1)); err == nil {
		t.Error("a view was written to")
	}
}
