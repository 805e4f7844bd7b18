package train

import (
	"slices"

	"resnet/internal/graph"
	"resnet/internal/train/collective"
)

// buckets adds the ranks' gradients bucket by bucket, beside the backward pass: a bucket goes out
// when the gradients in it are complete. The last parameters' come first, as they are complete
// first; their order is fixed, since all ranks have to make the same calls.
type buckets struct {
	*collective.Summer
	flat   []float32   // the gradients, from the last parameter to the first
	grads  [][]float32 // where they are from, in that order
	at     []int       // their places in flat
	number map[*graph.Param]int
	size   int // values of a bucket

	filled []bool // of this update, by number
	next   int    // the first that is not filled
	sent   int    // values that have been handed over

	ready chan []float32
	done  chan error
}

// newBuckets is for a worker's parameters that are updated.
func newBuckets(r Ranks, o Optimizer, params *graph.ParamSet) *buckets {
	b := &buckets{Summer: collective.NewSummer(r.Group, r.Wire), number: map[*graph.Param]int{}, size: r.Bucket}
	n := 0
	for _, p := range slices.Backward(o.updated(params)) {
		b.number[p] = len(b.grads)
		b.grads, b.at = append(b.grads, p.Grad), append(b.at, n)
		n += len(p.Grad)
	}
	b.flat, b.filled = make([]float32, b.Padded(n)), make([]bool, len(b.grads))
	b.size = len(b.flat)
	if r.Bucket > 0 {
		b.size = b.Padded(collective.Bucket(n, r.Size(), r.Bucket))
	}
	return b
}

// begin starts the additions of an update.
func (b *buckets) begin() {
	clear(b.filled)
	b.next, b.sent = 0, 0
	// Room for all: the backward pass never waits for the network.
	b.ready, b.done = make(chan []float32, len(b.flat)/b.size+1), make(chan error, 1)
	go func() {
		var failed error
		for v := range b.ready {
			if failed == nil {
				failed = b.Sum(v)
			}
		}
		b.done <- failed
	}()
}

// fill takes the gradient of a parameter, which is this rank's sum, and hands over the buckets that
// are complete.
func (b *buckets) fill(i int) {
	copy(b.flat[b.at[i]:], b.grads[i])
	b.filled[i] = true
	for b.next < len(b.filled) && b.filled[b.next] {
		b.next++
	}
	end := len(b.flat)
	if b.next < len(b.filled) {
		end = b.at[b.next]
	}
	for end-b.sent >= b.size || end == len(b.flat) && b.sent < end {
		n := min(b.size, end-b.sent)
		b.ready <- b.flat[b.sent : b.sent+n]
		b.sent += n
	}
}

// finish hands over what is left, waits for the sums and puts them back.
func (b *buckets) finish() error {
	if b.ready == nil { // this rank has not come to its last micro-batch
		b.begin()
	}
	for i, filled := range b.filled {
		if !filled {
			b.fill(i)
		}
	}
	close(b.ready)
	err := <-b.done
	b.ready = nil
	if err != nil {
		return err
	}
	for i, g := range b.grads {
		copy(g, b.flat[b.at[i]:])
	}
	return nil
}
