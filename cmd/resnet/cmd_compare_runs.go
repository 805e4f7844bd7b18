package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

// comparisonReport is `compare --json`.
type comparisonReport struct {
	Out      string           `json:"out"`
	Networks []report.Outcome `json:"networks"`
	Claims   []report.Claim   `json:"claims"`
	Findings []string         `json:"findings"`
	Notes    []string         `json:"notes"`
	Files    []string         `json:"files"`
	// Table is the paper's, with the runs measured by its protocol; nil of other comparisons.
	Table *eval.PaperComparison `json:"table,omitempty"`
}

// finishComparison writes the files and prints curves, table and findings.
func (a *app) finishComparison(ctx context.Context, o *compareOptions, c report.Comparison, table *eval.PaperComparison) error {
	files, err := experiment.WriteComparison(ctx, a.environment(), o.out, c)
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(comparisonReport{o.out, c.Outcomes, c.Claims, c.Findings, c.Notes, files, table})
	}
	if o.terminal {
		if err := a.chartRuns(c.Runs); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
	}
	if err := c.WriteTable(a.out); err != nil {
		return err
	}
	for _, n := range slices.Concat(c.Findings, c.Notes) {
		fmt.Fprintf(a.out, "\n%s\n", text.Wrap(text.Printable(n), a.textWidth()))
	}
	if table != nil {
		fmt.Fprintln(a.out)
		if err := table.WriteText(a.out); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.out)
	for _, f := range files {
		fmt.Fprintln(a.out, text.Printable(f))
	}
	return nil
}

// chartRuns draws the curves of runs with characters, if they have any.
func (a *app) chartRuns(runs []report.Compared) error {
	var series []report.Series
	for _, run := range runs {
		series = append(series, run.Series())
	}
	if err := a.chart(series); !errors.Is(err, report.ErrNoCurve) {
		return err
	}
	return nil
}

func newCompareRunsCmd(a *app) *cobra.Command {
	o := &compareOptions{}
	c := &cobra.Command{
		Use: "runs RUN...", Short: "The curves of runs that are there", Args: atLeastArgs(1, "RUN"),
		Long:    "Reports run folders of any networks side by side, as `compare plain-vs-residual` does its own; nothing is trained." + exitHelp(help66, help74),
		Example: "  resnet compare runs runs/cifar20-short-1 runs/cifar20-short-2 --out seeds",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := experiment.CompareRuns(args, o.out)
			if err != nil {
				return err
			}
			return a.interruptible(c.Context(), "", func(ctx context.Context) error { return a.finishComparison(ctx, o, r, nil) })
		},
	}
	c.Flags().StringVar(&o.out, "out", "compare-runs", "folder of the report")
	c.Flags().BoolVar(&o.terminal, "terminal", false, "draw the curves in the terminal, too")
	c.Flags().BoolVar(&o.json, "json", false, "print the findings as JSON")
	_ = c.MarkFlagDirname("out")
	return c
}
