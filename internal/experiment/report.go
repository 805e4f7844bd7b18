package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/blocks/drawing"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/folderlock"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// Table is the table of a run: the last evaluation's test error, beside the paper's where that was
// measured in the same way. It has no rows where nothing was tested.
func (x *Experiment) Table(dir string, sum train.Summary) eval.Table {
	if sum.Last == nil || sum.Last.Test == nil {
		return eval.Table{}
	}
	return eval.Table{Rows: []eval.Row{x.data.row(dir, *sum.Last.Test)}}
}

// WriteReport writes report.html, the curves and, of a training that has come to its end, the
// diagnosis into its run folder: the page that ReportRun writes. A diagnosis that fails is a
// remark. It fails with an *IOError, which leaves what was there: nobody may take that for the
// report of this run. Before the first evaluation there is nothing to report.
func WriteReport(ctx context.Context, env *Environment, dir string, threads int) error {
	return writePage(dir, func(p *page) {
		if !p.finished {
			p.undiagnosed(dir)
		} else if err := p.diagnose(ctx, env, dir, DiagnoseOptions{Threads: threads}); err != nil {
			env.say("warning: the network is not diagnosed: %s", text.PrintableLines(err.Error()))
		}
	})
}

func writePage(dir string, diagnose func(*page)) error {
	p, err := pageOf(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		diagnose(p)
		err = report.WriteReport(dir, p.Report)
	}
	if err != nil {
		return &IOError{fmt.Errorf("%s: no report of this training: %w", dir, err)}
	}
	return nil
}

// lastRow is the row of the evaluation that a checkpoint keeps, or nil.
func (x *Experiment) lastRow(s train.State, e *train.Evaluation) *train.Row {
	if e == nil {
		return nil
	}
	return &train.Row{Step: s.Step, Epoch: x.Plan.Epoch(s.Step), Rate: s.Rate, Train: e.Since, Val: e.Val, Test: e.Test, TrainEval: e.Train}
}

// Report compares the runs of a comparison as they are.
func (c *Comparison) Report() (report.Comparison, error) {
	var list []report.Compared
	var all []string // notes
	var configs []*config.Loaded
	for _, r := range c.Runs {
		run, notes, err := readRun(r.Dir)
		if errors.Is(err, fs.ErrNotExist) && r.Diverged != "" { // before its first evaluation
			run, err = report.Run{Name: filepath.Base(r.Dir)}, nil
		}
		if err != nil {
			return report.Comparison{}, err
		}
		n, _ := describeNet(r.Dir, r.Loaded, &r.Spec)
		n.Model, n.Seed, n.Iterations = r.Net.Model(), r.Seed, r.Plan.Iterations
		if c.Kind == Sweep || r.Spec.Varied() {
			n.Model = r.Spec.Name
		}
		n.TrainImages, n.ValImages, n.TestImages = r.data.sizes()
		n.Dataset, n.Unverified = r.data.identity(), false
		n.Diverged = r.Diverged != ""
		list, all, configs = append(list, report.Compared{Run: run, Net: n}), append(all, notes...), append(configs, r.Loaded)
	}
	tellSettings(list, configs)
	what := map[string]string{PlainVsResidual: "Plain and residual networks", ByDepth: "Residual networks by depth", Sweep: "Configurations"}[c.Kind]
	title := fmt.Sprintf("%s on %s", what, c.Runs[0].Data.Name)
	if c.study != nil {
		title = c.study.Title
	}
	r := report.NewComparison(title, c.Command(), list)
	if note := c.Shortened(); note != "" {
		r.Notes = append([]string{note}, r.Notes...)
	}
	return noted(r, append(all, precisionNotes(configs)...)), nil
}

// WriteComparison writes the report of a comparison into the folder out and returns the files. The
// folder is locked meanwhile, so that the files of two comparisons do not mix; for another one that
// is writing there it waits until ctx ends.
func WriteComparison(ctx context.Context, env *Environment, out string, c report.Comparison) (files []string, err error) {
	lock, err := folderlock.Wait(ctx, filepath.Join(out, ".report.lock"), "writing its report into this folder",
		func(e *folderlock.LockedError) { env.say("%s", text.Printable(e.Waiting())) })
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Release() }() // a lock without a holder is free
	names, err := report.WriteComparison(out, c)
	for _, name := range names {
		files = append(files, filepath.Join(out, name))
	}
	return files, err
}

