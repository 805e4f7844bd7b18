package experiment

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"
	"sync/atomic"

	"resnet/internal/eval/report"
	"resnet/internal/text"
	"resnet/internal/train"
)

// A Publisher shows the newest values of events to whoever looks: see serve.Live.
type Publisher interface {
	Publish(event string, value func() any)
}

// LivePage is the page of a training while it trains. It is a Watcher that tells another and
// publishes where the training is; its page is that of the run folder as it is.
type LivePage struct {
	Watcher
	t    *Training
	to   Publisher   // nil until it is said
	done atomic.Bool // is read where pages are asked for
}

// NewLivePage puts itself before the training's Watcher.
func NewLivePage(t *Training) *LivePage {
	p := &LivePage{Watcher: t.Watcher, t: t}
	t.Watcher = p
	return p
}

// To says who shows it, before the training begins.
func (p *LivePage) To(to Publisher) { p.to = to }

func (p *LivePage) publish(event string, value func() any) {
	if p.to != nil {
		p.to.Publish(event, value)
	}
}

// liveProgress is what is published of a step. Losses and errors (percent) are means since the last
// evaluation.
type liveProgress struct {
	Step  int     `json:"step"`
	Total int     `json:"total"`
	Loss  float64 `json:"loss"`
	Error float64 `json:"error"`
	Rate  float64 `json:"rate"`
	Text  string  `json:"text"`
}

// ProgressParts is what a line of progress says besides the step: epoch, loss, error, learning
// rate, speed and, where it is known, the time that is left.
func ProgressParts(s train.Progress, unit string) []string {
	parts := []string{
		fmt.Sprintf("epoch %.2f", s.Epoch), fmt.Sprintf("loss %.3f", s.MeanLoss), fmt.Sprintf("error %.1f%%", s.MeanError), fmt.Sprintf("rate %.3g", s.Rate),
		fmt.Sprintf("%.0f %ss/s", s.ImagesPerSecond, unit),
	}
	if s.ETA > 0 {
		parts = append(parts, "left "+text.Duration(s.ETA))
	}
	return parts
}

// Step publishes where the training is.
func (p *LivePage) Step(s train.Progress) {
	p.Watcher.Step(s)
	p.publish("progress", func() any {
		line := "step " + text.Grouped(s.Step) + " of " + text.Grouped(s.Total)
		line = strings.Join(append([]string{line}, ProgressParts(s, p.t.Unit())...), ", ")
		x := liveProgress{Step: s.Step, Total: s.Total, Loss: s.MeanLoss, Error: s.MeanError, Rate: s.Rate, Text: line}
		for _, v := range []*float64{&x.Loss, &x.Error, &x.Rate} {
			if math.IsNaN(*v) || math.IsInf(*v, 0) {
				*v = 0 // there is no JSON of it
			}
		}
		return x
	})
}

// Eval publishes the figures with what was measured.
func (p *LivePage) Eval(r train.Row, s train.Progress) {
	p.Watcher.Eval(r, s)
	p.publish("figures", func() any { return p.figures() })
}

// figures of what metrics.csv has.
func (p *LivePage) figures() []report.Figure {
	run, _, err := readRun(p.t.Dir)
	if err != nil { // the next evaluation brings them
		return nil
	}
	run.Unit = p.t.Unit()
	return report.Report{Live: true, Runs: []report.Run{run}}.Figures()
}

// Finished says that the run folder has its report: the page does not grow any more.
func (p *LivePage) Finished() { p.done.Store(true) }

// Write writes the page as it is now.
func (p *LivePage) Write(w io.Writer) error {
	page, err := pageOf(p.t.Dir)
	if errors.Is(err, fs.ErrNotExist) { // nothing is measured yet
		page, err = p.empty(), nil
	}
	if err != nil {
		return err
	}
	if p.done.Load() {
		if page.Diagnosis, _ = report.ReadDiagnosis(p.t.Dir); page.Diagnosis == nil {
			page.undiagnosed(p.t.Dir)
		}
	} else {
		page.Live, page.Notes = true, nil
		page.NoDiagnosis = "It is measured at the end of the training."
	}
	return page.WriteHTML(w)
}

// empty is the page of a training that has measured nothing.
func (p *LivePage) empty() *page {
	x := p.t.Experiment
	name := x.Spec.Name + " on " + x.data.identity()
	out := &page{Report: report.Report{
		Title: name, Runs: []report.Run{{Name: name, Unit: x.Unit()}},
		Blocks: report.Drawings([]report.Net{{Model: x.Spec.Name, Blocks: drawBlocks(x.Spec)}}),
	}}
	out.Preset, out.Changes = nearestPreset(&x.Config)
	return out
}
