package schedule

import (
	"slices"
	"sync/atomic"
	"time"
)

// Trace is what one call took on a machine of one thread: every unit by itself, so that Predict can
// say what more threads would make of it.
type Trace struct {
	Regions []RegionTrace // packing of weights first, as a region
	// Rest is what is not in regions: the update of the parameters, and all else that one thread
	// does alone.
	Rest time.Duration
}

// RegionTrace is one region: its units, then behind a barrier its inner units, then what one
// thread does alone.
type RegionTrace struct {
	Units, Inner []time.Duration
	Finish       time.Duration
	Backward     bool
	// Bytes is what the region's steps read and write, as in StepTime: what the memory has to move
	// at most.
	Bytes int64
}

// Costs are what a machine of many cores adds to the units' durations.
type Costs struct {
	// Barrier is what a region without work takes two threads, and Transfer what it takes a core to
	// get a cache line that another one has just written. Each further thread transfers two: the
	// count of units that are taken and that of threads that are done.
	Barrier, Transfer time.Duration
	// Bandwidth of the memory in bytes a second; 0 means that it has no limit.
	Bandwidth float64
}

// Prediction is what a call would take.
type Prediction struct {
	Time     time.Duration
	Backward time.Duration // of it, what the backward regions take
	// MemoryBound is, of Time, that of regions for which bandwidth is the limit.
	MemoryBound time.Duration
}

// Predict schedules the units of every region on so many threads as the pool does: in their order,
// each to the thread that is free first. The units are taken to last as long as on one thread, so
// what more threads do to clock and caches is left out.
func (t *Trace) Predict(threads int, c Costs) Prediction {
	p := Prediction{Time: t.Rest}
	for i := range t.Regions {
		r := &t.Regions[i]
		busy := stage(r.Units, threads, c) + stage(r.Inner, threads, c)
		if c.Bandwidth > 0 {
			if least := time.Duration(float64(r.Bytes) / c.Bandwidth * float64(time.Second)); least > busy {
				busy = least
				p.MemoryBound += least
			}
		}
		busy += r.Finish
		p.Time += busy
		if r.Backward {
			p.Backward += busy
		}
	}
	return p
}

// Bytes is what all regions read and write.
func (t *Trace) Bytes() (n int64) {
	for i := range t.Regions {
		n += t.Regions[i].Bytes
	}
	return n
}

// Alone is the time in which one thread works and the others wait, whatever their number.
func (t *Trace) Alone() time.Duration {
	d := t.Rest
	for i := range t.Regions {
		d += t.Regions[i].Finish
	}
	return d
}

// stage is the time of units between two barriers.
func stage(units []time.Duration, threads int, c Costs) time.Duration {
	busy := makespan(units, threads)
	if threads > 1 && len(units) > 1 { // the pool runs a single unit without the others
		busy += c.Barrier + 2*time.Duration(threads-2)*c.Transfer
	}
	return busy
}

// makespan is when the last unit ends if each goes, in their order, to the thread that is free
// first (list scheduling, Graham 1969).
func makespan(units []time.Duration, threads int) time.Duration {
	free := make([]time.Duration, max(1, min(threads, len(units))))
	for _, u := range units {
		first := 0
		for i, t := range free {
			if t < free[first] {
				first = i
			}
		}
		free[first] += u
	}
	return slices.Max(free)
}

// Trace runs call, which runs Train or Infer of m, and records it. The machine has one thread.
// Clocks cost about a tenth of a microsecond a unit.
func (m *Machine) Trace(call func() error) (*Trace, error) {
	t := &Trace{Regions: make([]RegionTrace, 1+len(m.regions))}
	at := make(map[*region]*RegionTrace, len(m.regions))
	t.Regions[0].Units = make([]time.Duration, len(m.packUnits))
	for i, s := range m.stepTimes() {
		if i == 0 {
			t.Regions[0].Bytes = s.Bytes
			continue
		}
		t.Regions[1+s.Region].Bytes += s.Bytes
	}
	type finish struct {
		s   *step
		old func()
	}
	var finishes []finish
	for i := range m.regions {
		r, to := &m.regions[i], &t.Regions[1+i]
		at[r], to.Backward = to, r.backward
		last := r.steps[len(r.steps)-1]
		if len(r.steps) > 1 || last.run != nil {
			to.Units = make([]time.Duration, len(r.spans))
		}
		to.Inner = make([]time.Duration, last.inner)
		if f := last.finish; f != nil {
			finishes = append(finishes, finish{last, f})
			last.finish = func() {
				start := time.Now()
				f()
				to.Finish = time.Since(start)
			}
		}
	}
	do, doInner, doPack := m.do, m.doInner, m.doPack
	defer func() {
		m.do, m.doInner, m.doPack = do, doInner, doPack
		for _, f := range finishes {
			f.s.finish = f.old
		}
	}()
	timed := func(f func(worker, u int), to func() []time.Duration) func(worker, u int) {
		return func(worker, u int) {
			start := time.Now()
			f(worker, u)
			to()[u] = time.Since(start)
		}
	}
	m.do = timed(do, func() []time.Duration { return at[m.current].Units })
	m.doInner = timed(doInner, func() []time.Duration { return at[m.current].Inner })
	m.doPack = timed(doPack, func() []time.Duration { return t.Regions[0].Units })
	start := time.Now()
	if err := call(); err != nil {
		return nil, err
	}
	t.Rest = max(0, time.Since(start)-t.Predict(1, Costs{}).Time)
	return t, nil
}

// MedianTrace has the median of each duration of traces of one machine, of which there is at least
// one.
func MedianTrace(traces []*Trace) *Trace {
	of := func(get func(*Trace) time.Duration) time.Duration {
		ts := make([]time.Duration, len(traces))
		for i, t := range traces {
			ts[i] = get(t)
		}
		return median(ts)
	}
	all := func(get func(*Trace) []time.Duration) []time.Duration {
		out := make([]time.Duration, len(get(traces[0])))
		for u := range out {
			out[u] = of(func(t *Trace) time.Duration { return get(t)[u] })
		}
		return out
	}
	m := &Trace{Rest: of(func(t *Trace) time.Duration { return t.Rest })}
	for i, r := range traces[0].Regions {
		r.Units = all(func(t *Trace) []time.Duration { return t.Regions[i].Units })
		r.Inner = all(func(t *Trace) []time.Duration { return t.Regions[i].Inner })
		r.Finish = of(func(t *Trace) time.Duration { return t.Regions[i].Finish })
		m.Regions = append(m.Regions, r)
	}
	return m
}

// MeasureCosts measures Barrier and Transfer on two cores.
func MeasureCosts() Costs {
	p := newPool(2)
	defer p.close()
	const runs = 1000
	barriers := make([]time.Duration, 0, runs)
	for range runs {
		start := time.Now()
		p.run(2, func(int, int) {})
		barriers = append(barriers, time.Since(start))
	}
	// Two threads write a line in turn: each round is two transfers.
	const rounds = 2000
	var turn atomic.Int64
	transfers := make([]time.Duration, 0, 9)
	for range cap(transfers) {
		turn.Store(0)
		start := time.Now()
		p.run(2, func(_, u int) {
			for i := int64(u); i < 2*rounds; i += 2 {
				for n := 0; turn.Load() != i; n++ {
					if n == spins { // the other one has no core
						return
					}
				}
				turn.Store(i + 1)
			}
		})
		transfers = append(transfers, time.Since(start)/(2*rounds))
	}
	return Costs{Barrier: median(barriers), Transfer: median(transfers)}
}
