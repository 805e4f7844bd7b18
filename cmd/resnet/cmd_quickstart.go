package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/config"
	"resnet/internal/experiment"
	"resnet/internal/graph/kernel"
	"resnet/internal/text"
	"resnet/internal/train"
)

// quickstartOptions are the flags of quickstart.
type quickstartOptions struct {
	out     string
	sets    []string
	threads int
	json    bool
}

const quickstartHelp = `Trains a plain and a residual network of the same depth on images that are part of this program, and
shows the result: a table, the curves, and what the figures say. Nothing is downloaded. It takes
about a minute on two cores.

The experiment is the preset ` + "`quickstart`" + `. --set changes it: --set model.depth=20 --set train.epochs=6.`

func newQuickstartCmd(a *app) *cobra.Command {
	o := &quickstartOptions{}
	c := &cobra.Command{
		Use: "quickstart", Short: "Plain against residual on embedded images, about a minute",
		Long:    quickstartHelp + exitHelp(help70, help73, help74, help130),
		Example: "  resnet quickstart\n  resnet quickstart --out my-first --set model.depth=20\n  resnet quickstart --json",
		Args:    exactArgs(),
		RunE:    func(c *cobra.Command, _ []string) error { return runQuickstart(c.Context(), a, o) },
	}
	c.Flags().StringVar(&o.out, "out", "", "folder for the two runs and the curves (default quickstart, quickstart-2, ...)")
	c.Flags().StringArrayVar(&o.sets, "set", nil, "override a key of the preset, as in train.epochs=6; may be repeated")
	threadsFlag(c.Flags(), &o.threads, "threads; the results do not depend on them (default all cores)")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runQuickstart(ctx context.Context, a *app, o *quickstartOptions) error {
	control := train.NewControl()
	w := a.watchSignals(control, 30*time.Second, os.Exit)
	defer w.stop()
	q, err := experiment.NewQuickstart(ctx, a.environment(), config.Input{File: "quickstart", Env: a.env, Sets: o.sets}, o.threads, o.out)
	if err != nil {
		return err
	}
	defer q.Close()
	a.say("%s, %s kernels. Everything is kept in %s.", q.Describe(), kernel.Active(), text.Printable(q.Dir))
	for _, n := range q.Nets {
		sum, err := q.Train(ctx, n, control, newProgress(a, n.Experiment, n.Name, "", true))
		if err := a.finishRun(n.Run, sum, err, w); err != nil {
			return err
		}
	}
	w.saved()
	if err := a.reportQuickstart(q, o.json); err != nil {
		return err
	}
	return q.Incomplete()
}

// reportQuickstart draws, prints the table and says what the figures show.
func (a *app) reportQuickstart(q *experiment.Quickstart, asJSON bool) error {
	v, series, err := q.Report()
	if err != nil {
		return err
	}
	next := a.nextCommand()
	if asJSON {
		return a.printJSON(map[string]any{"out": q.Dir, "nets": q.Nets, "verdict": v, "text": v.Text(), "next": next, "files": q.Files()})
	}
	if err := a.chart(series); err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	if err := a.printEntrants(q.Nets[:]); err != nil {
		return err
	}
	files := q.Files()
	fmt.Fprintf(a.out, "\n%s\n\nReport: %s, with %s and %s\nNext:   %s\n", text.Wrap(v.Text(), a.textWidth()), text.Printable(files[0]),
		filepath.Base(files[1]), filepath.Base(files[2]), a.bold(next))
	return nil
}

// printEntrants writes the table of the networks.
func (a *app) printEntrants(nets []*experiment.Entrant) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "network\tlayers\tparameters\ttrain top-1 error\ttest top-1 error\ttime\t")
	for _, n := range nets {
		fmt.Fprintf(tw, "%s\t%d\t%s\t%.2f%%\t%.2f%%\t%s\t\n", n.Name, n.Spec.Depth(), text.Grouped(n.Params), n.TrainError, n.TestError, inSeconds(n.Seconds))
	}
	return tw.Flush()
}

// nextCommand is something to try on the data that are here.
func (a *app) nextCommand() string {
	for _, try := range []struct{ data, preset string }{{"cifar10", "cifar20-short"}, {"fashion-mnist", "fashion20"}} {
		if experiment.StateOf(context.Background(), try.data).State == "present" {
			return a.self + " train --config " + try.preset
		}
	}
	return a.self + " data fetch cifar10 && " + a.self + " train --config cifar20-short"
}
