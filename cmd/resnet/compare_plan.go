package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"resnet/internal/datasets"
	"resnet/internal/train/compare"
)

// comparisonPlan is `compare --dry-run --json`.
type comparisonPlan struct {
	Out          string       `json:"out"`
	Threads      int          `json:"threads"`  // of each run
	Parallel     int          `json:"parallel"` // runs at a time
	Runs         []plannedRun `json:"runs"`
	SecondsTotal float64      `json:"seconds_total"`
}

// plannedRun is a run of a comparison and what is left of it.
type plannedRun struct {
	Name      string  `json:"name"`
	Model     string  `json:"model"`
	Depth     int     `json:"depth"`
	Residual  bool    `json:"residual"`
	Seed      uint64  `json:"seed"`
	Params    int64   `json:"params"`
	Steps     int     `json:"steps"`
	StepsDone int     `json:"steps_done"`
	State     string  `json:"state"` // to do | saved | done | diverged
	Seconds   float64 `json:"seconds"`
}

// planComparison estimates what is left of each run. The time is that of real steps and of the
// evaluation of a batch, measured once for each network. Runs that train at the same time share the
// cores, so that the sum is divided among them.
func (a *app) planComparison(ctx context.Context, o *compareOptions, runs []*comparedRun) (comparisonPlan, error) {
	plan := comparisonPlan{Out: o.out, Threads: runs[0].job.threads, Parallel: o.parallel}
	measured := map[string]planReport{} // by model
	var memory, costs []float64
	for _, r := range runs {
		p := plannedRun{Name: r.Name(), Model: r.Model(), Depth: r.Depth, Residual: r.Residual, Seed: r.Seed,
			Params: r.job.spec.Params, Steps: r.job.plan.Iterations, StepsDone: r.step, State: "to do"}
		switch {
		case r.diverged != "":
			p.State = "diverged"
		case r.done:
			p.State = "done"
		default:
			if r.step > 0 {
				p.State = "saved"
			}
			m, ok := measured[r.Model()]
			if !ok {
				var err error
				if m, err = a.makePlan(ctx, r.job); err != nil {
					return plan, err
				}
				measured[r.Model()] = m
			}
			p.Seconds = m.SecondsPerStep*float64(p.Steps-p.StepsDone) + m.SecondsPerEvaluation*float64(r.job.plan.Evaluations(p.StepsDone))
			memory, costs = append(memory, float64(m.MemoryBytes)), append(costs, p.Seconds)
		}
		plan.Runs = append(plan.Runs, p)
	}
	plan.SecondsTotal = makespan(costs, o.parallel)
	return plan, checkMemory(int64(largest(memory, o.parallel)), 0, runs[0].job.Train.Batch)
}

// makespan is how long jobs take when so many workers take one after another, in the order given.
func makespan(costs []float64, workers int) float64 {
	busy := make([]float64, max(workers, 1))
	for _, c := range costs {
		i := slices.Index(busy, slices.Min(busy))
		busy[i] += c
	}
	return slices.Max(busy)
}

// largest is the sum of the n largest values.
func largest(values []float64, n int) float64 {
	slices.Sort(values)
	sum := 0.
	for _, v := range values[max(0, len(values)-n):] {
		sum += v
	}
	return sum
}

// printComparisonPlan says on standard error what there is to do.
func (a *app) printComparisonPlan(p comparisonPlan) error {
	tw := tabwriter.NewWriter(a.err, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "run\tparameters\tsteps\tstate\tabout")
	for _, r := range p.Runs {
		state, left := r.State, ""
		if state == "saved" {
			state = "saved at step " + grouped(r.StepsDone)
		}
		if r.Seconds > 0 {
			left = duration(seconds(r.Seconds))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Name, grouped(r.Params), grouped(r.Steps), state, left)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if p.SecondsTotal > 0 {
		how := count(p.Threads, "thread")
		if p.Parallel > 1 {
			how = fmt.Sprintf("%d runs at a time, %s each", p.Parallel, how)
		}
		a.say("About %s on this machine (%s), evaluations included. Everything is kept in %s.", duration(seconds(p.SecondsTotal)), how, p.Out)
	}
	return nil
}

// chosen are the keys of the configuration that a comparison sets itself, and the flag that says
// how.
var chosen = map[string]string{"model.name": "--depths", "model.family": "--depths", "model.depth": "--depths", "model.residual": "", "train.seed": "--seeds"}

// checkSets refuses --set of what the comparison chooses: it would be overridden without a word.
func (o *compareOptions) checkSets() error {
	for _, s := range o.sets {
		key, _, _ := strings.Cut(s, "=")
		flag, ok := chosen[key]
		switch {
		case ok && flag == "":
			return usageErrorf("--set %s: the comparison chooses it", key)
		case ok:
			return usageErrorf("--set %s: the comparison chooses it: use %s", key, flag)
		}
	}
	return nil
}

// netsOf plans the trainings of a comparison from its flags. On speech the networks are the
// preset's row and its plain counterpart.
func (o *compareOptions) netsOf(a *app, name string, plan func([]int, []uint64) ([]compare.Net, error)) ([]compare.Net, error) {
	if err := o.checkSets(); err != nil {
		return nil, err
	}
	var seeds []uint64
	for _, s := range o.seeds {
		seeds = append(seeds, uint64(s))
	}
	l, err := loadConfig(configInput{file: o.file, env: a.env, sets: o.sets})
	if err != nil {
		return nil, err
	}
	if o.speech = datasets.IsSpeech(l.Data.Name); o.speech {
		if name != "plain-vs-residual" {
			return nil, usageErrorf("compare %s: networks of speech have no depths to compare: `resnet compare plain-vs-residual`, or `compare runs` on trainings of your own", name)
		}
		row := strings.TrimSuffix(l.Model.Name, "-plain")
		plan = func(_ []int, seeds []uint64) ([]compare.Net, error) { return compare.Rows(row+"-plain", row, seeds) }
	}
	nets, err := plan(o.depths, seeds)
	if err != nil {
		return nil, &usageError{err}
	}
	return nets, nil
}
