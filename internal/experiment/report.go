package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"resnet/internal/blocks"
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

// WriteReport writes report.html and the curves into a run folder. A report that fails is worth a
// warning, never a training.
func (x *Experiment) WriteReport(dir string, sum train.Summary) {
	run, err := report.ReadRun(dir)
	if err == nil {
		err = report.WriteReport(dir, report.Report{
			Title: fmt.Sprintf("%s on %s", x.Spec.Name, x.Data.Name), Runs: []report.Run{run}, Table: x.Table(dir, sum),
		})
	}
	// Stopped before its first evaluation: there is nothing to report.
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		x.env.say("warning: no report: %v", err)
	}
}

// Report compares the runs of a comparison as they are.
func (c *Comparison) Report() (report.Comparison, error) {
	var list []report.Compared
	for _, r := range c.Runs {
		run, err := report.ReadRun(r.Dir)
		if errors.Is(err, fs.ErrNotExist) && r.Diverged != "" { // before its first evaluation
			run, err = report.Run{Name: filepath.Base(r.Dir)}, nil
		}
		if err != nil {
			return report.Comparison{}, err
		}
		n := describeNet(r.Dir, r.Loaded, &r.Spec)
		n.Model, n.Seed, n.Iterations = r.Net.Model(), r.Seed, r.Plan.Iterations
		n.TrainImages, n.ValImages, n.TestImages = r.data.sizes()
		n.Diverged = r.Diverged != ""
		list = append(list, report.Compared{Run: run, Net: n})
	}
	what := map[string]string{PlainVsResidual: "Plain and residual networks", ByDepth: "Residual networks by depth"}[c.Kind]
	return report.NewComparison(fmt.Sprintf("%s on %s", what, c.Runs[0].Data.Name), c.Command(), list), nil
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
	var list []report.Compared
	command := []string{"resnet", "compare", "runs"}
	for _, dir := range dirs {
		run, err := report.ReadRun(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return report.Comparison{}, missingf("%s: no run folder with an evaluation: metrics.csv is not there", text.Printable(dir))
		}
		if err != nil {
			return report.Comparison{}, err
		}
		list = append(list, report.Compared{Run: run, Net: describeRun(dir, run)})
		command = append(command, text.ShellQuote(dir))
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return report.Comparison{}, &IOError{err}
	}
	return report.NewComparison("Comparison of runs", strings.Join(append(command, "--out", text.ShellQuote(out)), " "), list), nil
}

// describeNet says what a run folder knows of its network: its configuration, its speed, and the
// layer responses of its newest checkpoint. Only what is there is said. spec is what the
// configuration says of the network; nil where it does not say.
func describeNet(dir string, l *config.Loaded, spec *blocks.Spec) report.Net {
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

// describeRun is describeNet for a folder of which nothing else is known. Where its checkpoints are
// gone, the configuration names the network.
func describeRun(dir string, run report.Run) report.Net {
	l, err := LoadRun(dir)
	if err != nil {
		l = nil
	}
	var spec *blocks.Spec
	if l != nil {
		if s, err := blocks.Resolve(l.Model, blocks.DataInfo{}); err == nil {
			spec = &s
		}
	}
	n := describeNet(dir, l, spec)
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
