package schedule

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// pool runs units of work on a fixed set of goroutines, the caller's among them. Which worker runs
// which unit is left to chance; nothing may depend on it.
type pool struct {
	threads int
	next    atomic.Int64
	units   int64
	f       func(worker, unit int)
	start   []chan struct{}
	done    sync.WaitGroup
	// generation lets idle workers spin for the next region for a moment before they sleep: regions
	// follow each other closely.
	generation atomic.Uint64
	asleep     []atomic.Bool
	closed     bool
}

// spins is how often an idle worker looks for work before it sleeps: some tens of microseconds.
const spins = 20000

func newPool(threads int) *pool {
	p := &pool{threads: threads, start: make([]chan struct{}, threads), asleep: make([]atomic.Bool, threads)}
	for i := 1; i < threads; i++ {
		p.start[i] = make(chan struct{}, 1)
		go p.work(i)
	}
	return p
}

func (p *pool) work(worker int) {
	seen := uint64(0)
	for {
		for n := 0; p.generation.Load() == seen; n++ {
			if n < spins {
				if n%64 == 63 {
					runtime.Gosched()
				}
				continue
			}
			p.asleep[worker].Store(true)
			if p.generation.Load() != seen && p.asleep[worker].CompareAndSwap(true, false) {
				break // work arrived in between, and nobody will wake us
			}
			<-p.start[worker]
			n = 0
		}
		seen++
		if p.f == nil {
			p.done.Done()
			return
		}
		p.take(worker)
		p.done.Done()
	}
}

func (p *pool) take(worker int) {
	for {
		u := p.next.Add(1) - 1
		if u >= p.units {
			return
		}
		p.f(worker, int(u))
	}
}

// run calls f once for each unit and returns when all calls have. A closed pool has the caller
// alone.
func (p *pool) run(units int, f func(worker, unit int)) {
	if p.threads == 1 || units == 1 || p.closed {
		for u := range units {
			f(0, u)
		}
		return
	}
	p.f, p.units = f, int64(units)
	p.next.Store(0)
	p.release()
	p.take(0)
	p.done.Wait()
}

func (p *pool) release() {
	p.done.Add(p.threads - 1)
	p.generation.Add(1)
	for i := 1; i < p.threads; i++ {
		if p.asleep[i].CompareAndSwap(true, false) {
			p.start[i] <- struct{}{}
		}
	}
}

func (p *pool) close() {
	if p.closed || p.threads == 1 {
		return
	}
	p.closed = true
	p.f = nil
	p.release()
	p.done.Wait()
}
