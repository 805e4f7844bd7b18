package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// training is a job in a run folder.
type training struct {
	a       *app
	j       *job
	dir     string
	maxTime time.Duration
	memory  int64 // --max-memory; 0 means what is free
	resume  bool
	label   string // begins lines of progress
	noBar   bool   // lines of progress also on a terminal: several trainings share it
	hello   string // said when the work begins; "" says nothing
	control *train.Control
	onEval  func(train.Row) // may be nil
}

// run trains to the end, or until the control or the time says stop. The folder is locked
// meanwhile. What it returns besides an error is valid after a stop as well.
func (t *training) run(ctx context.Context) (train.Summary, error) {
	store, err := checkpoint.Open(t.dir, checkpoint.Options{Keep: t.j.Train.Checkpoint.Keep, Producer: "resnet " + readVersion().Version})
	if err != nil {
		return train.Summary{}, err
	}
	sum, err := t.runLocked(ctx, store)
	if closeErr := store.Close(); err == nil && closeErr != nil {
		t.a.say("warning: %v", closeErr)
	}
	return sum, err
}

func (t *training) runLocked(ctx context.Context, store *checkpoint.Store) (train.Summary, error) {
	a, j := t.a, t.j
	for _, note := range store.Notes {
		a.say("%s", note)
	}
	params := graph.NewParamSet(j.Train.Seed)
	trainer, err := a.newTrainer(j, params)
	if err != nil {
		return train.Summary{}, err
	}
	defer trainer.close()
	if err := checkMemory(trainer.bytes, t.memory, j.Train.Batch); err != nil {
		return train.Summary{}, err
	}
	evaluator, err := a.newEvaluator(j, params)
	if err != nil {
		return train.Summary{}, err
	}
	defer evaluator.close()
	if err := j.checkSpace(t.dir, params); err != nil {
		return train.Summary{}, err
	}
	resume, err := t.loadCheckpoint(store, params)
	if err != nil {
		return train.Summary{}, err
	}
	if err := j.Train.Optimizer.CheckFrozen(params); err != nil {
		return train.Summary{}, &usageError{err}
	}
	if resume == nil && j.Model.Weights != "" {
		if err := a.startFrom(j, params); err != nil {
			return train.Summary{}, err
		}
	}
	meta, err := j.meta()
	if err != nil {
		return train.Summary{}, err
	}
	if resume == nil || !resume.State.Finished || resume.State.Step < j.plan.Iterations { // a finished run keeps the records of what made it
		if err := a.writeRecords(t.dir, j); err != nil {
			return train.Summary{}, err
		}
		if t.hello != "" {
			a.say("%s", t.hello)
		}
	}
	bar := newProgress(a, t.label, j.plan.Iterations, !t.noBar)
	bar.unit = j.unit()
	defer bar.close()
	j.onSkip = func(id string, err error) { a.say("warning: %s is left out: %v", eval.Printable(id), err) } // on a goroutine of the loader
	return train.Run(ctx, train.Options{
		Plan: j.plan, Machine: trainer.machine, MachineFor: trainer.of, Params: params,
		Loader:   func(_ context.Context, epoch, batch int) (train.Loader, error) { return j.loader(epoch, batch) },
		Evaluate: evaluator.evaluate,
		Store: &train.RunStore{Checkpoints: store, Meta: meta, ConfigDigest: configDigest(&j.Config),
			BatchesPerEpoch: j.plan.BatchesPerEpoch, Warn: func(text string) { bar.line("warning: %s", text) }},
		Dir: t.dir,
		Hooks: train.Hooks{OnStep: bar.step, OnMessage: bar.message, OnEval: func(r train.Row, p train.Progress) {
			bar.eval(r, p)
			if t.onEval != nil {
				t.onEval(r)
			}
		}},
		BeforeBatch: trainer.beforeBatch,
		Resume:      resume, MaxTime: t.maxTime, Control: t.control,
	})
}

// machineFor builds and compiles the network of a job for batches of n images.
func (a *app) machineFor(j *job, n int, mode graph.Mode, params *graph.ParamSet) (graph.Machine, error) {
	g, err := j.graph(n, mode, params)
	if err != nil {
		return nil, err
	}
	return a.newMachine(g, params, j.threads)
}

// loadCheckpoint takes up the newest checkpoint that can be used, or nil at the start of a run.
func (t *training) loadCheckpoint(store *checkpoint.Store, params *graph.ParamSet) (*train.Resume, error) {
	if !t.resume {
		return nil, nil
	}
	c, warnings, err := store.LoadLatest()
	if errors.Is(err, checkpoint.ErrNotFound) {
		t.a.say("%s: no checkpoint yet: starting over", t.dir)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		t.a.say("warning: %s", w)
	}
	return train.LoadResume(c, params)
}

// checkSpace asks for room for two checkpoints before the work starts: the one being written and
// the one it replaces.
func (j *job) checkSpace(dir string, params *graph.ParamSet) error {
	var values int64
	for _, p := range params.All() {
		values += int64(len(p.Data))
		if p.Trainable() {
			values += j.Train.Optimizer.StateValues(int64(len(p.Data)))
		}
	}
	need := 2 * (4*values + 1<<20)
	free, known := atomicfile.OS.Free(dir)
	if known && free < uint64(need) {
		return &ioError{fmt.Errorf("%s: two checkpoints need %s, and %s are free: make room or choose another --run", dir, bytesText(need), bytesText(int64(free)))}
	}
	return nil
}

// finishRun says how a training ended, and turns its error into that of the command.
func (a *app) finishRun(dir string, sum train.Summary, err error, w *watcher) error {
	switch {
	case errors.Is(err, train.ErrStopped):
		a.say("Saved step %s. Continue: %s train --resume %s", grouped(sum.State.Step), a.self, shellQuote(dir))
		return &silentError{&stoppedError{w.status()}}
	case errors.Is(err, train.ErrMaxTime):
		a.say("The time allowed has passed. Saved step %s. Continue: %s train --resume %s", grouped(sum.State.Step), a.self, shellQuote(dir))
		return nil
	}
	return err
}
