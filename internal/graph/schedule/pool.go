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
	// generation changes with each run; its lower bits are how many workers take part. It lets idle
	// workers spin for the next run for a moment before they sleep: regions follow each other
	// closely.
	generation atomic.Uint64
	asleep     []atomic.Bool
	closed     bool
	processors []int // that the threads run on; none means any
}

// spins is how often an idle worker looks for work before it sleeps: some tens of microseconds.
const spins = 20000

func newPool(threads int, processors []int) *pool {
	p := &pool{threads: threads, processors: processors, start: make([]chan struct{}, threads), asleep: make([]atomic.Bool, threads)}
	for i := 1; i < threads; i++ {
		p.start[i] = make(chan struct{}, 1)
		go p.work(i)
	}
	return p
}

func (p *pool) work(worker int) {
	bind(p.processors) // the thread ends with this goroutine, unless it is free
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
		// Runs without this worker do not wait for it, so it may have missed some.
		if seen = p.generation.Load(); worker >= int(seen%maxWorkers) {
			continue
		}
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

// maxWorkers is above the number of threads, and a power of two.
const maxWorkers = 1 << 20

// run calls f once for each unit and returns when all calls have. No more workers take part than
// there are units, and nobody waits for the others. A closed pool has the caller alone.
func (p *pool) run(units int, f func(worker, unit int)) {
	if p.threads == 1 || units <= 1 || p.closed {
		for u := range units {
			f(0, u)
		}
		return
	}
	p.f, p.units = f, int64(units)
	p.next.Store(0)
	p.release(min(units, p.threads))
	p.take(0)
	p.done.Wait()
}

// release begins a run of so many workers, the caller among them.
func (p *pool) release(workers int) {
	p.done.Add(workers - 1)
	p.generation.Store((p.generation.Load()/maxWorkers+1)*maxWorkers + uint64(workers))
	for i := 1; i < workers; i++ {
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
	p.release(p.threads)
	p.done.Wait()
}
