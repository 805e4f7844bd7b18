package schedule

import (
	"slices"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// region is a run of steps without a barrier between them: each unit goes through all of them. The
// last may have a finish and an inner region.
type region struct {
	steps    []*step
	spans    []span
	backward bool
}

// unitsOf splits n images: 16 units or units of eight images, whichever is smaller, so that up to
// 16 threads have work.
func unitsOf(n int) []span {
	size := max(1, min(8, n/most))
	var us []span
	for at := 0; at < n; at += size {
		us = append(us, span{at, min(size, n-at)})
	}
	return us
}

// cut divides the steps into regions.
func (m *Machine) cut(steps []*step) {
	for _, s := range steps {
		spans := m.units
		if s.whole {
			spans = []span{{0, m.g.N}}
		} else if s.spans != nil {
			spans = s.spans
		}
		if n := len(m.regions); n > 0 && !s.whole {
			r := &m.regions[n-1]
			last := r.steps[len(r.steps)-1]
			if last.local() && slices.Equal(r.spans, spans) && r.backward == s.backward {
				r.steps = append(r.steps, s)
				continue
			}
		}
		m.regions = append(m.regions, region{[]*step{s}, spans, s.backward})
	}
}

// widest is the largest number of units that can be at work at the same time.
func (m *Machine) widest() int {
	n := 1
	for i := range m.regions {
		r := &m.regions[i]
		n = max(n, len(r.spans), r.steps[len(r.steps)-1].inner)
	}
	return n
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

func (m *Machine) allocate(c *compiler, steps []*step, threads int) {
	var region, position []int
	for i, r := range m.regions {
		for range r.steps {
			region, position = append(region, i), append(position, len(position))
		}
	}
	local, shared := 0, m.values
	if m.local {
		var own []*value
		own, shared = m.divide()
		local = place(steps, position, own, func(v *value) int { return m.lane * v.per })
	}
	size := place(steps, region, shared, func(v *value) int { return m.g.N * v.per })
	if m.pages != nil {
		m.arena = m.pages.take(m, size)
	} else {
		m.arena = kernel.Alloc(size)
	}
	m.acc, m.stage = kernel.Alloc(c.acc), kernel.Alloc(c.shared)
	for range threads {
		m.workers = append(m.workers, newWorker(m, c.need, c.x, c.dy, c.y, local, c.scratch))
	}
	m.pool = newPool(threads)
	m.do, m.doInner, m.doPack = m.runUnit, m.runInner, m.runPack
	if m.g.Mode == graph.Train {
		m.labels32 = make([]float32, m.g.LabelsLen())
	}
}
