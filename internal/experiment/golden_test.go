package experiment

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/weights"
	"resnet/internal/train"
)

// quiet is a Watcher that shows nothing.
type quiet struct{}

func (quiet) Begin()                         {}
func (quiet) Step(train.Progress)            {}
func (quiet) Eval(train.Row, train.Progress) {}
func (quiet) Message(train.Message)          {}
func (quiet) Line(string)                    {}
func (quiet) End()                           {}

// golden copies the run folder of an earlier version (commit 7e5835c, kernels in plain Go), which
// has a key under its old name and checkpoints without a record of how images are seen.
func golden(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "v1")
	if err := os.CopyFS(dir, os.DirFS("../../testdata/runs/v1")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// inPlainGo runs the rest of a test with the kernels in plain Go.
func inPlainGo(t *testing.T) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("plain Go rounds otherwise here: its compiler fuses multiply-adds")
	}
	before := kernel.Active()
	if err := kernel.Use("generic"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kernel.Use(before) })
}

func TestARunOfAnEarlierVersionResumesToTheBit(t *testing.T) {
	inPlainGo(t)
	dir := golden(t)
	for _, name := range []string{"step-000006.json", "step-000006.safetensors", "step-000006.state.safetensors"} {
		if err := os.Remove(filepath.Join(dir, "checkpoints", name)); err != nil {
			t.Fatal(err)
		}
	}
	l, changes, err := Continue(dir, config.Input{}, Allow{})
	if err != nil || len(changes) > 0 {
		t.Fatalf("changes %v (%v)", changes, err)
	}
	if l.Train.Optimizer.Decay != "weights" || len(l.Notes) != 1 {
		t.Errorf("the old name of a key: %q, notes %q", l.Train.Optimizer.Decay, l.Notes)
	}
	env := &Environment{Version: "test"}
	x, err := New(context.Background(), env, l, 2, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	sum, err := (&Training{Experiment: x, Dir: dir, Resume: true, Watcher: quiet{}}).Run(context.Background())
	if err != nil || sum.State.Step != 6 || sum.Saves == 0 {
		t.Fatalf("%+v (%v)", sum, err)
	}
	want := "../../testdata/runs/v1"
	for _, name := range []string{"step-000006.safetensors", "step-000006.state.safetensors"} {
		sameTensors(t, filepath.Join(dir, "checkpoints", name), filepath.Join(want, "checkpoints", name))
	}
	got, err1 := os.ReadFile(filepath.Join(dir, "metrics.csv"))
	old, err2 := os.ReadFile(filepath.Join(want, "metrics.csv"))
	if err1 != nil || err2 != nil || !bytes.Equal(got, old) {
		t.Errorf("metrics.csv (%v, %v):\n%s\nwant\n%s", err1, err2, got, old)
	}
}

func sameTensors(t *testing.T, path, want string) {
	t.Helper()
	ours, err := weights.ReadForeign(path)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := weights.ReadForeign(want)
	got, list := ours.Tensors, theirs.Tensors
	if err != nil || len(got) != len(list) {
		t.Fatalf("%d tensors, want %d (%v)", len(got), len(list), err)
	}
	for i, w := range list {
		if got[i].Name != w.Name || len(got[i].Data) != len(w.Data) {
			t.Fatalf("%s: %s, want %s", path, got[i].Name, w.Name)
		}
		for j := range w.Data {
			if math.Float32bits(got[i].Data[j]) != math.Float32bits(w.Data[j]) {
				t.Fatalf("%s: value %d of %s is %v, want %v", path, j, w.Name, got[i].Data[j], w.Data[j])
			}
		}
	}
}

// TestACheckpointOfAnEarlierVersionIsMeasuredAsBefore holds the figures that `resnet eval` of that
// version gave.
func TestACheckpointOfAnEarlierVersionIsMeasuredAsBefore(t *testing.T) {
	inPlainGo(t)
	for split, want := range map[datasets.Split]eval.Metrics{
		datasets.Test: {N: 1000, Top1Error: 89.6, Loss: 2.3052440444059017},
		datasets.Val:  {N: 100, Top1Error: 87, Loss: 2.296196497612408},
	} {
		m, err := Measure(context.Background(), &Environment{}, []string{golden(t)},
			MeasureOptions{Split: split, Batch: 250, Threads: 1, View: eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}})
		if err != nil {
			t.Fatal(err)
		}
		if r := m.Rows[0].Row; r.N != want.N || r.Top1Error != want.Top1Error || r.Loss != want.Loss {
			t.Errorf("%s: %+v, want %+v", split, r, want)
		}
	}
}
