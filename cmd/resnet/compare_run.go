package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"resnet/internal/atomicfile"
	"resnet/internal/train"
)

// divergedFile records in a run folder that its loss did not stay finite, so that the next start
// does not train it again.
const divergedFile = "diverged.txt"

// trainAll trains what is missing or unfinished, so many runs at a time, in the order of the plan.
// A failure asks the runs at work to save and stop, and is returned when they have. The control
// reaches all of them.
func (a *app) trainAll(ctx context.Context, o *compareOptions, runs []*comparedRun, control *train.Control, w *watcher) error {
	var todo []*comparedRun
	for _, r := range runs {
		if !r.done && r.diverged == "" {
			todo = append(todo, r)
		}
	}
	var (
		mu    sync.Mutex
		first error
		group sync.WaitGroup
	)
	next := func() *comparedRun {
		mu.Lock()
		defer mu.Unlock()
		if first != nil || len(todo) == 0 {
			return nil
		}
		r := todo[0]
		todo = todo[1:]
		return r
	}
	for range min(o.parallel, len(todo)) {
		group.Go(func() {
			for r := next(); r != nil; r = next() {
				err := a.trainCompared(ctx, r, o.parallel > 1, control)
				if err == nil {
					continue
				}
				mu.Lock()
				if first == nil || errors.Is(first, train.ErrStopped) { // what made the others stop says more
					first = err
				}
				mu.Unlock()
				control.Stop()
			}
		})
	}
	group.Wait()
	if errors.Is(first, train.ErrStopped) {
		a.say("To go on, give the same command again.")
		return &silentError{&stoppedError{w.status()}}
	}
	return first
}

// trainCompared trains or continues one run. Divergence is recorded and no error.
func (a *app) trainCompared(ctx context.Context, r *comparedRun, together bool, control *train.Control) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return &ioError{err}
	}
	t := &training{a: a, j: r.job, dir: r.dir, label: r.Name(), resume: holdsRun(r.dir), control: control, noBar: together,
		hello: fmt.Sprintf("%s: %s steps of %d images", r.Name(), grouped(r.job.plan.Iterations), r.job.plan.ImagesPerStep())}
	sum, err := t.run(ctx)
	var nonfinite *train.NonFiniteError
	switch {
	case errors.Is(err, train.ErrStopped):
		a.say("Saved step %s of %s.", grouped(sum.State.Step), r.Name())
		return err
	case errors.As(err, &nonfinite):
		r.diverged = err.Error()
		a.say("%s: %v", r.Name(), err)
		return atomicfile.WriteFile(atomicfile.OS, filepath.Join(r.dir, divergedFile), "compare", []byte(r.diverged+"\n"))
	case err != nil:
		return fmt.Errorf("%s: %w", r.Name(), err)
	}
	a.reportRun(r.dir, r.job, sum)
	return nil
}
