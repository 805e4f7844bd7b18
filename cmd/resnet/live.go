package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"resnet/internal/experiment"
	"resnet/internal/serve"
	"resnet/internal/text"
)

// liveAddress is where --live without an address listens.
const liveAddress = "127.0.0.1:8070"

// liveFlag adds --live.
func liveFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "live", "", "serve the page of the run at this address while it trains; port 0 takes a free one")
	f.Lookup("live").NoOptDefVal = liveAddress
}

// liveListener is the port of a page that grows; nil where none is asked for.
type liveListener struct{ serve.Listener }

// listenLive takes the port before any work. nothing says that there will be no training.
func listenLive(address string, nothing bool) (*liveListener, error) {
	if address == "" {
		return nil, nil
	}
	if nothing {
		return nil, usageErrorf("--live shows a training: leave it out here")
	}
	if err := serve.CheckAddress(address); err != nil {
		return nil, usageErrorf("--live=%w", err)
	}
	l, err := serve.Listen(address)
	if err != nil {
		return nil, &experiment.IOError{Err: fmt.Errorf("--live=%s: %w: give another port, as --live=127.0.0.1:0", text.Printable(address), err)}
	}
	return &liveListener{l}, nil
}

func (l *liveListener) close() {
	if l != nil {
		_ = l.Close() // a second time where it was served
	}
}

// serve shows the page of a training. What it returns ends that, when the run folder has its
// report.
func (l *liveListener) serve(a *app, t *experiment.Training) (end func()) {
	if l == nil {
		return func() {}
	}
	page := experiment.NewLivePage(t)
	s := serve.NewLive(l, page.Write)
	page.To(s)
	a.say("Live: http://%s", l.Addr())
	return func() {
		page.Finished()
		if err := s.End(); err != nil {
			a.say("warning: --live: %v", err)
		}
	}
}
