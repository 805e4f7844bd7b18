package schedule

import (
	"cmp"
	"math"
	"slices"
	"strings"
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

// RegionTrace is one region: its units, behind a barrier its inner units, and behind another one
// what finishes it.
type RegionTrace struct {
	// Name is the kind and the shape of the region's last step, which it has the barrier for.
	Name                 string
	Units, Inner, Finish []time.Duration
	// Rounds is how often the inner units run, with a barrier behind each; their durations are
	// those of all. 0 means once.
	Rounds   int
	Backward bool
	// Bytes is what the region's steps read and write, as in StepTime: what the memory has to move
	// at most.
	Bytes int64
}

// Costs are what a machine of many cores adds to the units' durations.
type Costs struct {
	// Barrier is what a region without work takes two threads, and Transfer what it takes a core to
	// get a cache line that another one has just written. How many more of them further threads
	// wait for follows from the pool's teams: see barrier.
	Barrier, Transfer time.Duration
	// Bandwidth of the memory in bytes a second; 0 means that it has no limit.
	Bandwidth float64
	// Each is the bandwidth that one thread has of its own, when no other reads or writes. Where it
	// is known, and threads have less of Bandwidth each, regions take as much longer as the memory
	// does: then it is not only a bound.
	Each float64
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
		l, bound := r.loss(threads, c)
		p.MemoryBound += bound
		p.Time += l.Time
		if r.Backward {
			p.Backward += l.Time
		}
	}
	return p
}

// Loss says where a region's time on many threads goes. Time is Work divided by the threads, and
// the four that follow.
type Loss struct {
	Name string
	// Regions of this name, of at most so many units.
	Regions, Units int
	Work           time.Duration // of one thread
	Time           time.Duration // of all threads
	Uneven         time.Duration // waiting for the last unit
	Barriers       time.Duration
	Alone          time.Duration // what one thread does while the others wait
	Memory         time.Duration // waiting for the memory
}

// Lost is the time that as many threads as efficient as one would not take.
func (l *Loss) Lost() time.Duration { return l.Uneven + l.Barriers + l.Alone + l.Memory }

// loss predicts a region, and what the memory takes where that is the limit.
func (r *RegionTrace) loss(threads int, c Costs) (l Loss, bound time.Duration) {
	l = Loss{Name: r.Name, Regions: 1, Units: max(len(r.Units), len(r.Inner))}
	moved := time.Duration(0)
	for i, units := range r.stages() {
		work := time.Duration(0)
		for _, u := range units {
			work += u
		}
		busy, waits := makespan(units, threads), barrier(len(units), threads, c)
		if i == 1 {
			waits *= time.Duration(max(1, r.Rounds))
		}
		l.Work += work
		l.Time += busy + waits
		l.Barriers += waits
		if len(units) == 1 {
			l.Alone += busy - work/time.Duration(threads)
		} else {
			l.Uneven += busy - work/time.Duration(threads)
		}
		if i < 2 { // what finishes reads sums, which are in cache
			moved += busy + waits
		}
	}
	if c.Bandwidth > 0 {
		bytes := float64(r.Bytes) * float64(time.Second)
		if active := float64(min(threads, l.Units)); c.Each > 0 && active > 0 {
			l.Memory = time.Duration(max(0, bytes/c.Bandwidth-bytes/(c.Each*active)))
			l.Time += l.Memory
			moved += l.Memory
		}
		if least := time.Duration(bytes / c.Bandwidth); least > moved {
			l.Memory += least - moved
			bound = least
			l.Time += least - moved
		}
	}
	return l, bound
}

// stages are what barriers stand between.
func (r *RegionTrace) stages() [3][]time.Duration {
	return [3][]time.Duration{r.Units, r.Inner, r.Finish}
}

