package schedule

import "slices"

// region is a run of steps without a barrier between them: each unit goes through all of them. The
// last may have a finish and an inner region.
type region struct {
	steps    []*step
	spans    []span
	backward bool
}

// last is the step that the barrier is for.
func (r *region) last() *step { return r.steps[len(r.steps)-1] }

// stages says how many units there are in each of a region's stages, between which there are
// barriers: units of images, inner ones, and what finishes.
func (r *region) stages() (units, inner, finish int) {
	last := r.last()
	if len(r.steps) > 1 || last.run != nil {
		units = len(r.spans)
	}
	if last.runInner != nil {
		inner = last.inner
	}
	if last.finishBeside {
		return units, inner + len(last.finish), 0
	}
	return units, inner, len(last.finish)
}

// rounds is how often the inner units run for so many images.
func (r *region) rounds(images int) int {
	if f := r.last().rounds; f != nil {
		return f(images)
	}
	return 1
}

// sizes are how many images of a batch are taken together. What is summed belongs to ranges of sum
// images, and the accumulators of weight gradients to whole units, both by the batch alone. A unit
// has unit images: eight, or fewer where that gives 16 units. With more threads than that it has
// fewer, down to a range of sums.
type sizes struct{ unit, whole, sum int }

// maxSums is how many ranges of sums there are at least in a batch of as many images.
const maxSums = 64

func sizesOf(n, threads int) sizes {
	s := sizes{whole: max(1, min(8, n/Units))}
	for s.sum = s.whole; s.sum > 1 && (n/s.sum < maxSums || s.whole%s.sum != 0); s.sum-- {
	}
	for s.unit = s.whole; s.unit > s.sum && (parts(n, s.unit) < threads || s.whole%s.unit != 0 || s.unit%s.sum != 0); s.unit-- {
	}
	return s
}

// sums is the number of ranges of sums of a batch of n.
func (s sizes) sums(n int) int { return parts(n, s.sum) }

// eachSum calls f for the ranges of sums among images [first, first+n), with how many of these are
// in each. first is the first of a range.
func (s sizes) eachSum(first, n int, f func(i, images int)) {
	for at := 0; at < n; at += s.sum {
		f((first+at)/s.sum, min(s.sum, n-at))
	}
}

// inSums is the run function of a step that takes images together and whose bits depend on how
// many: those of a range of sums.
func (s sizes) inSums(f func(w *worker, first, n int)) func(w *worker, u, first, n int) {
	return func(w *worker, _, first, n int) {
		for at := 0; at < n; at += s.sum {
			f(w, first+at, min(s.sum, n-at))
		}
	}
}

// spansOf splits n images into spans of a size.
func spansOf(n, size int) []span {
	var us []span
	for at := 0; at < n; at += size {
		us = append(us, span{at, min(size, n-at)})
	}
	return us
}

// cut divides steps into regions. Without spans of their own, steps have those of units.
func cut(steps []*step, units []span, images int) []region {
	var regions []region
	for _, s := range steps {
		spans := units
		if s.whole {
			spans = []span{{0, images}}
		} else if s.spans != nil {
			spans = s.spans
		}
		if n := len(regions); n > 0 && !s.whole {
			r := &regions[n-1]
			if r.last().local() && slices.Equal(r.spans, spans) && r.backward == s.backward {
				r.steps = append(r.steps, s)
				continue
			}
		}
		regions = append(regions, region{[]*step{s}, spans, s.backward})
	}
	return regions
}

// widest is the largest number of units that can be at work at the same time.
func (p *plan) widest() int {
	n := 1
	for i := range p.regions {
		r := &p.regions[i]
		units, inner, finish := r.stages()
		n = max(n, units, inner, finish)
	}
	return n
}
