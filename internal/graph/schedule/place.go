package schedule

import (
	"math"
	"runtime/debug"
	"slices"
	"sort"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// Arena is memory that machines share. The zero value is empty; it grows with the largest machine.
// No machine of it runs while another is compiled.
type Arena struct {
	users []*Machine
	data  []float32
}

// Bytes is the size of the memory, which Machine.Bytes of each of its machines contains.
func (a *Arena) Bytes() int64 { return 4 * int64(len(a.data)) }

// take gives a machine so many values, and the machines before it the same ones.
func (a *Arena) take(m *Machine, n int) []float32 {
	if n > len(a.data) {
		if len(a.data) > 0 {
			a.share(nil)
			debug.FreeOSMemory() // or the old memory would still be there beside the new
		}
		a.share(kernel.Alloc(n))
	}
	a.users = append(a.users, m)
	return a.data
}

func (a *Arena) share(data []float32) {
	a.data = data
	for _, u := range a.users {
		u.arena = data
	}
}

// leave forgets a machine that is closed.
func (a *Arena) leave(m *Machine) {
	a.users = slices.DeleteFunc(a.users, func(u *Machine) bool { return u == m })
	m.arena = nil
}

// place gives the machine its memory and its workers, or refuses it beyond o.Limit.
func (m *Machine) place(c *compiler, threads int, o Options) error {
	var steps []*step
	var region, position []int // of each step: the time as place counts it
	for i, r := range m.regions {
		for _, s := range r.steps {
			steps, region, position = append(steps, s), append(region, i), append(position, len(position))
		}
	}
	local, shared := 0, m.values
	if m.local {
		var own []*value
		own, shared = m.divide()
		local = place(steps, position, own, func(v *value) int { return m.sizes.unit * v.floats(v.per) })
	}
	size := place(steps, region, shared, func(v *value) int { return m.g.N * v.floats(v.per) })
	// Floats: sizes that overflow are those that have to be refused.
	need := 4*(float64(size)+float64(c.acc)+float64(c.staging)) + float64(threads)*(float64(c.need.Bytes())+4*float64(local+c.scratch+c.x+c.dy+c.y+c.wide.floats()))
	if o.Limit > 0 && need > float64(o.Limit) {
		return &TooLargeError{int64(min(need, math.MaxInt64/2)), o.Limit}
	}
	if m.sharedArena != nil {
		m.arena = m.sharedArena.take(m, size)
	} else {
		m.arena = kernel.Alloc(size)
	}
	m.acc, m.staging = kernel.Alloc(c.acc), kernel.Alloc(c.staging)
	for range threads {
		m.workers = append(m.workers, newWorker(m, c, local))
	}
	m.pool = newPool(threads, o.Processors)
	m.do, m.doInner, m.doFinish, m.doPack = m.runUnit, m.runInner, m.runFinish, m.runPack
	if m.g.Mode == graph.Train {
		m.labels32 = make([]float32, m.g.Labels.Shape().TotalSize())
	}
	return nil
}

// divide tells the values that live in one region of units alone, which a worker's arena can hold,
// from those that cross a barrier.
func (m *Machine) divide() (own, shared []*value) {
	home := map[*value]int{}
	for i := range m.regions {
		r := &m.regions[i]
		for _, s := range r.steps {
			at := i + 1
			if s.runInner != nil || &r.spans[0] != &m.units[0] {
				at = -1
			}
			for _, vs := range [][]*value{s.reads, s.writes} {
				for _, v := range vs {
					v = v.root()
					if home[v] == 0 {
						home[v] = at
					} else if home[v] != at {
						home[v] = -1
					}
				}
			}
		}
	}
	for _, v := range m.values {
		if home[v] > 0 && !v.keep {
			v.own = true
			own = append(own, v)
		} else {
			shared = append(shared, v)
		}
	}
	return own, shared
}

// place gives every value an offset in an arena, reusing space where lives do not overlap, and
// returns the arena's length. Each value takes size(v) float32 values, rounded up to a cache line.
// Time is counted by when: in steps where the units of a worker follow each other, in regions where
// other workers' units are at other steps of the same region.
func place(steps []*step, when []int, values []*value, size func(*value) int) int {
	for _, v := range values {
		v.first = -1
	}
	for k, s := range steps {
		i := when[k]
		for _, v := range s.writes {
			v = v.root()
			if v.first < 0 {
				v.first, v.last = i, i
			}
			v.last = max(v.last, i)
		}
		for _, v := range s.reads {
			v.root().last = max(v.root().last, i)
		}
	}
	var live []*value
	for _, v := range values {
		if v.first >= 0 {
			if v.keep {
				v.last = len(steps)
			}
			live = append(live, v)
		}
	}
	// Long lives first, then large ones: the activations that wait for the backward pass stack up
	// without holes, and what is short-lived fits in between.
	sort.SliceStable(live, func(i, j int) bool {
		a, b := live[i], live[j]
		if a.last-a.first != b.last-b.first {
			return a.last-a.first > b.last-b.first
		}
		return size(a) > size(b)
	})
	total := 0
	var placed []*value
	for _, v := range live {
		n := (size(v) + block - 1) &^ (block - 1)
		at := 0
		for _, p := range placed { // sorted by offset
			if p.first > v.last || p.last < v.first {
				continue
			}
			if at+n <= p.offset {
				break
			}
			at = max(at, p.offset+(size(p)+block-1)&^(block-1))
		}
		v.offset = at
		total = max(total, at+n)
		i := sort.Search(len(placed), func(i int) bool { return placed[i].offset > at })
		placed = append(placed, nil)
		copy(placed[i+1:], placed[i:])
		placed[i] = v
	}
	return total
}
