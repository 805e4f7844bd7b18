package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"resnet/internal/train"
)

// watcher turns signals into requests to a training: the first SIGINT or SIGTERM stops it after a
// checkpoint, the second ends the process at once (the checkpoints that are there stay whole),
// SIGUSR1 saves, SIGHUP does nothing: a closed terminal does not end a training, and neither does a
// closed pipe.
type watcher struct {
	control *train.Control
	ch      chan os.Signal
	done    chan struct{}
	over    chan struct{} // closed by saved
	once    sync.Once
	first   atomic.Int32 // exit status of the first signal, or 0
}

// watchSignals starts watching. exit is os.Exit; grace is how long saving may take.
func (a *app) watchSignals(control *train.Control, grace time.Duration, exit func(int)) *watcher {
	w := &watcher{control: control, ch: make(chan os.Signal, 4), done: make(chan struct{}), over: make(chan struct{})}
	a.out, a.err = &muteWriter{w: a.out, results: true}, &muteWriter{w: a.err}
	signal.Notify(w.ch, watched...)
	go w.run(a, grace, exit)
	return w
}

func (w *watcher) run(a *app, grace time.Duration, exit func(int)) {
	var deadline <-chan time.Time
	over := w.over
	for {
		select {
		case <-w.done:
			return
		case <-over:
			deadline, over, grace = nil, nil, 0
		case <-deadline:
			if w.isSaved() {
				continue
			}
			a.say("Not saved within %v (--grace): giving up. What was trained since the last checkpoint is lost; earlier checkpoints are whole.", grace)
			exit(exitFailed) // not the signal's status, which says that all is saved
		case s := <-w.ch:
			switch status := stopStatus(s); {
			case isSaveSignal(s):
				w.control.SaveNow()
			case status == 0: // SIGHUP, SIGPIPE
			case w.first.CompareAndSwap(0, int32(status)):
				if a.group != nil {
					a.group.Leaving()
				}
				if w.isSaved() {
					a.say("The training is saved: leaving out the rest of its page; again to stop at once.")
				} else {
					a.say("Finishing this step and saving; again to stop at once.")
				}
				w.control.Stop()
				if grace > 0 {
					deadline = time.After(grace)
				}
			default:
				if !w.isSaved() {
					a.say("Ended at once: what was trained since the last checkpoint is not saved.")
				}
				exit(status)
			}
		}
	}
}

func stopStatus(s os.Signal) int {
	switch s {
	case os.Interrupt:
		return exitInterrupt
	case syscall.SIGTERM:
		return exitTerminated
	}
	return 0
}

// status is the exit status that a signal asked for, or 0.
func (w *watcher) status() int { return int(w.first.Load()) }

// ended is the error of a command whose work ended with err: the status of a signal where one ended
// it. Without a watcher it is err.
func (w *watcher) ended(err error) error {
	if w != nil && w.status() != 0 && errors.Is(err, context.Canceled) {
		return &silentError{&stoppedError{w.status()}}
	}
	return err
}

// saved says that the training has ended: from here on there is nothing to wait for.
func (w *watcher) saved() { w.once.Do(func() { close(w.over) }) }

func (w *watcher) isSaved() bool {
	select {
	case <-w.over:
		return true
	default:
		return false
	}
}

// stop ends watching; signals have their usual effect again.
func (w *watcher) stop() {
	signal.Stop(w.ch)
	close(w.done)
}

// patience is how long work that a signal has ended may take to notice. What waits in the system
// (for a disk that is gone, a server that does not answer) never does.
const patience = 10 * time.Second

// interruptible does the work of a command that has nothing to save. Its context ends at the first
// SIGINT or SIGTERM; the second ends the process as usual, and so does patience. Where a signal
// ended the work, stopped (unless it is "") tells the user what there is now, and the exit status
// is the signal's.
func (a *app) interruptible(ctx context.Context, stopped string, work func(ctx context.Context) error) error {
	return a.interruptibleFor(ctx, stopped, patience, os.Exit, work)
}

func (a *app) interruptibleFor(ctx context.Context, stopped string, patience time.Duration, exit func(int), work func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	defer cancel()
	defer close(ended)
	ch := make(chan os.Signal, 1)
	var status atomic.Int32
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(ch)
	go func() {
		select {
		case s := <-ch:
			status.Store(int32(stopStatus(s)))
			signal.Stop(ch)
			cancel()
			select {
			case <-ended:
			case <-time.After(patience):
				a.say("Stopped while waiting for the system.")
				exit(stopStatus(s))
			}
		case <-ctx.Done():
		}
	}()
	err := work(ctx)
	if s := status.Load(); err != nil && s != 0 {
		if stopped != "" {
			a.say("%s", stopped)
		}
		return &silentError{&stoppedError{int(s)}}
	}
	return err
}
