package experiment

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/eval"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// Table is the table of a run: its last test error beside the paper's. It has no rows where nothing
// was tested.
func (x *Experiment) Table(dir string, sum train.Summary) eval.Table {
	row, ok := x.Row(dir, sum)
	if !ok {
		return eval.Table{}
	}
	return eval.Table{Rows: []eval.Row{row}}
}

// WriteReport writes report.html and the curves into a run folder. A report that fails is worth a
// warning, never a training.
func (x *Experiment) WriteReport(dir string, sum train.Summary) {
	run, err := eval.ReadRun(dir)
	if err == nil {
		err = eval.WriteReport(dir, eval.Report{
			Title: fmt.Sprintf("%s on %s", x.Spec.Name, x.Data.Name), Runs: []eval.Run{run}, Table: x.Table(dir, sum),
		})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // stopped before its first evaluation: there is nothing to report
		x.env.say("warning: no report: %v", err)
	}
}

// Report compares the runs of a comparison as they are.
func (c *Comparison) Report() (eval.Comparison, error) {
	var list []eval.Compared
	for _, r := range c.Runs {
		run, err := eval.ReadRun(r.Dir)
		if errors.Is(err, fs.ErrNotExist) && r.Diverged != "" { // before its first evaluation
			run, err = eval.Run{Name: filepath.Base(r.Dir)}, nil
		}
		if err != nil {
			return eval.Comparison{}, err
		}
		n := describeNet(r.Dir, r.Loaded, &r.Spec)
		n.Model, n.Seed, n.Iterations, n.TestImages = r.Net.Model(), r.Seed, r.Plan.Iterations, r.TestSize()
		n.Diverged = r.Diverged != ""
		list = append(list, eval.Compared{Run: run, Net: n})
	}
	what := map[string]string{PlainVsResidual: "Plain and residual networks", ByDepth: "Residual networks by depth"}[c.Kind]
	return eval.NewComparison(fmt.Sprintf("%s on %s", what, c.Runs[0].Data.Name), c.Command(), list), nil
}

// CompareRuns compares run folders that are there, of any networks. out is where its report goes.
func CompareRuns(dirs []string, out string) (eval.Comparison, error) {
	var list []eval.Compared
	command := []string{"resnet", "compare", "runs"}
	for _, dir := range dirs {
		run, err := eval.ReadRun(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return eval.Comparison{}, missingf("%s: no run folder with an evaluation: metrics.csv is not there", text.Printable(dir))
		}
		if err != nil {
			return eval.Comparison{}, err
		}
		list = append(list, eval.Compared{Run: run, Net: describeRun(dir, run)})
		command = append(command, text.ShellQuote(dir))
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return eval.Comparison{}, &IOError{err}
	}
	return eval.NewComparison("Comparison of runs", strings.Join(append(command, "--out", text.ShellQuote(out)), " "), list), nil
}

// describeNet says what a run folder knows of its network: its configuration, its speed, and the
// layer responses of its newest checkpoint. Only what is there is said. spec is what the
// configuration says of the network; nil where it does not say.
func describeNet(dir string, l *config.Loaded, spec *blocks.Spec) eval.Net {
	n := eval.Net{Model: filepath.Base(dir), ImagesPerSecond: medianSpeed(filepath.Join(dir, train.TimingFile))}
	if l != nil {
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
		n.Model, n.Depth, n.Params, n.Kind = spec.Name, spec.Depth(), spec.Params, eval.KindResidual
		if spec.Shortcut == blocks.None {
			n.Kind = eval.KindPlain
		}
	}
	return n
}

// describeRun is describeNet for a folder of which nothing else is known. Where its checkpoints are
// gone, the configuration names the network.
func describeRun(dir string, run eval.Run) eval.Net {
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
	if n.Dataset == "cifar10" {
		n.TestImages = 10_000 // data.limit leaves out training images alone
	}
	return n
}

// medianSpeed is the median of the images per second in a timing.csv, or 0.
func medianSpeed(path string) float64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	r := csv.NewReader(strings.NewReader(string(data)))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return 0
	}
	column := slices.Index(rows[0], "images_per_second")
	var speeds []float64
	for _, row := range rows[1:] {
		if column < 0 || column >= len(row) {
			continue
		}
		if v, err := strconv.ParseFloat(row[column], 64); err == nil && v > 0 {
			speeds = append(speeds, v)
		}
	}
	if len(speeds) == 0 {
		return 0
	}
	slices.Sort(speeds)
	return speeds[len(speeds)/2]
}
