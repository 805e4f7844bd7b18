package schedule

import "resnet/internal/graph/kernel"

// pair is what a kernel sums for the 16 channels of a block: two sums of each.
type pair struct{ first, second kernel.Vec }

// unitSums are two sums of each channel over images and pixels, in float64. Each range of images
// has its own, a unit, and they are merged in their order, so that no result depends on the
// threads.
type unitSums struct{ first, second [][]float64 } // by unit and channel

// sink takes what a unit sums.
type sink interface {
	// begin clears the sums of unit u.
	begin(u int)
	// add adds those of channel block cb to unit u's.
	add(u, cb int, s *pair)
}

// sums is the number of ranges of images that sums belong to.
func (c *compiler) sums() int { return c.m.sizes.sums(c.g.N) }

// grow makes room for so many units.
func (s *unitSums) grow(channels, units int) {
	for len(s.first) < units {
		s.first = append(s.first, make([]float64, blocks(channels)*block))
		s.second = append(s.second, make([]float64, blocks(channels)*block))
	}
}

func (s *unitSums) begin(u int) {
	clear(s.first[u])
	clear(s.second[u])
}

func (s *unitSums) add(u, cb int, p *pair) {
	a, b := s.first[u][cb*block:][:block], s.second[u][cb*block:][:block]
	for i := range a {
		a[i] += float64(p.first[i])
		b[i] += float64(p.second[i])
	}
}
