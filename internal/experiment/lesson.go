package experiment

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/graph/kernel"
	"resnet/internal/input"
	"resnet/internal/text"
	"resnet/internal/train"
)

// The files of a measured lesson.
const (
	LessonFile = "lesson.json"
	LessonPage = "lesson.html"
)

// lessonConfig is the preset of the lesson's networks, and the others are what they differ in: the
// depths at which both halves of the story show after six epochs, one at which plain layers hardly
// learn, and the rates with and without normalisation.
const (
	lessonConfig = "fundamentals"
	lessonDeep   = 56
	lessonDepth  = 20
)

var (
	lessonDepths = []int{8, lessonDepth}
	lessonVary   = []string{"model.batch_norm=true,false", "train.schedule.rate=0.1,0.01"}
)

// lessonBatches is over how many batches the lesson's gradients are averaged.
const lessonBatches = 10

// LessonOptions say where the lesson's networks are trained, and how.
type LessonOptions struct {
	Out     string
	Sets    []string // that change the preset, as key=value
	Seed    uint64
	Threads int // 0 means all cores
}

// LessonPlan is the trainings of the lesson: comparisons, each in a folder of its own within Out.
type LessonPlan struct {
	LessonOptions
	env                        *Environment
	depth, deep, normalisation *Comparison
}

