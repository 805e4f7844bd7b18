package schedule

import (
	"slices"
	"sync/atomic"
	"time"
)

// StepTime is what one step of the schedule is, and what it takes.
type StepTime struct {
	// Kind says what the step does: "conv", "linear weight gradient", ...; what was fused into it
	// goes without a name.
	Kind string
	// Shape and Algorithm are those of a convolution, else empty. Algorithm says too whether it is
	// divided in another way than by images: "winograd, two-stage".
	Shape, Algorithm string
	Backward         bool
	// Region counts the runs of steps without a barrier, and Units is into how many parts a region
	// is divided. Packing of weights, which comes first, is in region -1.
	Region, Units int
	// Bytes is what the step reads and writes of activations, their gradients, weights and their
	// gradients, each once: what it takes from memory if nothing is in cache yet.
	Bytes int64
	// Products are what the step multiplies: of a convolution's gradients both passes.
	Products []Product
	// Time is the step's part of the wall time of its region, as the workers' times in the region's
	// steps are to each other. Waiting for the slowest worker is in it.
	Time time.Duration
}

// Profile calls call so many times, at least once, and returns the steps in their order with the
// medians of their times, and the median of the whole call. call runs Train or Infer of m; its
// error ends the profile. The first call is not counted. Clocks cost about a microsecond a unit.
func (m *Machine) Profile(runs int, call func() error) ([]StepTime, time.Duration, error) {
	runs = max(runs, 1)
	if err := call(); err != nil {
		return nil, 0, err
	}
	steps := m.stepTimes()
	c := &clock{threads: len(m.workers)}
	for i := range m.regions {
		c.regions = append(c.regions, regionClock{of: &m.regions[i], steps: make([]stepClock, len(m.regions[i].steps))})
	}
	defer c.wind()()
	m.clock = c
	defer func() { m.clock = nil }()
	times, whole := make([][]time.Duration, len(steps)), make([]time.Duration, 0, runs)
	for range runs {
		c.reset()
		start := time.Now()
		if err := call(); err != nil {
			return nil, 0, err
		}
		whole = append(whole, time.Since(start))
		for i, t := range c.times() {
			times[i] = append(times[i], t)
		}
	}
	for i := range steps {
		steps[i].Time = median(times[i])
	}
	return steps, median(whole), nil
}

// stepTimes lists packing and the steps, without times.
func (m *Machine) stepTimes() []StepTime {
	packing := StepTime{Kind: "pack weights", Region: -1, Units: len(m.packUnits)}
	for _, p := range m.packs {
		packing.Bytes += 4 * int64(len(p.param.Data)+len(p.packed))
	}
	out := []StepTime{packing}
	for i, r := range m.regions {
		for _, s := range r.steps {
			out = append(out, StepTime{
				Kind: s.name, Shape: s.shape, Algorithm: s.algorithm, Backward: s.backward,
				Region: i, Units: max(len(r.spans), s.inner), Bytes: s.bytes(m.g.N), Products: s.productsOf(s.imagesOf(m.g.N)),
			})
		}
	}
	return out
}

// imagesOf is how many images of a batch a step goes through: a step of a round has its own.
func (s *step) imagesOf(batch int) int {
	if s.images > 0 {
		return s.images
	}
	return batch
}

// bytes is what a step reads and writes in a batch of so many images.
func (s *step) bytes(images int) int64 {
	r := region{steps: []*step{s}}
	return r.bytes(images)
}

// bytes is what steps without a barrier read and write in a batch of so many images. What one of
// them has read or written another one finds in cache.
func (r *region) bytes(images int) int64 {
	type place struct {
		v  *value
		at int
	}
	total := int64(0)
	read, written := map[place]bool{}, map[place]bool{}
	for _, s := range r.steps {
		n := int64(s.imagesOf(images))
		total += int64(s.weights)
		for _, p := range s.grads {
			total += int64(len(p.Grad))
		}
		for _, v := range s.reads {
			if at := (place{v.root(), v.at}); !read[at] && !written[at] {
				read[at] = true
				total += int64(v.floats(v.per)) * n
			}
		}
		for _, v := range s.writes {
			if at := (place{v.root(), v.at}); !written[at] {
				written[at] = true
				total += int64(v.floats(v.per)) * n
			}
		}
	}
	return 4 * total
}

func median(ts []time.Duration) time.Duration {
	ts = slices.Sorted(slices.Values(ts))
	n := len(ts)
	return (ts[(n-1)/2] + ts[n/2]) / 2
}

// clock is what Profile measures of a call. A nil clock measures nothing.
type clock struct {
	threads int
	packing time.Duration
	regions []regionClock
	next    int // the region that runs next, or one behind it
}

type regionClock struct {
	of    *region
	wall  time.Duration
	steps []stepClock
}

// stepClock is nanoseconds: of all workers in their units, and of the one that finishes alone.
type stepClock struct{ workers, merging atomic.Int64 }

func (c *clock) start() (t time.Time) {
	if c != nil {
		t = time.Now()
	}
	return t
}

func (c *clock) packed(start time.Time) {
	if c != nil {
		c.packing += time.Since(start)
	}
}

func (c *clock) ran(r *region, start time.Time) {
	if c == nil {
		return
	}
	for c.regions[c.next].of != r {
		c.next++
	}
	c.regions[c.next].wall += time.Since(start)
}

func (c *clock) reset() {
	c.packing, c.next = 0, 0
	for i := range c.regions {
		r := &c.regions[i]
		r.wall = 0
		for j := range r.steps {
			r.steps[j].workers.Store(0)
			r.steps[j].merging.Store(0)
		}
	}
}

// times divides what was measured among packing and the steps.
func (c *clock) times() []time.Duration {
	out := []time.Duration{c.packing}
	for i := range c.regions {
		r := &c.regions[i]
		busy := func(s *stepClock) float64 {
			return float64(s.workers.Load())/float64(c.threads) + float64(s.merging.Load())
		}
		total := 0.
		for j := range r.steps {
			total += busy(&r.steps[j])
		}
		for j := range r.steps {
			out = append(out, time.Duration(float64(r.wall)*busy(&r.steps[j])/max(total, 1)))
		}
	}
	return out
}

// wind puts clocks around what steps do. It returns a function that takes them off.
func (c *clock) wind() (unwind func()) {
	var old []step
	for i := range c.regions {
		for j, s := range c.regions[i].of.steps {
			old = append(old, *s)
			s.time(&c.regions[i].steps[j])
		}
	}
	return func() {
		for i := range c.regions {
			for _, s := range c.regions[i].of.steps {
				*s, old = old[0], old[1:]
			}
		}
	}
}

// time puts clocks around what a step does.
func (s *step) time(c *stepClock) {
	since := func(total *atomic.Int64, start time.Time) { total.Add(int64(time.Since(start))) }
	if run := s.run; run != nil {
		s.run = func(w *worker, u, first, n int) {
			defer since(&c.workers, time.Now())
			run(w, u, first, n)
		}
	}
	if inner := s.runInner; inner != nil {
		s.runInner = func(w *worker, u int) {
			defer since(&c.workers, time.Now())
			inner(w, u)
		}
	}
	total := &c.merging
	if len(s.finish) > 1 || s.finishBeside {
		total = &c.workers
	}
	finish := s.finish
	s.finish = nil
	for _, f := range finish {
		s.finish = append(s.finish, func() {
			defer since(total, time.Now())
			f()
		})
	}
}
