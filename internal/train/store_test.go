package train

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/train/checkpoint"
)

// runInFolder runs the toy in a run folder with real checkpoints, resuming when there are some.
func runInFolder(t *testing.T, dir string, stopAt int) (Summary, error) {
	t.Helper()
	cfg := toyConfig()
	cfg.Schedule.Warmup = Warmup{Rate: 0.005, Until: Until{TrainErrorBelow: 60, Window: 4}}
	r := newToy(t, cfg, eval.Config{Every: 6}, dir)
	cs, err := checkpoint.Open(dir, checkpoint.Options{Keep: 2, Producer: "resnet test"})
	must(t, err)
	defer cs.Close()
	r.o.Store = &RunStore{Checkpoints: cs, Meta: weights.Meta{Arch: "{}", Classes: []string{"a", "b", "c"}}, ConfigDigest: "x", BatchesPerEpoch: r.o.Plan.BatchesPerEpoch}
	c, _, err := cs.LoadLatest()
	if err == nil {
		r.o.Resume, err = LoadResume(c, r.params)
		must(t, err)
	} else if !errors.Is(err, checkpoint.ErrNotFound) {
		t.Fatal(err)
	}
	return r.stopAt(stopAt).run()
}

func TestRunFoldersOfStoppedAndUnstoppedRunsHoldTheSameBytes(t *testing.T) {
	whole := t.TempDir()
	_, err := runInFolder(t, whole, -1)
	must(t, err)
	latest := func(dir string) checkpoint.Manifest {
		m, err := checkpoint.View(dir, nil).Latest()
		must(t, err)
		// A stop at the last step has saved it once before its evaluation; the second save has
		// other file names.
		m.Model.File, m.State.File = "", ""
		return m
	}
	for _, stops := range [][]int{{1}, {6}, {5, 7, 23}, {0, 18, 22}} {
		dir := t.TempDir()
		for _, k := range stops {
			if _, err := runInFolder(t, dir, k); k < 23 && !errors.Is(err, ErrStopped) {
				t.Fatal(err)
			}
		}
		_, err := runInFolder(t, dir, -1)
		must(t, err)
		if readFile(t, dir, MetricsFile) != readFile(t, whole, MetricsFile) {
			t.Errorf("stopped at %v: %s differs", stops, MetricsFile)
		}
		// With the checksums of both data files.
		if d := cmp.Diff(latest(whole), latest(dir)); d != "" {
			t.Errorf("stopped at %v: %s", stops, d)
		}
	}
	s, err := runInFolder(t, whole, -1)
	if err != nil || !s.AlreadyFinished {
		t.Errorf("resuming the finished run: %+v, %v", s, err)
	}
}

func TestTheManifestNamesWhatChoosesTheBest(t *testing.T) {
	dir := t.TempDir()
	_, err := runInFolder(t, dir, -1)
	must(t, err)
	list, problems, err := checkpoint.View(dir, nil).List()
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	last := list[len(list)-1]
	var names []string
	for name := range last.Metrics {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"test_error", "test_loss", "test_top5_error", "train_error", "train_loss", checkpoint.MetricValidationError, "validation_loss", "validation_top5_error"}
	if !slices.Equal(names, want) || !last.Final || last.Epoch != 4 || last.Step != 23 {
		t.Errorf("%+v", last)
	}
}

func TestLoadResumeRefusesAnotherModelAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	_, err := runInFolder(t, dir, 3)
	if !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	c, _, err := checkpoint.View(dir, nil).LoadLatest()
	must(t, err)
	other := toyParams()
	other.Add(&graph.Param{Name: "fc2.bias", Shape: []int{1}, Kind: graph.KindBias, Data: []float32{1}})
	before := fmt.Sprint(other.Get("fc.weight").Data)
	if _, err := LoadResume(c, other); !errors.Is(err, weights.ErrMismatch) {
		t.Error(err)
	}
	if fmt.Sprint(other.Get("fc.weight").Data) != before {
		t.Error("the parameters were changed")
	}
}

// A folder that stops being one stands for a device that fails during the run.
func TestABrokenCheckpointFolderIsAnIOError(t *testing.T) {
	dir := t.TempDir()
	cfg := toyConfig()
	r := newToy(t, cfg, eval.Config{Every: 6}, dir)
	cs, err := checkpoint.Open(dir, checkpoint.Options{Producer: "resnet test"})
	must(t, err)
	defer cs.Close()
	r.o.Store = &RunStore{Checkpoints: cs}
	var saved []byte
	r.o.Hooks.OnStep = func(p Progress) {
		if p.Step == 8 {
			b, err := os.ReadFile(filepath.Join(dir, "checkpoints", "step-000006.safetensors"))
			must(t, err)
			saved = b
			must(t, os.Rename(filepath.Join(dir, "checkpoints"), filepath.Join(dir, "moved")))
			must(t, os.WriteFile(filepath.Join(dir, "checkpoints"), nil, 0o644))
		}
	}
	if _, err := r.run(); !errors.Is(err, checkpoint.ErrIO) {
		t.Errorf("%v is not an I/O error", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "moved", "step-000006.safetensors")); err != nil || !bytes.Equal(b, saved) {
		t.Error("the earlier checkpoint was changed")
	}
}

func TestATop5ErrorThatWasNotCountedIsLeftOutNotZero(t *testing.T) {
	five := 12.5
	few, many := &Metrics{Loss: 1, Error: 50}, &Metrics{Loss: 1, Error: 50, Top5Error: &five}
	cells := Row{Step: 1, Val: few, Test: many}.Fields()
	if cells[7] != "" || cells[10] != "12.5000" {
		t.Errorf("top-5 cells %q and %q, want an empty one and 12.5000", cells[7], cells[10])
	}
	m := manifestMetrics(&Evaluation{Val: few, Test: many})
	if _, there := m["validation_top5_error"]; there || m["test_top5_error"] != five {
		t.Errorf("manifest %v", m)
	}
}

func TestTheWeightsOfACheckpointSayTheirStep(t *testing.T) {
	dir := t.TempDir()
	if _, err := runInFolder(t, dir, 3); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	c, _, err := checkpoint.View(dir, nil).LoadLatest()
	must(t, err)
	meta, err := weights.DecodeMeta("x", c.Model.Meta)
	must(t, err)
	if meta.Step != 3 || meta.Arch != "{}" || !slices.Equal(meta.Classes, []string{"a", "b", "c"}) {
		t.Errorf("%+v", meta)
	}
	if c.Manifest.Step != 3 || c.Manifest.Epoch != 0 || c.Manifest.Final || c.Manifest.ConfigDigest != "x" {
		t.Errorf("%+v", c.Manifest)
	}
}
