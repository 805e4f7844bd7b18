package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/graph"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// ReportRun writes the page of a run, finished or not, and its curves into the run's folder, and
// returns the files. Where the diagnosis fails, as without the data, the page is written all the
// same and the error is returned as well. It fails with a *MissingError where there is no run.
func ReportRun(ctx context.Context, env *Environment, dir string, o DiagnoseOptions) ([]string, error) {
	if !isRun(dir) {
		return nil, missingf("%s: no run folder", text.Printable(dir))
	}
	r, err := pageOf(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missingf("%s: nothing has been measured yet", text.Printable(dir))
	}
	if err != nil {
		return nil, err
	}
	late := r.diagnose(ctx, env, dir, o)
	if err := report.WriteReport(dir, r.Report); err != nil {
		return nil, &IOError{err}
	}
	var files []string
	for _, name := range []string{report.ReportFile, report.CurvesSVG, report.CurvesPNG, report.DiagnosticsFile} {
		if r.Diagnosis != nil || name != report.DiagnosticsFile {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files, late
}

// page is a run's page in the making.
type page struct {
	report.Report
	finished bool
}

// diagnose adds the diagnosis, or why there is none.
func (p *page) diagnose(ctx context.Context, env *Environment, dir string, o DiagnoseOptions) (err error) {
	p.Diagnosis, p.NoDiagnosis, err = diagnosisOf(ctx, env, dir, o)
	if err != nil {
		p.undiagnosed(dir)
	}
	return err
}

// undiagnosed says how the page gets a diagnosis.
func (p *page) undiagnosed(dir string) {
	p.NoDiagnosis = fmt.Sprintf("Not measured image by image: resnet runs report %s does it.", text.ShellQuote(dir))
}

// pageOf is the page of a run folder without its diagnosis. It fails with fs.ErrNotExist where
// nothing has been measured.
func pageOf(dir string) (*page, error) {
	run, notes, err := readRun(dir)
	if err != nil {
		return nil, err
	}
	l, err := runConfig(dir)
	if err != nil {
		return nil, err
	}
	if l != nil && datasets.IsSpeech(l.Data.Name) {
		run.Unit = "utterance"
	}
	net, spec := describeRun(dir, run, l)
	env, _ := checkpoint.ReadEnv(dir) // of old runs there is none
	p := &page{Report: report.Report{
		Title: net.Model, Notes: notes, Runs: []report.Run{run},
		Blocks: report.Drawings([]report.Net{{Model: net.Model, Blocks: net.Blocks}}),
	}}
	if net.Dataset != "" {
		p.Title += " on " + net.Dataset
	}
	if l != nil {
		p.Preset, p.Changes = nearestPreset(&l.Config)
	}
	p.Facts = facts(run, net, env)
	m, err := checkpoint.View(dir, nil).Latest()
	if err != nil {
		return p, nil //nolint:nilerr // the page is right without a checkpoint
	}
	if p.finished = m.Final; !m.Final {
		p.Notes = append(p.Notes, fmt.Sprintf("The training ended at step %s of %s.", text.Grouped(m.Step), text.Grouped(net.Iterations)))
	}
	precision, _ := graph.ParsePrecision(env.Precision) // unknown only where the file was edited
	if e := train.EvaluationOf(m); e != nil && e.Test != nil && spec != nil && net.TestImages > 0 {
		p.Table.Rows = []eval.Row{testRow(*spec, precision, dir, net.Dataset, net.TestImages, *e.Test)}
	}
	return p, nil
}

// facts are what a page says of a training at its top.
func facts(run report.Run, net report.Net, env checkpoint.Env) []report.Fact {
	var list []report.Fact
	add := func(name, value string) {
		if value != "" {
			list = append(list, report.Fact{Name: name, Value: value})
		}
	}
	if net.Params > 0 {
		add("parameters", text.Grouped(net.Params))
	}
	var splits []string
	for i, n := range []int{net.TrainImages, net.ValImages, net.TestImages} {
		if n > 0 {
			splits = append(splits, text.Grouped(n)+" "+splitNames[splitOrder[i]])
		}
	}
	if splits != nil {
		add("data", strings.Join(splits, ", ")+" "+run.Counted()+"s")
	}
	if h := run.History; len(h) > 0 {
		done := text.Grouped(h[len(h)-1].Step)
		if net.Iterations > h[len(h)-1].Step {
			done += " of " + text.Grouped(net.Iterations)
		}
		if epoch := newest(h, "epoch"); epoch != nil {
			done += fmt.Sprintf(", %.1f epochs", *epoch)
		}
		add("iterations", done)
	}
	if n := len(run.Times); n > 0 {
		time := text.Duration(text.Seconds(run.Times[n-1].Seconds))
		if net.ImagesPerSecond > 0 {
			time += fmt.Sprintf(", %.0f %ss/s (median)", net.ImagesPerSecond, run.Counted())
		}
		add("time", time+onMachine(env))
	}
	return list
}

func onMachine(env checkpoint.Env) string {
	if env.CPU == "" {
		return ""
	}
	on := fmt.Sprintf(", %s of %s", text.Count(env.Threads, "thread"), env.CPU)
	if env.Precision != "" && env.Precision != graph.Float32.String() {
		on += ", " + env.Precision
	}
	return on
}

// nearestPreset is the preset that a configuration differs least from in the values that results
// depend on, of equal ones the first, and the differences.
func nearestPreset(c *config.Config) (name string, changes []report.Change) {
	here := train.Recorded(values(c))
	for _, l := range config.Presets() {
		if datasets.IsSpeech(l.Data.Name) != datasets.IsSpeech(c.Data.Name) {
			continue
		}
		there := train.Recorded(values(&l.Config))
		var list []report.Change
		for key, value := range here {
			if there[key] != value {
				list = append(list, report.Change{Key: key, Preset: there[key], Here: value})
			}
		}
		if name == "" || len(list) < len(changes) {
			name, changes = l.Name, list
		}
	}
	slices.SortFunc(changes, func(a, b report.Change) int { return strings.Compare(a.Key, b.Key) })
	return name, changes
}

// testRow is the row of a test error in a table: of a network on so many images or utterances of
// data by their identity.
func testRow(spec blocks.Spec, precision graph.Precision, dir, data string, n int, m train.Metrics) eval.Row {
	if spec.Family == blocks.FamilySpeech {
		return eval.Row{
			Model: spec.Name, Checkpoint: dir, N: n, Top1Error: m.Error, Top5Error: m.Top5Error, Loss: m.Loss,
			Params: spec.Params, Protocol: sequenceProtocol(spec), Precision: precision, Unit: "utterances", UtteranceError: m.UtteranceError,
		}
	}
	metrics := eval.Metrics{N: n, Top1Error: m.Error, Top5Error: m.Top5Error, Loss: m.Loss}
	protocol := eval.Protocol{Views: 1, Height: spec.InputSize, Width: spec.InputSize, Split: datasets.Test}
	row := eval.NewRow(spec.Name, dir, data, spec.Params, protocol, metrics)
	row.Precision = precision
	return row
}
