package schedule

import "slices"

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
	size := max(1, min(8, n/Units))
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
			last := r.steps[len(r.steps)-1]
			if last.local() && slices.Equal(r.spans, spans) && r.backward == s.backward {
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
		n = max(n, len(r.spans), r.steps[len(r.steps)-1].inner)
	}
	return n
}
