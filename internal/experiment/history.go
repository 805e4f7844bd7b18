package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"resnet/internal/eval/report"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// readRun reads a run folder for a report. The figures of the newest checkpoint that was evaluated
// are held against metrics.csv, which may lack rows, not be readable, or be another run's: what the
// checkpoint says is shown, and a note says so. It fails with fs.ErrNotExist where neither has any
// figure, and with report.ErrHistory where metrics.csv does not parse.
func readRun(dir string) (report.Run, []string, error) {
	run, err := report.ReadRecords(dir)
	if err != nil {
		return run, nil, err
	}
	for _, t := range train.Timings(dir) {
		run.Times = append(run.Times, report.Time{Step: t.Step, Seconds: t.Seconds, Speed: t.ImagesPerSecond})
	}
	path := filepath.Join(dir, train.MetricsFile)
	var unreadable error
	run.History, unreadable = report.ReadHistory(path)
	if errors.Is(unreadable, report.ErrHistory) {
		return run, nil, unreadable
	}
	list, _, listErr := checkpoint.View(dir, nil).List()
	list = slices.DeleteFunc(list, func(m checkpoint.Manifest) bool { return train.EvaluationOf(m) == nil })
	if len(list) == 0 {
		return run, nil, errors.Join(unreadable, listErr)
	}
	note := hold(&run, list[len(list)-1])
	switch {
	case note == "":
		return run, nil, nil
	case unreadable != nil && !errors.Is(unreadable, fs.ErrNotExist):
		note += fmt.Sprintf(" (%v)", unreadable)
	}
	return run, []string{path + ": " + note}, nil
}

// hold gives the history of a run the figures of a checkpoint. It returns what was wrong, or "".
func hold(run *report.Run, m checkpoint.Manifest) string {
	want := measurementOf(m)
	h := run.History
	i, found := slices.BinarySearchFunc(h, want.Step, func(row report.Measurement, step int) int { return row.Step - step })
	if !found {
		run.History = slices.Insert(slices.Clone(h), i, want)
		note := fmt.Sprintf("it has no row of step %d, which was evaluated; the errors of that step are those that its checkpoint keeps, and other rows may be missing", want.Step)
		if want.TrainError == nil && i > 0 && h[i-1].TrainError != nil {
			note += "; the training error is an earlier one"
		}
		return note
	}
	row, bad := h[i], false
	for _, c := range []struct{ now, want **float64 }{
		{&row.ValError, &want.ValError},
		{&row.TestError, &want.TestError},
		{&row.ValTop5, &want.ValTop5},
		{&row.TestTop5, &want.TestTop5},
		{&row.ValLoss, &want.ValLoss},
		{&row.TestLoss, &want.TestLoss},
		{&row.TrainLoss, &want.TrainLoss},
		{&row.TrainError, &want.TrainError},
		{&row.TrainEvalLoss, &want.TrainEvalLoss},
		{&row.TrainEvalError, &want.TrainEvalError},
	} {
		if *c.want != nil && (*c.now == nil || !written(**c.now, **c.want)) {
			*c.now, bad = *c.want, true
		}
	}
	if !bad {
		return ""
	}
	run.History = slices.Clone(h)
	run.History[i] = row
	return fmt.Sprintf("its row of step %d is not what was measured then; the errors are those that the checkpoint keeps", want.Step)
}

// written reports whether a figure of metrics.csv, of four decimals or nine digits, is a value.
func written(figure, value float64) bool {
	return math.Abs(figure-value) <= 0.51e-4+1e-8*math.Abs(value)
}

// measurementOf is the row of a checkpoint.
func measurementOf(m checkpoint.Manifest) report.Measurement {
	row := report.Measurement{Step: int(m.Step)}
	e := train.EvaluationOf(m)
	if v := e.Val; v != nil {
		row.ValLoss, row.ValError, row.ValTop5 = &v.Loss, &v.Error, v.Top5Error
	}
	if v := e.Test; v != nil {
		row.TestLoss, row.TestError, row.TestTop5 = &v.Loss, &v.Error, v.Top5Error
	}
	if v := e.Since; v != nil {
		row.TrainLoss, row.TrainError = &v.Loss, &v.Error
	}
	if v := e.Train; v != nil {
		row.TrainEvalLoss, row.TrainEvalError = &v.Loss, &v.Error
	}
	return row
}
