package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// comparisonReport is `compare --json`.
type comparisonReport struct {
	Out      string           `json:"out"`
	Networks []report.Outcome `json:"networks"`
	Findings []string         `json:"findings"`
	Notes    []string         `json:"notes"`
	Files    []string         `json:"files"`
}

// reportComparison writes the report of the runs of a comparison and prints what it says.
func (a *app) reportComparison(o *compareOptions, name string, runs []*comparedRun) error {
	var list []report.Compared
	for _, c := range runs {
		run, err := report.ReadRun(c.dir)
		if errors.Is(err, fs.ErrNotExist) && c.diverged != "" { // before its first evaluation
			run, err = report.Run{Name: filepath.Base(c.dir)}, nil
		}
		if err != nil {
			return err
		}
		n := a.describeNet(c.dir, c.job.loaded, &c.job.spec)
		samples := c.job.samples()
		n.Model, n.Seed, n.Iterations = c.Model(), c.Seed, c.job.plan.Iterations
		n.TrainImages, n.ValImages, n.TestImages = samples["train"], samples["val"], samples["test"]
		n.Diverged = c.diverged != ""
		list = append(list, report.Compared{Run: run, Net: n})
	}
	title := fmt.Sprintf("%s on %s", map[string]string{"plain-vs-residual": "Plain and residual networks", "depth": "Residual networks by depth"}[name], runs[0].job.dataName())
	return a.finishComparison(o.out, report.NewComparison(title, a.comparisonCommand(o, name), list), o.terminal, o.json)
}

// comparisonCommand is the command line that makes a comparison, or goes on with it.
func (a *app) comparisonCommand(o *compareOptions, name string) string {
	args := []string{"resnet", "compare", name, "--config", shellQuote(o.file)}
	join := func(n int, at func(int) string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = at(i)
		}
		return strings.Join(parts, ",")
	}
	if !o.speech {
		args = append(args, "--depths", join(len(o.depths), func(i int) string { return strconv.Itoa(o.depths[i]) }))
	}
	args = append(args, "--seeds", join(len(o.seeds), func(i int) string { return strconv.FormatUint(uint64(o.seeds[i]), 10) }))
	for _, s := range o.sets {
		args = append(args, "--set", shellQuote(s))
	}
	return strings.Join(append(args, "--out", shellQuote(o.out)), " ")
}

// describeNet says what a run folder knows of its network: its configuration, its speed, and the
// layer responses of its newest checkpoint. Only what is there is said. spec is what the
// configuration says of the network; nil where it does not say.
func (a *app) describeNet(dir string, l *loaded, spec *blocks.Spec) report.Net {
	n := report.Net{Model: filepath.Base(dir), ImagesPerSecond: train.MedianSpeed(dir)}
	if e, err := checkpoint.ReadEnv(dir); err == nil {
		n.TrainImages, n.ValImages, n.TestImages = e.Samples["train"], e.Samples["val"], e.Samples["test"]
	}
	if l != nil {
		if n.TestImages == 0 { // a folder of before it was recorded
			n.TestImages = datasets.TestImages(l.Data.Name)
		}
		n.Seed, n.Batch, n.Iterations, n.Dataset = l.Train.Seed, l.Train.Batch*l.Train.Accumulate, l.Train.Iterations, l.Data.Name
	}
	if file, _, err := checkpoint.OpenModel(dir); err == nil {
		if m, err := eval.ReadModel(file); err == nil {
			if responses, err := m.Responses(); err == nil {
				n.Responses = responses
			}
			spec = &m.Spec // it knows the data's classes and size
		}
		file.Close()
	}
	if spec != nil {
		n.Model, n.Depth, n.Params, n.Kind = spec.Name, spec.Depth(), spec.Params, report.KindResidual
		if spec.Shortcut == blocks.None {
			n.Kind = report.KindPlain
		}
	}
	return n
}

// finishComparison writes the files and prints curves, table and findings.
func (a *app) finishComparison(dir string, c report.Comparison, terminal, asJSON bool) error {
	names, err := report.WriteComparison(dir, c)
	if err != nil {
		return err
	}
	files := make([]string, len(names))
	for i, name := range names {
		files[i] = filepath.Join(dir, name)
	}
	if asJSON {
		return a.printJSON(comparisonReport{dir, c.Outcomes, c.Findings, c.Notes, files})
	}
	if terminal {
		if err := a.chartRuns(c.Runs); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
	}
	if err := c.WriteTable(a.out); err != nil {
		return err
	}
	for _, n := range slices.Concat(c.Findings, c.Notes) {
		fmt.Fprintf(a.out, "\n%s\n", wrap(eval.Printable(n), a.textWidth()))
	}
	fmt.Fprintln(a.out)
	for _, f := range files {
		fmt.Fprintln(a.out, eval.Printable(f))
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
		Use: "runs RUN...", Short: "The curves of runs that are there", Args: cobra.MinimumNArgs(1),
		Long:    "Reports run folders of any networks side by side, as `compare plain-vs-residual` does its own; nothing is trained." + exitHelp(help66, help74),
		Example: "  resnet compare runs runs/cifar20-short-1 runs/cifar20-short-2 --out seeds",
		RunE:    func(_ *cobra.Command, args []string) error { return a.compareRuns(o, args) },
	}
	c.Flags().StringVar(&o.out, "out", "compare-runs", "folder of the report")
	c.Flags().BoolVar(&o.terminal, "terminal", false, "draw the curves in the terminal, too")
	c.Flags().BoolVar(&o.json, "json", false, "print the findings as JSON")
	_ = c.MarkFlagDirname("out")
	return c
}

func (a *app) compareRuns(o *compareOptions, dirs []string) error {
	var list []report.Compared
	command := []string{"resnet", "compare", "runs"}
	for _, dir := range dirs {
		run, err := report.ReadRun(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return &missingError{fmt.Errorf("%s: no run folder with an evaluation: metrics.csv is not there", eval.Printable(dir))}
		}
		if err != nil {
			return err
		}
		list = append(list, report.Compared{Run: run, Net: a.describeRun(dir, run)})
		command = append(command, shellQuote(dir))
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return &ioError{err}
	}
	c := report.NewComparison("Comparison of runs", strings.Join(append(command, "--out", shellQuote(o.out)), " "), list)
	return a.finishComparison(o.out, c, o.terminal, o.json)
}

// describeRun is describeNet for a folder of which nothing else is known. Where its checkpoints are
// gone, the configuration names the network.
func (a *app) describeRun(dir string, run report.Run) report.Net {
	l, err := a.loadRun(dir, nil, false)
	if err != nil {
		l = nil
	}
	var spec *blocks.Spec
	if l != nil {
		if s, err := blocks.Resolve(l.Model, blocks.DataInfo{}); err == nil {
			spec = &s
		}
	}
	n := a.describeNet(dir, l, spec)
	if h := run.History; len(h) > 0 && (n.Iterations == 0 || l == nil) {
		n.Iterations = h[len(h)-1].Step
	}
	if _, err := os.Stat(filepath.Join(dir, divergedFile)); err == nil {
		n.Diverged = true
	}
	if m, err := checkpoint.View(dir, nil).Latest(); err == nil && !m.Final {
		n.Unfinished = true
	}
	return n
}
