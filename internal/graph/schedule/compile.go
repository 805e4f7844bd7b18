package schedule

import (
	"fmt"
	"runtime"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// Options say how to run a graph.
type Options struct {
	// Threads is the number of workers; 0 means all of the machine's. It does not change any
	// result.
	Threads int
	// Divide is how many threads the work is divided for; 0 means Threads. It does not change any
	// result either.
	Divide int
	// Processors are the numbers of those that the threads run on, on Linux; none means any.
	Processors []int
	// Precision is what convolutions multiply, and what activations are in memory.
	Precision graph.Precision
	// Choose overrides the choice of convolution algorithms, for measurements and tests.
	Choose func(conv.Shape) conv.Choices
	// Frozen says that the parameters keep the values of the first call of Infer: they are read
	// then, and not compared again at every call.
	Frozen bool
	// Limits overrides conv.DefaultLimits, for measurements and tests.
	Limits conv.Limits
	// Arena, if it is not nil, holds the activations of several machines of which one runs at a
	// time: those for other lengths of sequences. The logits of a call are valid until the next
	// call of any of them.
	Arena *Arena
	// Limit is how many bytes the machine may take; 0 means any number. A machine that needs more
	// is refused with a *TooLargeError before its memory is taken.
	Limit int64
}

// TooLargeError is a machine that needs more memory than Options.Limit.
type TooLargeError struct{ Need, Limit int64 }

// Error gives both.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the machine needs %d bytes of memory, and %d are allowed", e.Need, e.Limit)
}

// Compile lowers g, whose parameters' values are those of its ParamNodes, in passes: read, fuse,
// lower, order, regions, place. Each is in the file of its name.
func Compile(g *graph.Graph, o Options) (*Machine, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Choose == nil {
		o.Choose = conv.Choose
		if o.Precision == graph.BFloat16 {
			o.Choose = conv.ChooseBF16
		}
	}
	if o.Limits == (conv.Limits{}) {
		o.Limits = conv.DefaultLimits
	}
	if o.Divide <= 0 {
		o.Divide = o.Threads
	}
	s := sizesOf(g.N, 1)
	if g.Mode == graph.Train {
		s = sizesOf(g.N, o.Divide)
	}
	m := &Machine{
		plan:   plan{g: g, choose: o.Choose, limits: o.Limits, frozen: o.Frozen, threads: o.Divide, sizes: s, units: spansOf(g.N, s.unit), local: g.Mode == graph.Eval && g.Sequences == nil},
		memory: memory{sharedArena: o.Arena},
	}
	m.narrow = o.Precision == graph.BFloat16 && m.keepsNarrow()
	c := newCompiler(g, m)
	c.widens(strip)
	c.read()
	c.fuse()
	if err := c.lower(); err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	steps, err := order(c.steps)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	m.regions = cut(steps, m.units, g.N)
	m.keepPacks(c)
	if err := m.place(c, min(o.Threads, m.widest()), o); err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	return m, nil
}

// keepPacks takes over what has to be made from parameters before steps run.
func (m *Machine) keepPacks(c *compiler) {
	m.packs = c.packs
	for _, p := range m.packs {
		for u := range p.pass.PackUnits() {
			m.packUnits = append(m.packUnits, packUnit{p, u})
		}
	}
	for _, p := range m.g.Params {
		if !c.direct[p.Param] {
			m.params = append(m.params, p.Param)
		}
	}
}
