package schedule

import (
	"runtime"
	"sync/atomic"
)

// pool runs units of work on a fixed set of goroutines, the caller's among them. Which worker runs
// which unit is left to chance but for the first of each; nothing may depend on it.
//
// Workers belong to teams. A run begins with a line of memory that is written for each team, and
// ends with counts that go up through teams: no line goes through the caches of more workers than a
// team has, or than there are teams (Mellor-Crummey and Scott 1991).
type pool struct {
	next    line // the unit that nobody has taken yet
	teamsIn line // the teams whose workers are done
	done    line // the run that is done
	threads int
	units   int64
	f       func(worker, unit int)
	teams   []team
	asleep  []atomic.Bool
	wake    []chan struct{}
	// generation counts the runs; its lower bits are how many workers take part.
	generation uint64
	closed     bool
	processors []int // that the threads run on; none means any
}

// line is a number that has a cache line, and the one that is fetched with it, to itself.
type line struct {
	atomic.Uint64
	_ [120]byte
}

// team is teamSize workers: the run that they look for, and how many of them are done with it.
type team struct{ run, in line }

const teamSize = 8

// spins is how often an idle worker looks for work before it sleeps: some tens of microseconds.
// Regions follow each other closely.
const spins = 20000

func newPool(threads int, processors []int) *pool {
	p := &pool{
		threads: threads, processors: processors, teams: make([]team, parts(threads, teamSize)),
		asleep: make([]atomic.Bool, threads), wake: make([]chan struct{}, threads),
	}
	for i := range threads {
		p.wake[i] = make(chan struct{}, 1)
		if i > 0 {
			go p.work(i)
		}
	}
	return p
}

// await waits until a line is another than seen, and returns it.
func (p *pool) await(worker int, l *line, seen uint64) uint64 {
	for n := 0; ; n++ {
		if now := l.Load(); now != seen {
			return now
		}
		if n < spins {
			if n%64 == 63 {
				runtime.Gosched()
			}
			continue
		}
		p.asleep[worker].Store(true)
		if now := l.Load(); now != seen && p.asleep[worker].CompareAndSwap(true, false) {
			return now // it arrived in between, and nobody will wake us
		}
		<-p.wake[worker]
		n = 0
	}
}

// rouse wakes a worker if it sleeps.
func (p *pool) rouse(worker int) {
	if p.asleep[worker].Load() && p.asleep[worker].CompareAndSwap(true, false) {
		p.wake[worker] <- struct{}{}
	}
}

func (p *pool) work(worker int) {
	bind(p.processors) // the thread ends with this goroutine, unless it is free
	of, seen := &p.teams[worker/teamSize].run, uint64(0)
	for {
		// Runs without this worker do not wait for it, so it may have missed some.
		if seen = p.await(worker, of, seen); worker >= int(seen%maxWorkers) {
			continue
		}
		closing := p.f == nil
		if !closing {
			p.take(worker, seen)
		}
		p.arrive(worker, seen)
		if closing {
			return
		}
	}
}

// take runs units: first that of the worker's number, which no other takes, and then what is left.
func (p *pool) take(worker int, run uint64) {
	units, workers := p.units, int64(run%maxWorkers)
	for u := int64(worker); u < units; u = int64(p.next.Add(1)) - 1 {
		p.f(worker, int(u))
		if units == workers {
			return
		}
	}
}

// arrive says that a worker is done with a run. The last of all ends it.
func (p *pool) arrive(worker int, run uint64) {
	workers := int(run % maxWorkers)
	first := worker / teamSize * teamSize
	if !p.teams[worker/teamSize].in.last(min(teamSize, workers-first)) {
		return
	}
	if p.teamsIn.last(parts(workers, teamSize)) {
		p.done.Store(run)
		p.rouse(0)
	}
}

// last counts one more of so many, and says whether it was the last; then it begins again.
func (l *line) last(of int) bool {
	if of > 1 && l.Add(1) < uint64(of) {
		return false
	}
	l.Store(0)
	return true
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
	p.release(min(units, p.threads))
}

// release begins a run of so many workers, the caller among them, and waits for its end.
func (p *pool) release(workers int) {
	before := p.done.Load()
	p.generation++
	run := p.generation*maxWorkers + uint64(workers)
	p.next.Store(uint64(workers))
	for t := range parts(workers, teamSize) {
		p.teams[t].run.Store(run)
	}
	for i := 1; i < workers; i++ {
		p.rouse(i)
	}
	if p.f != nil {
		p.take(0, run)
	}
	p.arrive(0, run)
	p.await(0, &p.done, before)
}

func (p *pool) close() {
	if p.closed || p.threads == 1 {
		return
	}
	p.closed = true
	p.f = nil
	p.release(p.threads)
}
