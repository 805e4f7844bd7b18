package experiment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"resnet/internal/atomicfile"
	"resnet/internal/config"
	"resnet/internal/eval/report"
	"resnet/internal/folderlock"
	"resnet/internal/text"
	"resnet/internal/train"
)

// Quickstart is the comparison of a plain and a residual network of the same depth on the embedded
// images.
type Quickstart struct {
	Dir  string
	Nets [2]*Entrant

	lock *folderlock.Lock
}

// Entrant is one of the two networks of the quickstart, and how it did.
type Entrant struct {
	Name       string  `json:"name"` // plain or residual
	Model      string  `json:"model"`
	Run        string  `json:"run"`
	Params     int64   `json:"params"`
	TrainError float64 `json:"train_top1_error"` // percent, mean of the last epoch
	TestError  float64 `json:"test_top1_error"`
	Seconds    float64 `json:"seconds"`

	*Experiment `json:"-"`
	sum         train.Summary
	incomplete  error // a record that could not be written
}

// NewQuickstart makes both experiments ready and then the folder: out, or the first free of
// quickstart, quickstart-2, ... The folder is locked until Close; it fails with
// folderlock.ErrLocked where another process has it.
func NewQuickstart(ctx context.Context, env *Environment, in config.Input, threads int, out string) (*Quickstart, error) {
	q := &Quickstart{Nets: [2]*Entrant{{Name: "plain"}, {Name: "residual"}}}
	open := NewDataSets()
	for _, n := range q.Nets { // all mistakes before any work
		with := in
		with.Sets = append(append([]string{}, in.Sets...), fmt.Sprintf("model.residual=%v", n.Name == "residual"))
		l, err := config.Load(with)
		if err != nil {
			return nil, err
		}
		if n.Experiment, err = New(ctx, env, l, threads, open); err != nil {
			return nil, err
		}
	}
	if err := q.makeDir(out); err != nil {
		q.Close()
		return nil, err
	}
	return q, nil
}

func (q *Quickstart) makeDir(out string) (err error) {
	if q.Dir = out; out == "" {
		q.Dir, err = firstFree(func(k int) string {
			if k == 1 {
				return "quickstart"
			}
			return fmt.Sprintf("quickstart-%d", k)
		})
	} else if err = atomicfile.OS.MkdirAll(out, atomicfile.DirPerm); err != nil {
		err = &IOError{err}
	}
	if err != nil {
		return err
	}
	if q.lock, err = folderlock.Acquire(filepath.Join(q.Dir, "lock"), "running a quickstart in this folder"); err != nil {
		return err
	}
	for _, n := range q.Nets {
		if HoldsRun(filepath.Join(q.Dir, n.Name)) {
			return config.Usagef("%s holds a quickstart already: choose another --out", text.Printable(q.Dir))
		}
	}
	return nil
}

// Close lets go of the folder.
func (q *Quickstart) Close() {
	if q.lock != nil {
		_ = q.lock.Release() // a lock without a holder is free
		q.lock = nil
	}
}

// Describe says in a line what is trained.
func (q *Quickstart) Describe() string {
	first := q.Nets[0]
	n, _, _ := first.data.sizes()
	shape := first.data.input()
	return fmt.Sprintf("Two networks of %d layers, %s training images of %dx%d, %s", first.Spec.Depth(), text.Grouped(n), shape[1], shape[2],
		text.Count(first.Threads, "thread"))
}

// Train trains one of the networks to its end. What it returns besides an error is valid after a
// stop as well.
func (q *Quickstart) Train(ctx context.Context, n *Entrant, control *train.Control, w Watcher) (train.Summary, error) {
	n.Run = filepath.Join(q.Dir, n.Name)
	sum, err := (&Training{Experiment: n.Experiment, Dir: n.Run, Control: control, Watcher: w}).Run(ctx)
	var incomplete *train.IncompleteError
	if errors.As(err, &incomplete) {
		n.incomplete = err
	} else if err != nil {
		return sum, err
	}
	n.sum, n.Model, n.Seconds, n.Params = sum, n.Spec.Name, sum.Elapsed.Seconds(), n.Spec.Params
	r := sum.Last
	if r == nil || r.Train == nil || r.Test == nil {
		return sum, fmt.Errorf("%s: there is no evaluation to show", n.Run)
	}
	n.TrainError, n.TestError = r.Train.Error, r.Test.Error
	return sum, nil
}

// Report writes the report of both and returns what it says and the curves.
func (q *Quickstart) Report() (report.Verdict, []report.Series, error) {
	first := q.Nets[0]
	r := report.Report{Title: fmt.Sprintf("%d layers, plain and residual, on %s", first.Spec.Depth(), first.Data.Name)}
	var series []report.Series
	var compared []report.Compared
	var nets []report.Net
	for _, n := range q.Nets {
		run, notes, err := readRun(n.Run)
		if err != nil {
			return report.Verdict{}, nil, err
		}
		run.Name, r.Notes = n.Name, append(r.Notes, notes...)
		net := report.Net{Params: n.Params, Batch: n.Plan.ImagesPerStep()}
		net.TrainImages, net.ValImages, net.TestImages = n.data.sizes()
		compared = append(compared, report.Compared{Run: run, Net: net})
		nets = append(nets, report.Net{Model: n.Model, Blocks: drawBlocks(n.Spec)})
		r.Runs, series = append(r.Runs, run), append(series, run.Series())
		r.Table.Rows = append(r.Table.Rows, n.Table(n.Run, n.sum).Rows...)
	}
	r.Blocks = report.Drawings(nets)
	v := report.Judge(compared[0], compared[1])
	r.Notes = append([]string{v.Text()}, r.Notes...)
	return v, series, report.WriteReport(q.Dir, r)
}

// Incomplete is the error of the records that could not be written, or nil.
func (q *Quickstart) Incomplete() error {
	return errors.Join(q.Nets[0].incomplete, q.Nets[1].incomplete)
}

// Files are those that Report writes.
func (q *Quickstart) Files() []string {
	return []string{filepath.Join(q.Dir, report.ReportFile), filepath.Join(q.Dir, report.CurvesSVG), filepath.Join(q.Dir, report.CurvesPNG)}
}
