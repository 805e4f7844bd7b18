package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/eval"
	"resnet/internal/experiment"
	"resnet/internal/graph"
	"resnet/internal/text"
)

func newRunsCmd(a *app) *cobra.Command {
	return group("runs", "List trainings, show one, make its page", "What run folders hold. Nothing is trained."+exitHelp(help65, help66, help74),
		"  resnet runs list\n  resnet runs show runs/cifar20-1\n  resnet runs report runs/cifar20-1", newRunsListCmd(a), newRunsShowCmd(a), newRunsReportCmd(a))
}

const runsListHelp = `Lists the run folders in and below FOLDER, "runs" without one: how far each is, and its newest errors in
percent. Nothing is trained or changed.`

func newRunsListCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list [FOLDER]", Short: "List trainings",
		Long:    runsListHelp + exitHelp(help66, help74),
		Example: "  resnet runs list\n  resnet runs list compared --json",
		Args:    optionalArg,
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "runs"
			if len(args) == 1 {
				dir = args[0]
			}
			return a.listRuns(dir, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) listRuns(dir string, asJSON bool) error {
	all, err := experiment.Runs(dir)
	if err != nil {
		return err
	}
	if asJSON {
		if all == nil {
			all = []experiment.RunSummary{}
		}
		return a.printJSON(map[string]any{"runs": all})
	}
	if len(all) == 0 {
		a.say("%s: no run folder", text.Printable(dir))
		return nil
	}
	cols := []eval.Column{
		{Title: "run"},
		{Title: "network"},
		{Title: "data"},
		{Title: "state"},
		{Title: "precision"},
		{Title: "step", Number: true},
		{Title: "epoch", Number: true},
		{Title: "train %", Number: true},
		{Title: "val %", Number: true},
		{Title: "test %", Number: true},
		{Title: "saved"},
	}
	said := slices.ContainsFunc(all, func(r experiment.RunSummary) bool { return r.Precision != "" && r.Precision != graph.Float32.String() })
	for _, r := range all {
		if !said {
			r.Precision = ""
		}
		saved := ""
		if r.Saved != nil {
			saved = r.Saved.Local().Format("2006-01-02 15:04")
		}
		for i, cell := range []string{
			r.Run, r.Network, r.Dataset, string(r.State), r.Precision, text.Grouped(r.Step), figure(r.Epoch, 1),
			figure(r.TrainError, 2), figure(r.ValError, 2), figure(r.TestError, 2), saved,
		} {
			cols[i].Cells = append(cols[i].Cells, text.Printable(cell))
		}
		if r.Problem != "" {
			a.say("%s", text.Printable(r.Problem))
		}
	}
	return eval.WriteColumns(a.out, eval.WithoutEmpty(cols))
}

// figure is a number of a table, "" where it is not known.
func figure(v *float64, digits int) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.*f", digits, *v)
}

const runsShowHelp = `Shows a training: state, checkpoints, measurements and the commands that go on with it. Nothing is
changed.`

func newRunsShowCmd(a *app) *cobra.Command {
	var asJSON, config bool
	c := &cobra.Command{
		Use: "show RUN", Short: "Show a training",
		Long:    runsShowHelp + exitHelp(help65, help66, help74),
		Example: "  resnet runs show runs/cifar20-1\n  resnet runs show runs/cifar20-1 --config",
		Args:    exactArgs("RUN"),
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := experiment.ShowRun(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(d)
			}
			return a.printRun(d, config)
		},
	}
	c.Flags().BoolVar(&config, "config", false, "print its configuration as well")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// shownMeasurements is how many of the newest measurements are shown.
const shownMeasurements = 10

func (a *app) printRun(d experiment.RunDetails, config bool) error {
	network := d.Network
	if network == "" {
		network = "no network yet"
	}
	fmt.Fprintf(a.out, "%s: %s on %s, %s\n", text.Printable(d.Run), text.Printable(network), text.Printable(d.Dataset), d.State)
	for _, f := range d.Environment {
		if f.Name == "command" || f.Name == "cpu" || f.Name == "version" || f.Name == "precision" || f.Name == "seed" || f.Name == "samples" {
			fmt.Fprintf(a.out, "  %-9s %s\n", f.Name, text.Printable(f.Value))
		}
	}
	for _, c := range d.Checkpoints {
		var marks []string
		if c.Step == d.Best {
			marks = append(marks, "best")
		}
		if c.Final {
			marks = append(marks, "final")
		}
		fmt.Fprintf(a.out, "  step %s: %s %s\n", text.Grouped(c.Step), text.Bytes(c.Bytes), strings.Join(marks, ", "))
	}
	if n := len(d.History); n > 0 {
		fmt.Fprintln(a.out)
		if err := eval.WriteColumns(a.out, d.History[max(0, n-shownMeasurements):].Columns()); err != nil {
			return err
		}
		if n > shownMeasurements {
			fmt.Fprintf(a.out, "(the newest %d of %d measurements)\n", shownMeasurements, n)
		}
	}
	if config {
		fmt.Fprintf(a.out, "\n%s", text.PrintableLines(d.Config))
	}
	for _, note := range d.Notes {
		a.say("%s", text.Printable(note))
	}
	if d.State == experiment.RunFinished {
		fmt.Fprintf(a.out, "Next: %s eval %s\n", a.self, text.ShellQuote(d.Run))
	} else {
		fmt.Fprintf(a.out, "Next: %s train --resume %s\n", a.self, text.ShellQuote(d.Run))
	}
	return nil
}
