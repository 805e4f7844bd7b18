package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"resnet/internal/experiment"
	"resnet/internal/text"
	"resnet/internal/train"
)

// quietInterval is how often a line is written where there is no terminal for a bar.
const quietInterval = 10 * time.Second

// progress shows a training on standard error: a bar on a terminal, otherwise a line now and then.
// It is an experiment.Watcher.
type progress struct {
	a       *app
	label   string // begins lines
	hello   string // said when the work begins; "" says nothing
	unit    string // what is counted: image or utterance
	total   int
	wantBar bool                     // lines alone where several trainings share a terminal
	bar     *progressbar.ProgressBar // nil before Begin, and without a terminal
	room    int                      // columns for the text beside the bar
	last    time.Time
	now     func() time.Time
}

var _ experiment.Watcher = (*progress)(nil)

// newProgress shows the training of an experiment.
func newProgress(a *app, x *experiment.Experiment, label, hello string, bar bool) *progress {
	return &progress{a: a, label: label, hello: hello, unit: x.Unit(), total: x.Plan.Iterations, wantBar: bar, now: time.Now}
}

// Begin draws the bar, where it is wanted and there is a terminal.
func (p *progress) Begin() {
	if p.hello != "" {
		p.a.sayWrapped(p.hello)
	}
	if !p.wantBar || !p.a.errTTY || p.a.getenv("TERM") == "dumb" {
		return
	}
	width, barWidth := p.a.errWidth, 20
	if width == 0 { // the terminal does not say
		width = 80
	}
	if width < 120 {
		barWidth = 6
	}
	const around = 12 // " 100% |" and "|", and what progressbar adds behind
	p.room = width - barWidth - around
	p.bar = progressbar.NewOptions(p.total,
		// It detects no terminals itself.
		progressbar.OptionSetWriter(p.a.err), progressbar.OptionSetVisibility(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetWidth(barWidth), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription(p.label))
}

// Step moves the bar. A line that wraps could not be painted over, so the text beside it fits.
func (p *progress) Step(s train.Progress) {
	if p.bar != nil {
		p.bar.Describe(text.Fit(append([]string{p.label}, experiment.ProgressParts(s, p.unit)...), leastParts, p.room))
		_ = p.bar.Set(s.Step) // a terminal that is gone must not end the training
		return
	}
	if now := p.now(); now.Sub(p.last) >= quietInterval {
		if !p.last.IsZero() || s.Step > 1 {
			p.a.say("%s step %s/%s  %s", p.label, text.Grouped(s.Step), text.Grouped(s.Total), strings.Join(experiment.ProgressParts(s, p.unit), "  "))
		}
		p.last = now
	}
}

// leastParts are the parts of a bar's text that a narrow terminal does without: the learning rate,
// epoch, loss and error. The speed and the time that is left stay, and the label, while they fit.
var leastParts = []int{4, 1, 2, 3}

// Eval writes a line that stays.
func (p *progress) Eval(r train.Row, _ train.Progress) { p.Line(describeRow(p.label, r)) }

func describeRow(label string, r train.Row) string {
	line := fmt.Sprintf("%s epoch %.1f, step %s: ", label, r.Epoch, text.Grouped(r.Step))
	var parts []string
	for _, s := range []struct {
		name string
		m    *train.Metrics
	}{{"train", r.Train}, {"validation", r.Val}, {"test", r.Test}, {"training set", r.TrainEval}} {
		if s.m != nil {
			parts = append(parts, fmt.Sprintf("%s error %.2f%%, loss %.4f", s.name, s.m.Error, s.m.Loss))
		}
	}
	return line + strings.Join(parts, "; ")
}

// Message names the run, because several may be at work.
func (p *progress) Message(m train.Message) {
	prefix := ""
	if m.Warning {
		prefix = "warning: "
	}
	p.Line(fmt.Sprintf("%s%s: %s", prefix, p.label, m.Text))
}

// Line writes a line above the bar.
func (p *progress) Line(line string) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	p.a.sayWrapped(line)
	p.last = p.now()
}

// End removes the bar.
func (p *progress) End() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