// CompareRuns compares run folders that are there, of any networks. out is where its report goes.
func CompareRuns(dirs []string, out string) (report.Comparison, error) {
	c, err := compareRuns(dirs, out)
	if err != nil {
		return c, err
	}
	if err := atomicfile.OS.MkdirAll(out, atomicfile.DirPerm); err != nil {
		return report.Comparison{}, &IOError{err}
	}
	return c, nil
}

// compareRuns writes nothing.
func compareRuns(dirs []string, out string) (report.Comparison, error) {
	var list []report.Compared
	var all []string // notes
	var configs []*config.Loaded
	command := []string{"resnet", "compare", "runs"}
	for _, dir := range dirs {
		run, notes, err := readRun(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return report.Comparison{}, missingf("%s: no run folder with an evaluation: metrics.csv is not there", text.Printable(dir))
		}
		if err != nil {
			return report.Comparison{}, err
		}
		l, err := runConfig(dir)
		if err != nil {
			return report.Comparison{}, err
		}
		configs = append(configs, l)
		n, _ := describeRun(dir, run, l)
		list, all = append(list, report.Compared{Run: run, Net: n}), append(all, notes...)
		command = append(command, text.ShellQuote(dir))
	}
	tellSettings(list, configs)
	return noted(report.NewComparison("Comparison of runs", strings.Join(append(command, "--out", text.ShellQuote(out)), " "), list), append(all, precisionNotes(configs)...)), nil
}

// noted puts what was wrong with the files of the runs before the notes on how they were measured.
func noted(c report.Comparison, notes []string) report.Comparison {
	c.Notes = append(notes, c.Notes...)
	return c
}

// describeNet says what a run folder knows of its network: its configuration, its speed, and the
// layer responses of its newest checkpoint. Only what is there is said. spec is what the
// configuration says of the network; nil where it does not say. What is known of it is returned as
// well.
func describeNet(dir string, l *config.Loaded, spec *blocks.Spec) (report.Net, *blocks.Spec) {
	n := report.Net{Model: filepath.Base(dir), ImagesPerSecond: train.MedianSpeed(dir)}
	e, err := checkpoint.ReadEnv(dir)
	if err == nil {
		n.TrainImages, n.ValImages, n.TestImages = e.Samples["train"], e.Samples["val"], e.Samples["test"]
	}
	if l != nil {
		if n.TestImages == 0 { // a folder of before it was recorded
			n.TestImages = datasets.TestImages(l.Data.Name)
		}
		n.Seed, n.Batch, n.Iterations, n.Dataset = l.Train.Seed, l.Train.Batch*l.Train.Accumulate, l.Train.Iterations, l.Data.Name
		if n.Unverified = e.Data == ""; !n.Unverified {
			n.Dataset = e.Data
		}
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
		n.Model, n.Family, n.Depth, n.Params, n.Kind = spec.Name, spec.Family, spec.Depth(), spec.Params, report.KindResidual
		if spec.Shortcut == blocks.None {
			n.Kind = report.KindPlain
		}
		n.Blocks = drawBlocks(*spec)
	}
	return n, spec
}

// drawBlocks draws the building blocks of a network for a page.
func drawBlocks(s blocks.Spec) []string {
	m, err := blocks.Summarize(s)
	if err != nil { // it cannot be built: there is nothing to draw
		return nil
	}
	var list []string
	for _, d := range drawing.Blocks(m) {
		list = append(list, d.SVG)
	}
	return list
}

// describeRun is describeNet for a folder of which nothing else is known. Where its checkpoints are
// gone, the configuration names the network; l is nil where there is none.
func describeRun(dir string, run report.Run, l *config.Loaded) (report.Net, *blocks.Spec) {
	var spec *blocks.Spec
	if l != nil {
		if s, err := blocks.Resolve(l.Model, blocks.DataInfo{}); err == nil {
			spec = &s
		}
	}
	n, spec := describeNet(dir, l, spec)
	if h := run.History; len(h) > 0 && (n.Iterations == 0 || l == nil) {
		n.Iterations = h[len(h)-1].Step
	}
	if _, err := os.Stat(filepath.Join(dir, divergedFile)); err == nil {
		n.Diverged = true
	}
	if m, err := checkpoint.View(dir, nil).Latest(); err == nil {
		further := slices.ContainsFunc(run.History, func(row report.Measurement) bool { return row.Step > int(m.Step) })
		n.Unfinished = !m.Final || further // it was made longer, and killed
	}
	return n, spec
}
