package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// comparisonReport is `compare --json`.
type comparisonReport struct {
	Out      string         `json:"out"`
	Networks []eval.Outcome `json:"networks"`
	Findings []string       `json:"findings"`
	Files    []string       `json:"files"`
}

// reportComparison writes the report of the runs of a comparison and prints what it says.
func (a *app) reportComparison(o *compareOptions, name string, runs []*comparedRun) error {
	info := runs[0].job.data.Info()
	r := eval.Report{Title: fmt.Sprintf("%s on %s", map[string]string{"plain-vs-residual": "Plain and residual networks", "depth": "Residual networks by depth"}[name], info.Name)}
	var outcomes []eval.Outcome
	histories := map[string][]eval.History{}
	diverged := map[string]int{}
	for _, c := range runs {
		if c.diverged != "" {
			diverged[c.Model()]++
		}
		run, err := eval.ReadRun(c.dir)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && c.diverged != "" { // before its first evaluation
				continue
			}
			return err
		}
		r.Runs = append(r.Runs, run)
		if c.diverged == "" {
			histories[c.Model()] = append(histories[c.Model()], run.History)
			r.Table.Rows = append(r.Table.Rows, comparedRow(c, run, info))
		}
	}
	seen := map[string]bool{}
	for _, c := range runs {
		if m := c.Model(); !seen[m] {
			seen[m] = true
			out := eval.NewOutcome(m, c.Depth, c.Residual, c.job.spec.Params, histories[m])
			out.Diverged = diverged[m]
			outcomes = append(outcomes, out)
		}
	}
	r.Notes = append(eval.Findings(outcomes), comparisonNote)
	return a.finishComparison(o, r, outcomes)
}

const comparisonNote = "Errors are top-1, in percent. The training error is the mean over the images of an epoch while the weights change; the test error is of one view, at its end."

// comparedRow is the last test error of a run beside the paper's.
func comparedRow(c *comparedRun, run eval.Run, info datasets.Info) eval.Row {
	m := run.History[len(run.History)-1]
	metrics := eval.Metrics{N: info.Test, Top5Error: m.TestTop5}
	if m.TestError != nil {
		metrics.Top1Error = *m.TestError
	}
	if m.TestLoss != nil {
		metrics.Loss = *m.TestLoss
	}
	protocol := eval.Protocol{Views: 1, Height: info.Height, Width: info.Width, Split: datasets.Test}
	return eval.NewRow(c.job.spec.Name, c.dir, info.Name, c.job.spec.Params, protocol, metrics)
}

// finishComparison writes the files and prints curves, table and findings.
func (a *app) finishComparison(o *compareOptions, r eval.Report, outcomes []eval.Outcome) error {
	dir := o.out
	if err := writeComparison(dir, r); err != nil {
		return err
	}
	if err := eval.WriteOutcomes(dir, outcomes, r.Notes); err != nil {
		return err
	}
	var files []string
	for _, f := range []string{eval.ReportFile, eval.CurvesSVG, eval.CurvesPNG, eval.PointsFile, eval.TableFile} {
		if _, err := os.Stat(filepath.Join(dir, f)); err == nil {
			files = append(files, filepath.Join(dir, f))
		}
	}
	if o.json {
		return a.printJSON(comparisonReport{dir, outcomes, r.Notes, files})
	}
	if o.terminal {
		if err := a.chartRuns(r.Runs); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
	}
	if err := a.printOutcomes(outcomes); err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintf(a.out, "\n%s\n", wrap(n, a.textWidth()))
	}
	fmt.Fprintln(a.out)
	for _, f := range files {
		fmt.Fprintln(a.out, f)
	}
	return nil
}

// writeComparison writes the report and every point of its runs.
func writeComparison(dir string, r eval.Report) error {
	if err := eval.WriteReport(dir, r); err != nil {
		return err
	}
	return eval.WritePoints(dir, r.Runs)
}

// chartRuns draws the curves of runs with characters, if they have any.
func (a *app) chartRuns(runs []eval.Run) error {
	var series []eval.Series
	for _, run := range runs {
		series = append(series, run.Series())
	}
	if err := a.chart(series); !errors.Is(err, eval.ErrNoCurve) {
		return err
	}
	return nil
}

func (a *app) printOutcomes(outcomes []eval.Outcome) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "network\tlayers\tparameters\truns\ttrain top-1 error\ttest top-1 error\tbest\t")
	for _, o := range outcomes {
		if o.Runs == 0 {
			fmt.Fprintf(tw, "%s\t%d\t%s\t0\t\t\t\t\n", o.Model, o.Depth, grouped(o.Params))
			continue
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%d\t%s%%\t%s%%\t%.2f%%\t\n", o.Model, o.Depth, grouped(o.Params), o.Runs, o.TrainSpread(), o.TestSpread(), o.TestBest)
	}
	return tw.Flush()
}

func newCompareRunsCmd(a *app) *cobra.Command {
	out, terminal := "compare-runs", false
	c := &cobra.Command{
		Use: "runs RUN...", Short: "The curves of runs that are there", Args: cobra.MinimumNArgs(1),
		Long:    "Draws the curves of run folders of any networks into one report, with every point as CSV; nothing is trained." + exitHelp(help66, help74),
		Example: "  resnet compare runs runs/cifar20-short-1 runs/cifar20-short-2 --out seeds",
		RunE:    func(_ *cobra.Command, args []string) error { return a.compareRuns(out, args, terminal) },
	}
	c.Flags().StringVar(&out, "out", out, "folder of the report")
	c.Flags().BoolVar(&terminal, "terminal", false, "draw the curves in the terminal, too")
	_ = c.MarkFlagDirname("out")
	return c
}

func (a *app) compareRuns(out string, dirs []string, terminal bool) error {
	r := eval.Report{Title: "Comparison of runs", Notes: []string{comparisonNote}}
	for _, dir := range dirs {
		run, err := eval.ReadRun(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return &missingError{fmt.Errorf("%s: no run folder with an evaluation: metrics.csv is not there", dir)}
		}
		if err != nil {
			return err
		}
		r.Runs = append(r.Runs, run)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return &ioError{err}
	}
	if err := writeComparison(out, r); err != nil {
		return err
	}
	if terminal {
		if err := a.chartRuns(r.Runs); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
	}
	_, err := fmt.Fprintf(a.out, "Report: %s\n", filepath.Join(out, eval.ReportFile))
	return err
}
