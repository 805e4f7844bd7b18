package collective

import "math/bits"

// Counter adds the vectors of consecutive micro-batches in the order of the tree, as they come. It
// keeps at most one vector for each level of the tree below the top.
type Counter struct {
	of      int
	pending [][]float32 // sums of finished subtrees that wait for the one to their right
	free    [][]float32
}

// NewCounter is for updates of so many micro-batches, at least 1.
func NewCounter(of int) *Counter { return &Counter{of: of} }

// Add takes the vector of a worker's micro-batch i, counted from 0 within its share of count, which
// come in order. A vector is given in parts, which Add uses as memory: with the last micro-batch
// they become the sum of the share. The count is the updates' micro-batches divided by a power of
// two.
func (c *Counter) Add(i, count int, parts [][]float32) {
	if i == 0 {
		c.free = append(c.free, c.pending...) // of an update that was given up
		c.pending = c.pending[:0]
	}
	for range carries(i, c.of) {
		last := len(c.pending) - 1
		left := c.pending[last]
		c.pending = c.pending[:last]
		c.free = append(c.free, left)
		for _, p := range parts {
			add(p, left[:len(p)])
			left = left[len(p):]
		}
	}
	if i == count-1 {
		return
	}
	v := c.vector(parts)[:0]
	for _, p := range parts {
		v = append(v, p...)
	}
	c.pending = append(c.pending, v)
}

// AddLast is Add of a share's last micro-batch for one part alone, which begins at offset of the
// vector. Parts may come in any order; Done follows when all have.
func (c *Counter) AddLast(offset int, part []float32) {
	for i := len(c.pending) - 1; i >= 0; i-- {
		add(part, c.pending[i][offset:offset+len(part)])
	}
}

// Done ends an update whose last micro-batch was added by AddLast.
func (c *Counter) Done() {
	c.free = append(c.free, c.pending...)
	c.pending = c.pending[:0]
}

// vector is memory for a vector with the length of all parts.
func (c *Counter) vector(parts [][]float32) []float32 {
	if last := len(c.free) - 1; last >= 0 {
		v := c.free[last]
		c.free = c.free[:last]
		return v
	}
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	return make([]float32, n)
}

// carries is the number of pending sums that micro-batch i of an update of n completes: those to
// its left in the tree that end where it ends.
func carries(i, n int) int {
	group := n >> bits.TrailingZeros(uint(n))
	if in := i%group + 1; in < group {
		return bits.TrailingZeros(uint(in))
	}
	return bits.OnesCount(uint(group-1)) + bits.TrailingZeros(uint(i/group+1))
}

// Copies is the largest number of vectors that a Counter keeps for a share of count of an update's
// n micro-batches.
func Copies(count, n int) int {
	most, pending := 0, 0
	for i := range count - 1 {
		pending += 1 - carries(i, n)
		most = max(most, pending)
	}
	return most
}

// AddWorkers adds the sums of several workers' shares, in the order of the tree, to those of the
// first: its upper levels. The number of workers is a power of two; all vectors are of one length.
func AddWorkers(vectors [][]float32) {
	for d := 1; d < len(vectors); d *= 2 {
		for k := 0; k+d < len(vectors); k += 2 * d {
			add(vectors[k], vectors[k+d])
		}
	}
}

// add is x += y.
func add(x, y []float32) {
	y = y[:len(x)]
	for i := range x {
		x[i] += y[i]
	}
}
