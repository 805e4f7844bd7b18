package main

import (
	"errors"
	"fmt"
	"io/fs"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/train"
)

// reportRun writes report.html and the curves into a run folder. A report that fails is worth a
// warning, never a training.
func (a *app) reportRun(dir string, j *job, sum train.Summary) {
	run, err := report.ReadRun(dir)
	if err == nil {
		err = report.WriteReport(dir, report.Report{
			Title: fmt.Sprintf("%s on %s", j.spec.Name, j.dataName()), Runs: []report.Run{run}, Table: lastTable(dir, j, sum),
		})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // stopped before its first evaluation: there is nothing to report
		a.say("warning: no report: %v", err)
	}
}

// lastTable is the last evaluation's test error beside the paper's.
func lastTable(dir string, j *job, sum train.Summary) eval.Table {
	if sum.Last == nil || sum.Last.Test == nil {
		return eval.Table{}
	}
	m := sum.Last.Test
	if j.speech != nil {
		return j.speech.lastTable(j, dir, m)
	}
	info := j.data.Info()
	metrics := eval.Metrics{N: info.Test, Top1Error: m.Error, Top5Error: m.Top5Error, Loss: m.Loss}
	protocol := eval.Protocol{Views: 1, Height: info.Height, Width: info.Width, Split: datasets.Test}
	return eval.Table{Rows: []eval.Row{eval.NewRow(j.spec.Name, dir, info.Name, j.spec.Params, protocol, metrics)}}
}

// chart draws curves with characters on standard output.
func (a *app) chart(series []report.Series) error {
	return report.Chart(a.out, series, report.ChartOptions{Color: a.colour(a.outTTY), ASCII: !a.unicode(), Width: min(a.outWidth, 100)})
}