// NewLessonPlan plans the trainings and writes nothing.
func NewLessonPlan(ctx context.Context, env *Environment, o LessonOptions) (*LessonPlan, error) {
	l := &LessonPlan{LessonOptions: o, env: env}
	for _, c := range []struct {
		of     **Comparison
		folder string
		CompareOptions
	}{
		{&l.depth, "depth", CompareOptions{Kind: PlainVsResidual, Depths: lessonDepths}},
		{&l.deep, "deep", CompareOptions{Kind: PlainVsResidual, Depths: []int{lessonDeep}}},
		{&l.normalisation, "normalisation", CompareOptions{Kind: Sweep, Vary: lessonVary}},
	} {
		o := c.CompareOptions
		o.Config, o.Out, o.Seeds, o.Threads, o.Parallel = l.config(), filepath.Join(l.Out, c.folder), []uint64{l.Seed}, l.Threads, 1
		var err error
		if *c.of, err = NewComparison(ctx, env, o); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *LessonPlan) config(sets ...string) config.Input {
	return config.Input{File: lessonConfig, Sets: slices.Concat(l.Sets, sets)}
}

// Comparisons are the sets of trainings, in order.
func (l *LessonPlan) Comparisons() []*Comparison {
	return []*Comparison{l.depth, l.deep, l.normalisation}
}

// Command is the command line that makes the lesson's figures, or goes on with it.
func (l *LessonPlan) Command() string {
	args := []string{"resnet", "lesson", "measure", "--out", text.ShellQuote(l.Out), "--seed", strconv.FormatUint(l.Seed, 10)}
	for _, s := range l.Sets {
		args = append(args, "--set", text.ShellQuote(s))
	}
	return strings.Join(args, " ")
}

// Measure looks into the trained networks, and writes LessonFile and LessonPage to the plan's
// folder, each whole or not at all.
func (l *LessonPlan) Measure(ctx context.Context) (report.Lesson, error) {
	first := l.depth.Runs[0]
	out := report.Lesson{Command: l.Command(), Version: l.env.Version, Kernels: kernel.Active(), Seed: first.Train.Seed, Data: first.Data.Name}
	depth, err := l.depth.Report()
	if err != nil {
		return out, err
	}
	for _, c := range depth.Claims {
		out.Findings = append(out.Findings, c.Sentence())
	}
	deep, err := l.deep.Report()
	if err != nil {
		return out, err
	}
	for _, f := range depth.Figures() {
		if f.ID == "error" {
			out.Figures = append(out.Figures, f)
		}
	}
	gradients, err := l.gradients(ctx)
	if err != nil {
		return out, err
	}
	out.Figures = append(out.Figures, gradients)
	for _, f := range deep.Figures() {
		if f.ID == "responses" {
			out.Figures = append(out.Figures, f)
		}
	}
	out.Depth, out.Deep, out.Normalisation = taught(l.depth, depth), taught(l.deep, deep), nil
	norm, err := l.normalisation.Report()
	if err != nil {
		return out, err
	}
	out.Normalisation = taught(l.normalisation, norm)
	if out.Starts, err = l.starts(ctx); err != nil {
		return out, err
	}
	if err := l.drop(ctx, &out); err != nil {
		return out, err
	}
	return out, l.write(out)
}

// write writes the lesson's files.
func (l *LessonPlan) write(out report.Lesson) error {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(out); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := WriteLesson(&page, out, nil); err != nil {
		return err
	}
	if err := atomicfile.WriteFile(atomicfile.OS, filepath.Join(l.Out, LessonFile), "lesson", data.Bytes()); err != nil {
		return &IOError{err}
	}
	if err := atomicfile.WriteFile(atomicfile.OS, filepath.Join(l.Out, LessonPage), "lesson", page.Bytes()); err != nil {
		return &IOError{err}
	}
	return nil
}

// WriteLesson writes the page of a lesson: see report.WriteLesson. The blocks that it shows are
// those of the lesson's networks.
func WriteLesson(w io.Writer, l report.Lesson, v *report.Visited) error {
	for _, name := range []string{fmt.Sprintf("plain%d", lessonDepth), fmt.Sprintf("resnet%d", lessonDepth)} {
		s, err := blocks.Lookup(name)
		if err != nil {
			return err
		}
		l.Blocks = append(l.Blocks, drawBlocks(s)[0])
	}
	return report.WriteLesson(w, l, v)
}

// taught is what a report says of the runs of a comparison, one of each network.
func taught(c *Comparison, r report.Comparison) []report.Taught {
	var list []report.Taught
	for i, run := range c.Runs {
		t := report.Taught{
			Network: run.Spec.Name, Layers: run.Spec.Depth(), Parameters: run.Spec.Params, BatchNorm: run.Experiment.Model.BatchNorm, Rate: run.Train.Schedule.Rate,
			Diverged: run.Diverged != "",
		}
		if run.Net.Values == nil {
			t.Network = run.Net.Model()
		}
		if h := r.Runs[i].History; len(h) > 0 && !t.Diverged {
			if v := newest(h, "train_error"); v != nil {
				t.TrainError = *v
			}
			if v := newest(h, "test_error"); v != nil {
				t.TestError = *v
			}
		}
		list = append(list, t)
	}
	return list
}

// gradients are those of the deep pair, before and after its training.
func (l *LessonPlan) gradients(ctx context.Context) (report.Figure, error) {
	var when [2][]report.Strengths
	for i, resume := range []bool{false, true} {
		for _, r := range l.deep.Runs {
			t := &Training{Experiment: r.Experiment, Dir: l.Out, Resume: resume, Control: train.NewControl()}
			if resume {
				t.Dir = r.Dir
			}
			list, err := t.Gradients(ctx, lessonBatches)
			if err != nil {
				return report.Figure{}, fmt.Errorf("%s: %w", r.Name(), err)
			}
			s := report.Strengths{Network: r.Net.Model(), Plain: r.Spec.Shortcut == blocks.None}
			for _, g := range list {
				s.Values = append(s.Values, g.Norm)
			}
			when[i] = append(when[i], s)
		}
	}
	return report.NewGradientFigure(when[0], when[1]), nil
}

// starts are the gradients of untrained deep networks of both kinds, with normalisation and
// without.
func (l *LessonPlan) starts(ctx context.Context) ([]report.Start, error) {
	open := NewDataSets()
	var list []report.Start
	for _, with := range []bool{true, false} {
		for _, residual := range []bool{false, true} {
			c, err := config.Load(l.config(fmt.Sprintf("model.depth=%d", lessonDeep), fmt.Sprintf("model.residual=%v", residual), fmt.Sprintf("model.batch_norm=%v", with), fmt.Sprintf("train.seed=%d", l.Seed)))
			if err != nil {
				return nil, err
			}
			x, err := New(ctx, l.env, c, l.Threads, open)
			if err != nil {
				return nil, err
			}
			g, err := (&Training{Experiment: x, Dir: l.Out, Control: train.NewControl()}).Gradients(ctx, lessonBatches)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", x.Spec.Name, err)
			}
			convolutions := g[:len(g)-1] // the classifier's gradient follows from the loss alone
			s := report.Start{Network: x.Spec.Name, BatchNorm: with, First: g[0].Norm, Last: convolutions[len(convolutions)-1].Norm}
			s.Least, s.Most = s.First, s.First
			for _, layer := range convolutions {
				s.Least, s.Most = min(s.Least, layer.Norm), max(s.Most, layer.Norm)
			}
			list = append(list, s)
		}
	}
	return list, nil
}

