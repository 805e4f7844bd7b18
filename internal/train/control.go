package train

import (
	"context"
	"sync"
	"sync/atomic"
)

// Control passes requests from a signal handler to a running loop. Several loops may share one.
// Its methods may be called from any goroutine, any number of times, also before Run and on nil.
type Control struct {
	once sync.Once
	stop chan struct{}
	save atomic.Int64 // requests so far: each loop that shares the Control obeys each once
}

// NewControl returns a Control without a request.
func NewControl() *Control { return &Control{stop: make(chan struct{})} }

// Stop asks the loop to finish the update, save a checkpoint and return ErrStopped.
func (c *Control) Stop() {
	if c != nil {
		c.once.Do(func() { close(c.stop) })
	}
}

// SaveNow asks every loop that is running for a checkpoint after its update; training goes on.
func (c *Control) SaveNow() {
	if c != nil {
		c.save.Add(1)
	}
}

// Done is closed by Stop; for a nil Control it is nil and never ready.
func (c *Control) Done() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.stop
}

// Context returns one that ends with ctx or when Stop is called, whichever is first.
func (c *Control) Context(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-c.Done():
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx
}

func (c *Control) stopping() bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}

// takeSave reports whether a checkpoint was asked for since the request number that is in seen, and
// updates it.
func (c *Control) takeSave(seen *int64) bool {
	if c == nil {
		return false
	}
	n := c.save.Load()
	asked := n != *seen
	*seen = n
	return asked
}
