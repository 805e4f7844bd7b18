package schedule

import "resnet/internal/graph/kernel"

// pair is what a kernel sums for the 16 channels of a block: two sums of each.
type pair struct{ first, second kernel.Vec }

// unitSums are two sums of each channel over images and pixels, in float64. Each range of images
// has its own, a unit, and they are merged in their order, so that no result depends on the
// threads.
type unitSums struct{ first, second [][]blockSums } // by block of channels and unit

// blockSums are those of a block of channels. The units of a block lie together, as they are
// merged.
type blockSums [block]float64

// total adds channel i of the units of a block, in their order.
func total(units []blockSums, i int) (sum float64) {
	for u := range units {
		sum += units[u][i]
	}
	return sum
}

// sink takes what a unit sums.
type sink interface {
	// begin clears the sums of unit u.
	begin(u int)
	// add adds those of channel block cb to unit u's.
	add(u, cb int, s *pair)
}

// sums is the number of ranges of images that sums belong to.
func (c *compiler) sums() int { return c.m.sizes.sums(c.g.N) }

func newUnitSums(channels, units int) unitSums {
	s := unitSums{make([][]blockSums, blocks(channels)), make([][]blockSums, blocks(channels))}
	for cb := range s.first {
		s.first[cb], s.second[cb] = make([]blockSums, units), make([]blockSums, units)
	}
	return s
}

func (s *unitSums) begin(u int) {
	for cb := range s.first {
		s.first[cb][u], s.second[cb][u] = blockSums{}, blockSums{}
	}
}

func (s *unitSums) add(u, cb int, p *pair) {
	a, b := &s.first[cb][u], &s.second[cb][u]
	for i := range a {
		a[i] += float64(p.first[i])
		b[i] += float64(p.second[i])
	}
}
