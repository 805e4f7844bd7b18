package experiment

import (
	"fmt"
	"math"
	"path/filepath"
	"runtime/debug"

	"resnet/internal/atomicfile"
	"resnet/internal/config"
	"resnet/internal/graph"
	"resnet/internal/system"
	"resnet/internal/text"
)

// CheckLeastMemory refuses a training that cannot fit, before anything is made. limit is as in
// Training.Memory.
func (x *Experiment) CheckLeastMemory(limit int64) error {
	need, err := x.data.leastMemory()
	if err != nil {
		return err
	}
	return checkMemory(need, limit, x.Train.Batch)
}

// checkMemory refuses what does not fit into limit bytes; 0 means GOMEMLIMIT, or else what the
// machine has free.
func checkMemory(need, limit int64, batch int) error {
	source := "--max-memory"
	if limit <= 0 {
		limit, source = debug.SetMemoryLimit(-1), "GOMEMLIMIT"
		if limit == math.MaxInt64 {
			limit, source = system.Read().Available(), "the free memory"
		}
	}
	if limit > 0 && need > limit {
		return config.Usagef("train.batch: a batch of %d needs at least %s of memory, and %s is %s: lower train.batch (train.accumulate keeps the batch of an update)",
			batch, text.Bytes(need), source, text.Bytes(limit))
	}
	return nil
}

// values counts the parameters' values, those that are trained, and what the optimizer keeps of
// them.
func (x *Experiment) values(params *graph.ParamSet) (all, trainable, kept int64) {
	for _, p := range params.All() {
		all += int64(len(p.Data))
		if p.Trainable() {
			trainable += int64(len(p.Data))
		}
	}
	return all, trainable, x.Train.Optimizer.StateValues(trainable)
}

// checkpointBytes is the size of a checkpoint without its metadata.
func (x *Experiment) checkpointBytes(params *graph.ParamSet) int64 {
	all, _, kept := x.values(params)
	return 4 * (all + kept)
}

// checkSpace asks for room for two checkpoints before the work starts: the one being written and
// the one it replaces. A folder that is not there yet stands for the nearest one above it.
func (x *Experiment) checkSpace(fsys atomicfile.FS, dir string, params *graph.ParamSet) error {
	need := 2 * (x.checkpointBytes(params) + 1<<20)
	at := dir
	free, known := fsys.Free(at)
	for !known && filepath.Dir(at) != at {
		at = filepath.Dir(at)
		free, known = fsys.Free(at)
	}
	if known && free < uint64(need) {
		return &IOError{fmt.Errorf("%s: two checkpoints need %s, and %s are free: make room or choose another --run",
			dir, text.Bytes(need), text.Bytes(int64(free)))}
	}
	return nil
}
