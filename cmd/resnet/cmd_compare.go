package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
	"resnet/internal/train/compare"
)

// compareOptions are the flags of compare's subcommands that train.
type compareOptions struct {
	configFlags
	out     string
	depths  []int
	seeds   []uint
	threads int
	// parallel is how many runs train at a time; each has its share of the threads.
	parallel int
	dryRun   bool
	json     bool
	terminal bool
	speech   bool // --depths mean nothing
}

const compareHelp = `Trains the networks that a comparison needs, each in a folder of its own within --out, and reports: curves, a table,
every measured point, and a sentence for each finding.

What is finished is not trained again, and what was interrupted goes on from its last checkpoint: after a stop of any kind, give the same
command. A run whose loss does not stay finite is recorded, reported as diverged, and the rest go on; delete its folder to try it
again. Folders made by ` + "`resnet train --run OUT/resnet56-seed1`" + ` with the same configuration count.`

func newCompareCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "compare", Short: "Compare networks: the degradation problem and its cure",
		Long:    "Compares networks over depths and seeds, or runs that are there already." + exitHelp(help65, help66, help73, help74, help130),
		Example: "  resnet compare plain-vs-residual --config quickstart --depths 8,14\n  resnet compare depth --config cifar-degradation --depths 20,110\n  resnet compare runs runs/a runs/b",
	}
	c.AddCommand(newCompareNetsCmd(a, "plain-vs-residual", "Plain and residual networks of several depths", compare.PlainVsResidual, []int{20, 56},
		"  resnet compare plain-vs-residual --config quickstart --depths 8,14\n"+
			"  resnet compare plain-vs-residual --config cifar-degradation --depths 20,56 --seeds 1,2,3 --out degradation\n"+
			"  resnet compare plain-vs-residual --depths 20,56 --dry-run\n"+
			"  resnet compare plain-vs-residual --config fsdd-wrbn --set data.dir=recordings"))
	c.AddCommand(newCompareNetsCmd(a, "depth", "Residual networks of several depths: does depth over-fit?", compare.Depth, []int{20, 110},
		"  resnet compare depth --config cifar-degradation --depths 20,110"))
	c.AddCommand(newCompareRunsCmd(a))
	return c
}

func newCompareNetsCmd(a *app, name, short string, plan func([]int, []uint64) ([]compare.Net, error), depths []int, example string) *cobra.Command {
	o := &compareOptions{}
	c := &cobra.Command{
		Use: name, Short: short, Long: compareHelp + exitHelp(help65, help66, help73, help74, help130), Example: example, Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error { return runCompare(c.Context(), a, o, name, plan) },
	}
	o.register(c)
	f := c.Flags()
	f.StringVar(&o.out, "out", "", "folder of the runs and the report (default compare-"+name+")")
	f.IntSliceVar(&o.depths, "depths", depths, "layers of the networks, 6n+2")
	f.UintSliceVar(&o.seeds, "seeds", []uint{1}, "a run of each network for each seed")
	f.IntVar(&o.threads, "threads", 0, "threads in all; the results do not depend on them (default all cores)")
	f.IntVar(&o.parallel, "parallel", 1, "runs that train at the same time, sharing the threads; changes no result")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the plan; train nothing")
	f.BoolVar(&o.terminal, "terminal", false, "draw the curves in the terminal, too")
	f.BoolVar(&o.json, "json", false, "print the findings (with --dry-run the plan) as JSON")
	_ = c.MarkFlagDirname("out")
	return c
}

// comparedRun is a training of a comparison and how far it is.
type comparedRun struct {
	compare.Net
	job  *job
	dir  string
	step int // of the newest complete checkpoint
	done bool
	// diverged says why the run has no end, from its record.
	diverged string
}

func runCompare(ctx context.Context, a *app, o *compareOptions, name string, plan func([]int, []uint64) ([]compare.Net, error)) error {
	if o.threads < 0 {
		return usageErrorf("--threads: %d is negative", o.threads)
	}
	if o.parallel < 1 {
		return usageErrorf("--parallel: %d is below 1", o.parallel)
	}
	if o.file == "" {
		o.file = "quickstart"
	}
	if o.out == "" {
		o.out = "compare-" + name
	}
	nets, err := o.netsOf(a, name, plan)
	if err != nil {
		return err
	}
	var runs []*comparedRun
	open := newDataSets()
	for _, n := range nets { // all mistakes before any work
		r, err := a.prepareRun(ctx, o, n, open)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	control := train.NewControl()
	w := a.watchSignals(control, 30*time.Second, os.Exit)
	defer w.stop()
	todo, err := a.planComparison(ctx, o, runs)
	if err != nil {
		return err
	}
	if o.dryRun && o.json {
		return a.printJSON(todo)
	}
	if err := a.printComparisonPlan(todo); err != nil || o.dryRun {
		return err
	}
	if err := a.trainAll(ctx, o, runs, control, w); err != nil {
		return err
	}
	if err := a.reportComparison(o, name, runs); err != nil {
		return err
	}
	for _, r := range runs {
		if r.diverged == "" {
			return nil
		}
	}
	return &silentError{train.ErrNonFinite} // every run: the report says so
}

// prepareRun resolves the configuration of a run and compares it with what its folder holds.
func (a *app) prepareRun(ctx context.Context, o *compareOptions, n compare.Net, open dataSets) (*comparedRun, error) {
	l, err := loadConfig(configInput{file: o.file, env: a.env, sets: append(append([]string{}, o.sets...), n.Sets()...)})
	if err != nil {
		return nil, err
	}
	r := &comparedRun{Net: n, dir: filepath.Join(o.out, n.Name())}
	threads := o.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	if r.job, err = newJob(ctx, l, max(1, threads/o.parallel), open); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(r.dir, configFile)); err == nil {
		old, err := a.loadRun(r.dir, nil, false)
		if err != nil {
			return nil, err
		}
		if _, err := train.CheckResume(configValues(&old.Config), configValues(&r.job.Config), false); err != nil {
			return nil, usageErrorf("%s was trained with another configuration: choose another --out, or move it away: %w", r.dir, err)
		}
	}
	if m, err := checkpoint.View(r.dir, nil).Latest(); err == nil {
		r.step, r.done = int(m.Step), m.Final
	}
	text, err := os.ReadFile(filepath.Join(r.dir, divergedFile))
	if err == nil {
		r.diverged = string(text)
	}
	return r, nil
}
