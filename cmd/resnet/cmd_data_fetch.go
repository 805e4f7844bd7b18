package main

import (
	"context"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

// runDataFetch downloads with a bar on a terminal, otherwise with a line now and then. A signal
// keeps what has arrived.
func runDataFetch(ctx context.Context, a *app, name, dir string) error {
	if err := knownData(name); err != nil {
		return err
	}
	stopped := fmt.Sprintf("Stopped; what has arrived is kept. Continue: %s data fetch %s", a.self, name)
	err := a.interruptible(ctx, stopped, func(ctx context.Context) error {
		show := fetchProgress{a: a}
		defer show.close()
		return datasets.Fetch(ctx, name, dir, datasets.FetchOptions{Progress: show.update, Waiting: show.waiting})
	})
	if err != nil {
		return err
	}
	if dir == "" {
		dir, _ = datasets.DefaultDir(name)
	}
	_, err = fmt.Fprintf(a.out, "%s is in %s\n", name, text.Printable(dir))
	return err
}

// waiting says who has the folder.
func (f *fetchProgress) waiting(line string) {
	f.close()
	f.a.say("%s", text.Printable(line))
}

type fetchProgress struct {
	a    *app
	file string
	bar  *progressbar.ProgressBar
	last time.Time
}

func (f *fetchProgress) update(p datasets.Progress) {
	if f.a.errTTY {
		if f.file != p.File {
			f.close()
			f.bar = progressbar.NewOptions64(p.Total, progressbar.OptionSetWriter(f.a.err), progressbar.OptionShowBytes(true),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription(p.File))
			f.file = p.File
		}
		_ = f.bar.Set64(p.Done)
		return
	}
	if now := time.Now(); f.file != p.File || now.Sub(f.last) >= quietInterval {
		f.file, f.last = p.File, now
		f.a.say("%s: %s of %s", text.Printable(p.File), text.Bytes(p.Done), text.Bytes(p.Total))
	}
}

func (f *fetchProgress) close() {
	if f.bar != nil {
		_ = f.bar.Clear()
	}
}
