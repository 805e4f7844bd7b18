package experiment

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/train"
)

// TestATrainingAsksForRoomForTwoCheckpoints counts them by hand: resnet20 has 269,722 parameters,
// and a running mean and variance for each of 688 channels.
func TestATrainingAsksForRoomForTwoCheckpoints(t *testing.T) {
	spec, err := blocks.Lookup("resnet20")
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(1)
	if _, err := blocks.Build(spec, 1, graph.Train, params); err != nil {
		t.Fatal(err)
	}
	const weights, statistics = 269_722, 1376
	for name, kept := range map[string]int{train.OptimizerSGD: 1, train.OptimizerAdam: 2} {
		x := &Experiment{Loaded: loadText(t, "model: {name: resnet20}\ndata: {name: cifar10}\n")}
		x.Train.Optimizer.Name, x.Train.Optimizer.Momentum = name, 0.9
		need := uint64(2 * (4*(weights+statistics+kept*weights) + 1<<20))
		d := atomicfiletest.NewDisk()
		d.FreeKnown = true
		for free, fits := range map[uint64]bool{need: true, need - 1: false, 0: false} {
			d.FreeBytes = free
			if err := x.checkSpace(d, "/runs/x", params); (err == nil) != fits || err != nil && !strings.Contains(err.Error(), "/runs/x: two checkpoints need ") {
				t.Errorf("%s, %d of %d bytes: %v", name, free, need, err)
			}
		}
		d.FreeBytes = 0
		var io *IOError
		if err := x.checkSpace(d, "/runs/x", params); !errors.As(err, &io) {
			t.Errorf("%v is no IOError", err)
		}
	}
	if err := (&Experiment{Loaded: loadText(t, "model: {name: resnet20}\n")}).checkSpace(unknown{atomicfiletest.NewDisk()}, "/runs/x", params); err != nil {
		t.Errorf("where it cannot be told: %v", err)
	}
}

// unknown is a file system that does not say how much is free.
type unknown struct{ atomicfile.FS }

func (unknown) Free(string) (uint64, bool) { return 0, false }

// above is a file system that knows what is free in one folder alone.
type above struct {
	atomicfile.FS
	dir string
}

func (a above) Free(dir string) (uint64, bool) { return 0, dir == a.dir }

func TestAFolderThatIsNotThereYetStandsForTheOneAbove(t *testing.T) {
	x := &Experiment{Loaded: loadText(t, "model: {name: resnet20}\n")}
	for dir, fails := range map[string]bool{"/runs": true, "/": true, "/runs/x": true, "/elsewhere": false} {
		if err := x.checkSpace(above{atomicfiletest.NewDisk(), dir}, "/runs/x", graph.NewParamSet(1)); (err != nil) != fails {
			t.Errorf("%s is full: %v", dir, err)
		}
	}
}

// TestATrainingWithoutRoomDoesNotStart: both a dry run and a training ask.
func TestATrainingWithoutRoomDoesNotStart(t *testing.T) {
	l := loadText(t, "model: {family: cifar, depth: 8, residual: true}\ndata: {name: fashion-sample, downsample: 4, limit: 8}\n"+
		"train: {batch: 4, iterations: 1, schedule: {rate: 0.01}}\n")
	x, err := New(t.Context(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	full := &Training{Experiment: x, Dir: dir, disk: above{atomicfiletest.NewDisk(), dir}}
	var io *IOError
	if _, err := full.Estimate(t.Context()); !errors.As(err, &io) || !strings.Contains(err.Error(), "two checkpoints need") {
		t.Errorf("dry run: %v", err)
	}
	if _, err := full.Run(t.Context()); !errors.As(err, &io) || !strings.Contains(err.Error(), "two checkpoints need") {
		t.Errorf("training: %v", err)
	}
	if HoldsRun(dir) {
		t.Error("something was written")
	}
}
