package train

import (
	"sync"
	"sync/atomic"
)

// Control passes requests from a signal handler to a running loop. Its methods may be called from any goroutine, any
// number of times, also before Run and on nil.
type Control struct {
	once sync.Once
	stop chan struct{}
	save atomic.Bool
}

// NewControl returns a Control without a request.
func NewControl() *Control { return &Control{stop: make(chan struct{})} }

// Stop asks the loop to finish the update, save a checkpoint and return ErrStopped.
func (c *Control) Stop() {
	if c != nil {
		c.once.Do(func() { close(c.stop) })
	}
}

// SaveNow asks for a checkpoint after the current update; training goes on.
func (c *Control) SaveNow() {
	if c != nil {
		c.save.Store(true)
	}
}

// done is closed by Stop; for a nil Control it is nil and never ready.
func (c *Control) done() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.stop
}

func (c *Control) stopping() bool {
	select {
	case <-c.done():
		return true
	default:
		return false
	}
}

// takeSave reports whether a checkpoint was asked for, once.
func (c *Control) takeSave() bool { return c != nil && c.save.Swap(false) }