// Losses are those of all regions, added for each name, and of Rest, the largest first.
func (t *Trace) Losses(threads int, c Costs) []Loss {
	rest := RegionTrace{Name: "the rest", Finish: []time.Duration{t.Rest}}
	first, _ := rest.loss(threads, c)
	first.Regions = 0
	list := []Loss{first}
	at := map[string]int{}
	for i := range t.Regions {
		l, _ := t.Regions[i].loss(threads, c)
		k, ok := at[l.Name]
		if !ok {
			at[l.Name] = len(list)
			list = append(list, l)
			continue
		}
		s := &list[k]
		s.Regions++
		s.Units = max(s.Units, l.Units)
		s.Work, s.Time = s.Work+l.Work, s.Time+l.Time
		s.Uneven, s.Barriers, s.Alone, s.Memory = s.Uneven+l.Uneven, s.Barriers+l.Barriers, s.Alone+l.Alone, s.Memory+l.Memory
	}
	slices.SortStableFunc(list, func(a, b Loss) int { return cmp.Compare(b.Lost(), a.Lost()) })
	return list
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
		for _, units := range t.Regions[i].stages() {
			if len(units) == 1 {
				d += units[0]
			}
		}
	}
	return d
}

// barrier is what a stage of so many units takes besides them. The pool runs a single one without
// the other threads. Of more than two, one after another: a line is written for each team, and goes
// to each of its workers; the count of a team goes to each of them, and that of teams to each team.
// Units that are not a thread's first wait for the count of those that are taken.
func barrier(units, threads int, c Costs) time.Duration {
	workers := min(units, threads)
	if workers <= 1 {
		return 0
	}
	team := min(workers, teamSize)
	transfers := 2*(team-2) + 2*(parts(workers, teamSize)-1) + parts(units, workers) - 1
	return c.Barrier + time.Duration(transfers)*c.Transfer
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
// Where its work is divided for more, call runs once for each of these, each time with that
// thread's units alone: the first that it takes of each stage, and every so many behind it. What is
// in the caches is then what a core with a share of the work has there. What the other shares leave
// is that of the calls before, of which there is one at least that is not traced, so the results
// are of no use.
func (m *Machine) Trace(call func() error) (*Trace, error) {
	t := &Trace{Regions: make([]RegionTrace, 1+len(m.regions)), Rest: math.MaxInt64}
	at := make(map[*region]*RegionTrace, len(m.regions))
	t.Regions[0].Units = make([]time.Duration, len(m.packUnits))
	for _, s := range m.stepTimes() {
		r := &t.Regions[1+s.Region]
		r.Bytes, r.Name = s.Bytes, strings.TrimSpace(s.Kind+" "+s.Shape)
	}
	for i := range m.regions {
		r, to := &m.regions[i], &t.Regions[1+i]
		to.Rounds = r.rounds(m.g.N)
		at[r], to.Backward, to.Bytes = to, r.backward, r.bytes(m.g.N)
		units, inner, finish := r.stages()
		to.Units, to.Inner, to.Finish = make([]time.Duration, units), make([]time.Duration, inner), make([]time.Duration, finish)
	}
	do, doInner, doFinish, doPack := m.do, m.doInner, m.doFinish, m.doPack
	defer func() { m.do, m.doInner, m.doFinish, m.doPack = do, doInner, doFinish, doPack }()
	thread, threads := 0, max(1, min(m.threads, m.widest()))
	inUnits := time.Duration(0)
	// The end of a unit is the beginning of the next one, so that what the clock takes is part of
	// them, as taking a unit is where there are more threads.
	var last time.Time
	timed := func(f func(worker, u int), to func() []time.Duration) func(worker, u int) {
		return func(worker, u int) {
			if u%threads != thread {
				return
			}
			if u == thread {
				last = time.Now()
			}
			f(worker, u)
			now := time.Now()
			to()[u] += now.Sub(last)
			inUnits += now.Sub(last)
			last = now
		}
	}
	m.do = timed(do, func() []time.Duration { return at[m.current].Units })
	m.doInner = timed(doInner, func() []time.Duration { return at[m.current].Inner })
	m.doFinish = timed(doFinish, func() []time.Duration { return at[m.current].Finish })
	m.doPack = timed(doPack, func() []time.Duration { return t.Regions[0].Units })
	for thread = range threads {
		start := time.Now()
		inUnits = 0
		if err := call(); err != nil {
			return nil, err
		}
		t.Rest = min(t.Rest, max(0, time.Since(start)-inUnits))
	}
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
		r.Finish = all(func(t *Trace) []time.Duration { return t.Regions[i].Finish })
		m.Regions = append(m.Regions, r)
	}
	return m
}

// MeasureCosts measures Barrier and Transfer on two cores.
func MeasureCosts() Costs {
	p := newPool(2, nil)
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
