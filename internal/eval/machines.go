package eval

import (
	"fmt"
	"runtime"
	"slices"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// machineMemory bounds the machines that are kept for sizes which may come again, in bytes.
// Photographs have some hundred aspect ratios, of which a few are frequent; a machine holds the
// weights in its kernels' form besides its activations.
const machineMemory = 1 << 30

// machines compiles a network for the sizes that it meets, and keeps the ones used last.
type machines struct {
	model   *Model
	compile Factory
	dense   bool
	limit   int64   // bytes
	kept    []sized // the one used last first
}

// sized is a machine for batches of up to n views of one size.
type sized struct {
	height, width, n int
	graph.Machine
	bytes int64
}

// get returns a machine for up to n views of a size. It is valid until the next call.
func (c *machines) get(height, width, n int) (graph.Machine, error) {
	for i, k := range c.kept {
		if k.height == height && k.width == width && k.n >= n {
			c.kept = slices.Insert(slices.Delete(c.kept, i, i+1), 0, k)
			return k.Machine, nil
		}
	}
	g, err := c.graph(height, width, n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.model.Path, err)
	}
	m, err := c.compile(g, c.model.Params)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.model.Path, err)
	}
	// A machine remembers the weights that its packed ones were made from.
	c.kept = slices.Insert(c.kept, 0, sized{height, width, n, m, m.Bytes() + 4*c.model.Params.Count()})
	c.trim()
	return m, nil
}

func (c *machines) graph(height, width, n int) (*graph.Graph, error) {
	if c.dense {
		return blocks.BuildDense(c.model.Spec, n, height, width, c.model.Params)
	}
	return blocks.BuildSized(c.model.Spec, n, height, width, graph.Eval, c.model.Params)
}

// trim closes the machines that were used longest ago, down to the limit; the newest stays. Their
// memory is collected at once: the collector alone would let as much garbage pile up as there is in
// use, gigabytes of it.
func (c *machines) trim() {
	var total int64
	for i, k := range c.kept {
		if total += k.bytes; total > c.limit && i > 0 {
			for _, old := range c.kept[i:] {
				old.Close()
			}
			c.kept = slices.Delete(c.kept, i, len(c.kept)) // which clears what it leaves behind
			runtime.GC()
			return
		}
	}
}

func (c *machines) close() {
	for _, k := range c.kept {
		k.Close()
	}
	c.kept = nil
}