// drop measures the networks of the lesson's depth without a part of each block in turn.
func (l *LessonPlan) drop(ctx context.Context, out *report.Lesson) error {
	run := func(residual bool) string {
		i := slices.IndexFunc(l.depth.Runs, func(r *ComparedRun) bool { return r.Depth == lessonDepth && r.Residual == residual })
		return l.depth.Runs[i].Dir
	}
	spec, err := blocks.Lookup(fmt.Sprintf("resnet%d", lessonDepth))
	if err != nil {
		return err
	}
	for _, b := range spec.Blocks() {
		out.Dropped = append(out.Dropped, report.Lesion{Block: b.Name})
	}
	for _, m := range []struct {
		dir   string
		part  blocks.BlockPart
		whole *float64
		of    func(*report.Lesion) **float64
	}{
		{run(true), blocks.PartShortcut, &out.Whole.Residual, func(r *report.Lesion) **float64 { return &r.Shortcut }},
		{run(true), blocks.PartBranch, &out.Whole.Residual, func(r *report.Lesion) **float64 { return &r.Branch }},
		{run(false), blocks.PartBranch, &out.Whole.Plain, func(r *report.Lesion) **float64 { return &r.Plain }},
	} {
		measured, err := Measure(ctx, l.env, []string{m.dir}, MeasureOptions{
			Split: datasets.Test, Threads: l.depth.Threads, Without: m.part,
			View: oneView,
		})
		if err != nil {
			return err
		}
		rows := measured.Table().Rows
		out.Lesions = append(out.Lesions, eval.Lesions(rows)...)
		*m.whole = rows[0].Top1Error
		for _, r := range rows[1:] {
			i := slices.IndexFunc(out.Dropped, func(d report.Lesion) bool { return strings.HasSuffix(r.Without, " "+d.Block) })
			e := r.Top1Error
			*m.of(&out.Dropped[i]) = &e
		}
	}
	return nil
}

// maxLessonFile bounds a file of figures.
const maxLessonFile = 64 << 20

// ReadLesson reads the figures that Measure wrote to a folder. It fails with fs.ErrNotExist where
// there are none.
func ReadLesson(dir string) (report.Lesson, error) {
	path := filepath.Join(dir, LessonFile)
	if _, err := os.Stat(path); err != nil {
		return report.Lesson{}, err
	}
	data, err := input.Read(path, maxLessonFile)
	if err != nil {
		return report.Lesson{}, err
	}
	l, err := report.DecodeLesson(data, path)
	if err != nil {
		err = fmt.Errorf("%w: %w: `resnet lesson measure --out %s` writes it", datasets.ErrData, err, text.ShellQuote(dir))
	}
	return l, err
}

// visitedCurves is of how many trainings the lesson compares the curves: the newest.
const visitedCurves = 8

// Visit is what the lesson shows of the visitor's trainings in and below a folder, found as
// `runs list` finds them. link gives the address of a run's report.
func Visit(dir string, link func(run string) string) *report.Visited {
	v := &report.Visited{Folder: dir}
	if _, err := os.Stat(dir); err != nil { // nothing has been trained yet
		return v
	}
	all, err := Runs(dir)
	if err != nil {
		v.Problem = err.Error()
		return v
	}
	slices.SortStableFunc(all, func(a, b RunSummary) int { // the newest first
		switch {
		case a.Saved == nil && b.Saved == nil:
			return 0
		case a.Saved == nil:
			return 1
		case b.Saved == nil:
			return -1
		}
		return b.Saved.Compare(*a.Saved)
	})
	var measured []string
	for _, r := range all {
		run := report.VisitedRun{
			Run: text.Printable(r.Run), Network: text.Printable(r.Network), Data: text.Printable(r.Dataset), State: string(r.State), Step: r.Step,
			TrainError: r.TrainError, TestError: r.TestError,
		}
		if run.TestError == nil {
			run.TestError = r.ValError
		}
		if _, err := os.Stat(filepath.Join(r.Run, report.ReportFile)); err == nil {
			run.Link = link(r.Run)
		}
		v.Runs = append(v.Runs, run)
		if r.Problem == "" && r.TrainError != nil && len(measured) < visitedCurves {
			measured = append(measured, r.Run)
		}
	}
	if len(measured) == 0 {
		return v
	}
	slices.Sort(measured)
	c, err := compareRuns(measured, "compare-runs")
	if err != nil {
		v.Problem = text.Printable(err.Error())
		return v
	}
	v.Comparison = &c
	return v
}

// VisitedReport is the page of one of the runs that Visit lists; false where run is none of them.
func VisitedReport(dir, run string) ([]byte, bool) {
	all, err := Runs(dir)
	if err != nil || !slices.ContainsFunc(all, func(r RunSummary) bool { return r.Run == run }) {
		return nil, false
	}
	page, err := input.Read(filepath.Join(run, report.ReportFile), maxLessonFile)
	return page, err == nil
}
