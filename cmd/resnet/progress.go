package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"resnet/internal/train"
)

// quietInterval is how often a line is written where there is no terminal for a bar.
const quietInterval = 10 * time.Second

// progress shows a training on standard error: a bar on a terminal, otherwise a line now and then.
type progress struct {
	a     *app
	label string
	unit  string                   // what is counted: image or utterance
	bar   *progressbar.ProgressBar // nil without a terminal
	room  int                      // columns for the text beside the bar
	last  time.Time
	now   func() time.Time
}

// newProgress begins a bar, where it is wanted and there is a terminal.
func newProgress(a *app, label string, total int, bar bool) *progress {
	p := &progress{a: a, label: label, unit: "image", now: time.Now}
	if bar && a.errTTY && a.getenv("TERM") != "dumb" {
		width, barWidth := a.errWidth, 20
		if width == 0 { // the terminal does not say
			width = 80
		}
		if width < 120 {
			barWidth = 6
		}
		const around = 12 // " 100% |" and "|", and what progressbar adds behind
		p.room = width - barWidth - around
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(a.err), progressbar.OptionSetVisibility(true), // it detects no terminals itself
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetWidth(barWidth), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription(label))
	}
	return p
}

// step is train.Hooks.OnStep.
func (p *progress) step(s train.Progress) {
	if p.bar != nil {
		p.bar.Describe(fit(append([]string{p.label}, stepParts(s, p.unit, p.a.errWidth < 120)...), p.room))
		_ = p.bar.Set(s.Step) // a terminal that is gone must not end the training
		return
	}
	if now := p.now(); now.Sub(p.last) >= quietInterval {
		if !p.last.IsZero() || s.Step > 1 {
			p.a.say("%s step %s/%s  %s", p.label, grouped(s.Step), grouped(s.Total), strings.Join(stepParts(s, p.unit, false), "  "))
		}
		p.last = now
	}
}

// fit joins parts and leaves out the last ones where they are wider than room: a line that wraps
// could not be painted over.
func fit(parts []string, room int) string {
	for n := len(parts); n > 0; n-- {
		if text := strings.Join(parts[:n], " "); utf8.RuneCountInString(text) <= room {
			return text
		}
	}
	return ""
}

// stepParts is what a line of progress says besides the step; short fits a terminal of 80 columns
// beside the bar.
func stepParts(s train.Progress, unit string, short bool) []string {
	parts := []string{fmt.Sprintf("epoch %.2f", s.Epoch), fmt.Sprintf("loss %.3f", s.MeanLoss), fmt.Sprintf("error %.1f%%", s.MeanError)}
	if !short {
		parts = append(parts, fmt.Sprintf("rate %.3g", s.Rate))
	}
	parts = append(parts, fmt.Sprintf("%.0f %ss/s", s.ImagesPerSecond, unit))
	if s.ETA > 0 {
		parts = append(parts, "left "+duration(s.ETA))
	}
	return parts
}

// eval is train.Hooks.OnEval: a line that stays.
func (p *progress) eval(r train.Row, _ train.Progress) {
	p.line("%s", describeRow(p.label, r))
}

func describeRow(label string, r train.Row) string {
	line := fmt.Sprintf("%s epoch %.1f, step %s: ", label, r.Epoch, grouped(r.Step))
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

// message is train.Hooks.OnMessage. It names the run, because several may be at work.
func (p *progress) message(m train.Message) {
	prefix := ""
	if m.Warning {
		prefix = "warning: "
	}
	p.line("%s%s: %s", prefix, p.label, m.Text)
}

// line writes a line above the bar.
func (p *progress) line(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	p.a.say(format, args...)
	p.last = p.now()
}

func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// duration writes 3h25m, 12m30s or 4.2s.
func duration(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

// count writes "1 thread" or "2 threads".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(n) + " " + what + "s"
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	units := []string{"B", "KB", "MB", "GB", "TB"}
	f := float64(n)
	i := 0
	for f >= 1000 && i < len(units)-1 {
		f /= 1000
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", f, units[i])
}
