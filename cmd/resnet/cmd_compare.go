package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
	"resnet/internal/train"
)

// compareOptions are the flags of compare's subcommands.
type compareOptions struct {
	configFlags
	out      string
	depths   []int
	vary     []string
	seeds    []uint
	threads  int
	parallel int
	short    float64
	dryRun   bool
	json     bool
	terminal bool
}

const compareHelp = `Trains the networks of a comparison, each in its own folder within --out, and writes a report:
curves, a table, every measured point, and a sentence for each finding.

A finished run is not trained again. An interrupted run continues from its last checkpoint: after
any stop, give the same command again. A run whose loss becomes infinite or NaN is recorded and
reported as diverged, and the others continue; delete its folder to try it again. A folder made by
` + "`resnet train --run OUT/resnet56-seed1`" + ` with the same configuration counts as a run of the comparison.

Several processes may be given the same command: each trains what no other one is training, and
waits for the rest.`

func newCompareCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "compare", Short: "Compare networks: the degradation problem and its cure",
		Long:    "Compares networks over depths and seeds, or runs that are there already." + exitHelp(help65, help66, help73, help74, help130),
		Example: "  resnet compare plain-vs-residual --config quickstart --depths 8,14\n  resnet compare depth --config cifar-degradation --depths 20,110\n  resnet compare sweep --config quickstart --vary train.schedule.rate=0.1,0.05\n  resnet compare runs runs/a runs/b",
	}
	c.AddCommand(newCompareNetsCmd(a, experiment.PlainVsResidual, "Plain and residual networks of several depths",
		"  resnet compare plain-vs-residual\n"+
			"  resnet compare plain-vs-residual --config cifar-degradation --depths 20,56 --seeds 1,2,3 --out degradation\n"+
			"  resnet compare plain-vs-residual --config imagenet-resnet34a --depths 18,34 --set data.dir=imagenet\n"+
			"  resnet compare plain-vs-residual --config fsdd-wrbn --set data.dir=recordings"))
	c.AddCommand(newCompareNetsCmd(a, experiment.ByDepth, "Residual networks of several depths: does depth over-fit?",
		"  resnet compare depth --config cifar-degradation --depths 20,110\n"+
			"  resnet compare depth --config cifar110"))
	c.AddCommand(newCompareSweepCmd(a))
	c.AddCommand(newCompareRunsCmd(a))
	return c
}

func newCompareNetsCmd(a *app, name, short, example string) *cobra.Command {
	o := &compareOptions{}
	c := newComparisonCmd(a, o, name, short, compareHelp, example)
	c.Flags().IntSliceVar(&o.depths, "depths", nil, "layers of the networks (default "+experiment.DefaultDepths(name)+")")
	return c
}

const sweepHelp = `Trains one network under every combination of the values that vary, each with every seed, in its own
folder within --out, and reports one row for each configuration with a column for each key that
varies. Two seeds or more say how far apart chance alone takes two runs.

--vary KEY=V1,V2 may be repeated. A value that is a list stands in brackets:
--vary train.schedule.drop.at_epochs=[16,20],[18,21]. Runs are resumed as in the other comparisons.`

func newCompareSweepCmd(a *app) *cobra.Command {
	o := &compareOptions{}
	c := newComparisonCmd(a, o, experiment.Sweep, "One network under several configurations", sweepHelp,
		"  resnet compare sweep --config cifar20-short --vary train.schedule.rate=0.1,0.05 --seeds 1,2,3\n"+
			"  resnet compare sweep --config quickstart --vary train.optimizer.weight_decay=0,1e-4 --vary train.batch=32,64")
	c.Flags().StringArrayVar(&o.vary, "vary", nil, "key and values that vary, as in train.schedule.rate=0.1,0.05; may be repeated")
	return c
}

// newComparisonCmd is a command that trains a comparison and reports it.
func newComparisonCmd(a *app, o *compareOptions, name, short, long, example string) *cobra.Command {
	c := &cobra.Command{
		Use: name, Short: short, Long: long + exitHelp(help65, help66, help73, help74, help130), Example: example, Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error { return runCompare(c.Context(), a, o, name) },
	}
	o.register(c)
	o.trainingFlags(c, "compare-"+name)
	c.Flags().UintSliceVar(&o.seeds, "seeds", []uint{1}, "a run of each network for each seed")
	return c
}

