package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// divergedFile records in a run folder that its loss did not stay finite, so that the next start does not train it again.
const divergedFile = "diverged.txt"

// printComparisonPlan says on standard error what there is to do. The time is that of real steps, measured once for each network.
func (a *app) printComparisonPlan(ctx context.Context, o *compareOptions, runs []*comparedRun) error {
	step := map[string]float64{} // seconds, by model
	total := 0.
	for _, r := range runs {
		if r.done || r.diverged != "" {
			continue
		}
		if _, ok := step[r.Model()]; !ok {
			p, err := a.makePlan(ctx, r.job)
			if err != nil {
				return err
			}
			if err := checkMemory(p.MemoryBytes, 0, r.job.Train.Batch); err != nil {
				return err
			}
			step[r.Model()] = p.SecondsPerStep
		}
		r.cost = step[r.Model()] * float64(r.job.plan.Iterations-r.step)
		total += r.cost
	}
	tw := tabwriter.NewWriter(a.err, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "run\tparameters\tsteps\tstate\tabout")
	for _, r := range runs {
		state, left := "to do", duration(seconds(r.cost))
		switch {
		case r.diverged != "":
			state, left = "diverged", ""
		case r.done:
			state, left = "done", ""
		case r.step > 0:
			state = "saved at step " + grouped(r.step)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Name(), grouped(r.job.spec.Params), grouped(r.job.plan.Iterations), state, left)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if total > 0 {
		a.say("About %s on this machine (%s), evaluations not counted. Everything is kept in %s.",
			duration(seconds(total)), count(runs[0].job.threads, "thread"), o.out)
	}
	return nil
}

// trainCompared trains or continues one run. Divergence is recorded and no error.
func (a *app) trainCompared(ctx context.Context, r *comparedRun, control *train.Control, w *watcher) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return &ioError{err}
	}
	t := &training{a: a, j: r.job, dir: r.dir, label: r.Name(), resume: holdsRun(r.dir), control: control,
		hello: fmt.Sprintf("%s: %s steps of %d images", r.Name(), grouped(r.job.plan.Iterations), r.job.plan.ImagesPerStep())}
	sum, err := t.run(ctx)
	var nonfinite *train.NonFiniteError
	switch {
	case errors.Is(err, train.ErrStopped):
		a.say("Saved step %s of %s. To go on, give the same command again.", grouped(sum.State.Step), r.Name())
		return &silentError{&stoppedError{w.status()}}
	case errors.As(err, &nonfinite):
		r.diverged = err.Error()
		a.say("%s: %v", r.Name(), err)
		return checkpoint.WriteFileAtomic(checkpoint.OS, filepath.Join(r.dir, divergedFile), []byte(r.diverged+"\n"), 0o644)
	case err != nil:
		return err
	}
	a.reportRun(r.dir, r.job, sum)
	return nil
}
