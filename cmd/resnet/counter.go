package main

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"resnet/internal/text"
)

// counter shows how many of a number of things are done: a bar on a terminal, otherwise a line now
// and then.
type counter struct {
	a     *app
	label string
	total int
	bar   *progressbar.ProgressBar
	last  time.Time
}

func (c *counter) begin(total int) {
	c.total, c.last = total, time.Now()
	if c.a.errTTY && c.a.getenv("TERM") != "dumb" {
		c.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(c.a.err), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription(c.label))
	}
}

func (c *counter) set(n int) {
	if c.bar != nil {
		_ = c.bar.Set(n) // a terminal that is gone must not end the work
	} else if now := time.Now(); now.Sub(c.last) >= quietInterval {
		c.a.say("%s: %s of %s", c.label, text.Grouped(n), text.Grouped(c.total))
		c.last = now
	}
}

func (c *counter) close() {
	if c.bar != nil {
		_ = c.bar.Clear()
	}
}