// trainingFlags are those of every command that trains several networks.
func (o *compareOptions) trainingFlags(c *cobra.Command, out string) {
	f := c.Flags()
	f.StringVar(&o.out, "out", "", "folder of the runs and the report (default "+out+")")
	threadsFlag(f, &o.threads, "threads in all; the results do not depend on them (default all cores)")
	bounded(f, &o.parallel, "parallel", 1, 1, maxThreads, "runs that train at the same time, sharing the threads; changes no result")
	precisionFlag(c, &o.precision, precisionOfConfig)
	f.BoolVar(&o.dryRun, "dry-run", false, "print the plan; train nothing")
	f.BoolVar(&o.terminal, "terminal", false, "draw the curves in the terminal, too")
	f.BoolVar(&o.json, "json", false, "print the findings (with --dry-run the plan) as JSON")
	_ = c.MarkFlagDirname("out")
}

func runCompare(ctx context.Context, a *app, o *compareOptions, name string) error {
	if o.file == "" {
		o.file = "quickstart"
	}
	if o.out == "" {
		o.out = "compare-" + name
	}
	return trainComparison(ctx, a, o, name, experiment.NewComparison)
}

// trainComparison trains what a comparison has not finished, and reports it.
func trainComparison(ctx context.Context, a *app, o *compareOptions, name string,
	plan func(context.Context, *experiment.Environment, experiment.CompareOptions) (*experiment.Comparison, error),
) error {
	if o.threads < 0 {
		return usageErrorf("--threads: %d is negative", o.threads)
	}
	if o.parallel < 1 {
		return usageErrorf("--parallel: %d is below 1", o.parallel)
	}
	seeds := make([]uint64, len(o.seeds))
	for i, s := range o.seeds {
		seeds[i] = uint64(s)
	}
	c, err := plan(ctx, a.environment(), experiment.CompareOptions{
		Kind: name, Config: o.input(a), Out: o.out,
		Depths: o.depths, Vary: o.vary, Seeds: seeds, Short: o.short, Threads: o.threads, Parallel: o.parallel,
	})
	if err != nil {
		return err
	}
	control := train.NewControl()
	w := a.watchSignals(control, 30*time.Second, os.Exit)
	defer w.stop()
	estimate, err := c.Estimate(ctx)
	if err != nil {
		return err
	}
	if o.dryRun && o.json {
		return a.printJSON(estimate)
	}
	for _, line := range []string{c.Title(), c.Shortened()} {
		if line != "" {
			a.say("%s", line)
		}
	}
	if err := a.printComparisonPlan(estimate); err != nil || o.dryRun {
		return err
	}
	err = a.trainAll(ctx, c, w, o.parallel == 1)
	w.saved()
	if err != nil {
		return err
	}
	r, err := c.Report()
	if err != nil {
		return err
	}
	table, err := c.PaperTable(control.Context(ctx))
	if err == nil {
		err = a.finishComparison(control.Context(ctx), o, r, table)
	}
	if err != nil {
		return w.ended(err)
	}
	if err := c.Incomplete(); err != nil {
		return err
	}
	if c.AllDiverged() {
		return &silentError{train.ErrNonFinite} // the report says so
	}
	return nil
}

// trainAll trains what a comparison has not finished. bar says that its runs may show one.
func (a *app) trainAll(ctx context.Context, c *experiment.Comparison, w *watcher, bar bool) error {
	err := c.TrainAll(ctx, w.control, func(r *experiment.ComparedRun) experiment.Watcher {
		hello := fmt.Sprintf("%s: %s steps of %d images%s", r.Name(), text.Grouped(r.Plan.Iterations), r.Plan.ImagesPerStep(), lower(r.Precision()))
		return newProgress(a, r.Experiment, r.Name(), hello, bar)
	})
	if errors.Is(err, train.ErrStopped) {
		a.say("To go on, give the same command again.")
		return &silentError{&stoppedError{w.status()}}
	}
	return err
}

// printComparisonPlan says on standard error what there is to do.
func (a *app) printComparisonPlan(p experiment.ComparisonEstimate) error {
	tw := tabwriter.NewWriter(a.err, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "run\tparameters\tsteps\tstate\tabout")
	for _, r := range p.Runs {
		state, left := r.State, ""
		if state == "saved" {
			state = "saved at step " + text.Grouped(r.StepsDone)
		}
		if r.Seconds > 0 {
			left = inSeconds(r.Seconds)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Name, text.Grouped(r.Params), text.Grouped(r.Steps), state, left)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if p.SecondsTotal > 0 {
		how := text.Count(p.Threads, "thread")
		if p.Parallel > 1 {
			how = fmt.Sprintf("%d runs at a time, %s each", p.Parallel, how)
		}
		a.say("About %s on this machine (%s), evaluations included. Everything is kept in %s.", inSeconds(p.SecondsTotal), how, text.Printable(p.Out))
	}
	return nil
}
