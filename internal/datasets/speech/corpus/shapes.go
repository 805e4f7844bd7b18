package corpus

import (
	"slices"
)

// A Shape is that of a batch: N utterances of up to Frames frames, with padding behind the shorter
// ones.
type Shape struct{ N, Frames int }

// Limits bound a batch.
type Limits struct {
	Utterances int // at least 1
	// N·Frames at most, padding included; 0 means no limit. A single utterance that is longer makes
	// a batch of its own.
	Frames int
}

// Shapes chooses up to `buckets` batch shapes for utterances of these lengths: the frames of a
// shape are a quantile of the lengths, the last one the longest. Fewer shapes come out where
// quantiles are equal. They are sorted by frames.
//
// Every shape costs a machine of its own, and every frame past an utterance's end costs time: a few
// shapes leave little padding.
func Shapes(lengths []int, buckets int, l Limits) []Shape {
	if len(lengths) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(lengths))
	buckets = max(1, buckets)
	var shapes []Shape
	for b := 1; b <= buckets; b++ {
		frames := sorted[(len(sorted)*b+buckets-1)/buckets-1]
		if n := len(shapes); n > 0 && shapes[n-1].Frames == frames {
			continue
		}
		shapes = append(shapes, Shape{l.fit(frames), frames})
	}
	return shapes
}

// fit is the number of utterances of so many frames in a batch.
func (l Limits) fit(frames int) int {
	n := max(1, l.Utterances)
	if l.Frames > 0 {
		n = min(n, max(1, l.Frames/max(1, frames)))
	}
	return n
}

// A batch is what goes through a machine at once: a shape and the utterances in it.
type batch struct {
	shape Shape
	items []int32
}

// A planner cuts utterances into batches of the shapes.
type planner struct {
	shapes  []Shape
	buckets [][]int32 // utterances by shape, in their own order
	every   bool      // an epoch ends with what does not fill a batch
}

// restrict leaves only the utterances of these indices.
func (p *planner) restrict(only []int) {
	keep := map[int32]bool{}
	for _, i := range only {
		keep[int32(i)] = true
	}
	for b := range p.buckets {
		p.buckets[b] = slices.DeleteFunc(p.buckets[b], func(i int32) bool { return !keep[i] })
	}
}

// newPlanner sorts utterances into the shortest shape that holds them. One that is longer than
// every shape is put into the last, which the caller prevents.
func newPlanner(lengths []int, shapes []Shape) *planner {
	p := &planner{shapes: slices.Clone(shapes), buckets: make([][]int32, len(shapes))}
	for i, n := range lengths {
		b := 0
		for b < len(shapes)-1 && shapes[b].Frames < n {
			b++
		}
		p.buckets[b] = append(p.buckets[b], int32(i))
	}
	return p
}

// trainable makes the last shape no larger than what there is, so that an epoch has at least one
// batch of it and the longest utterances are trained on.
func (p *planner) trainable() {
	carry := 0
	for b, s := range p.shapes {
		n := carry + len(p.buckets[b])
		if b == len(p.shapes)-1 && n > 0 {
			p.shapes[b].N = min(s.N, n)
		}
		carry = n % p.shapes[b].N
	}
}

// perEpoch is the number of full batches of an epoch, the same for every epoch.
func (p *planner) perEpoch() int {
	batches, carry := 0, 0
	for b, s := range p.shapes {
		n := carry + len(p.buckets[b])
		batches += n / s.N
		carry = n % s.N
	}
	return batches
}

// epoch gives the batches of a training epoch. Utterances are shuffled within their shape and cut
// into full batches; what is left of a shape goes to the next longer one, so that only fewer than a
// batch of the longest are left out of an epoch, others each time. Then the batches are shuffled.
// permute(part, p) fills p with a permutation of 0..len(p)-1 for that part.
func (p *planner) epoch(permute func(part int, p []int32)) []batch {
	var all []batch
	var carry []int32
	for b, s := range p.shapes {
		order := make([]int32, len(p.buckets[b]))
		permute(b+1, order)
		list := slices.Clone(carry)
		for _, k := range order {
			list = append(list, p.buckets[b][k])
		}
		for len(list) >= s.N {
			all = append(all, batch{s, list[:s.N:s.N]})
			list = list[s.N:]
		}
		carry = list
	}
	if p.every && len(carry) > 0 {
		all = append(all, batch{p.shapes[len(p.shapes)-1], carry})
	}
	order := make([]int32, len(all))
	permute(0, order)
	shuffled := make([]batch, len(all))
	for i, k := range order {
		shuffled[i] = all[k]
	}
	return shuffled
}

// once gives every utterance exactly once, by shape; the last batch of a shape has what is left.
func (p *planner) once() []batch {
	var all []batch
	for b, s := range p.shapes {
		for items := range slices.Chunk(p.buckets[b], s.N) {
			all = append(all, batch{s, items})
		}
	}
	return all
}
