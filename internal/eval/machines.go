package eval

import (
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// A Factory makes machines. The packages above choose which.
type Factory struct {
	// Compile makes the machine of a graph over the values of p.
	Compile func(g *graph.Graph, p *graph.ParamSet, o MachineOptions) (graph.Machine, error)
	// NewArena makes memory that several machines have in common; nil means that each has its own.
	NewArena func() Arena
}

// MachineOptions say what a machine may rely on.
type MachineOptions struct {
	// Frozen says that the parameters keep the values of the machine's first call.
	Frozen bool
	// Arena, unless it is nil, was made by the factory. Of the machines that have it, one at a time
	// is compiled or runs.
	Arena Arena
}

// An Arena is memory that machines have in common: each machine's Bytes contains all of it.
type Arena interface{ Bytes() int64 }

// Form is how a network is drawn.
type Form int

// The forms of a network.
const (
	Plain      Form = iota // as in the table of architectures
	Dense                  // fully convolutional, for images: blocks.BuildDense
	Adaptation             // frozen, behind a trained linear layer: blocks.BuildAdaptation
	Features               // without its classifier, for images: blocks.BuildFeatures
	Maps                   // without its last pooling and classifier: blocks.BuildMaps
)

// A Shape identifies a machine of a network: what it computes, and on what.
type Shape struct {
	Mode          graph.Mode
	Form          Form
	N             int // the most images or utterances together; in training exactly as many
	Height, Width int // of images; 0 for utterances
	Frames        int // of utterances; 0 for images
}

func (s Shape) String() string {
	mode := map[graph.Mode]string{graph.Eval: "evaluation", graph.Train: "training"}[s.Mode]
	if s.Frames > 0 {
		return fmt.Sprintf("%s of %d utterances of %d frames", mode, s.N, s.Frames)
	}
	return fmt.Sprintf("%s of %d images of %dx%d", mode, s.N, s.Width, s.Height)
}

// serves reports whether a machine for s can take a batch of shape w.
func (s Shape) serves(w Shape) bool {
	return s.Mode == w.Mode && s.Form == w.Form && s.Height == w.Height && s.Width == w.Width && s.Frames == w.Frames && s.N >= w.N
}

// ImageMemory and SequenceMemory are usual limits of Machines, in bytes. Photographs have some
// hundred aspect ratios, of which a few are frequent; recordings have any length, and those that
// come next are seldom those that were.
const (
	ImageMemory    = 1 << 30
	SequenceMemory = 256 << 20
)

// MachinesOptions say what Machines makes and keeps.
type MachinesOptions struct {
	Spec    blocks.Spec
	Params  *graph.ParamSet
	Factory Factory
	Frozen  bool  // the parameters do not change any more
	Limit   int64 // bytes; 0 means that nothing is given up
	// Exact says that no machine serves another N than its own: that for one image divides it among
	// the threads, which a larger one does not.
	Exact bool
}

// Machines compiles a network for each shape that comes and keeps the machines that were used last,
// in one arena. It is the only cache of machines: images, utterances, training, evaluation and
// prediction use it.
//
// Get is for one goroutine; Run may be called by several at once, one of which computes.
type Machines struct {
	o     MachinesOptions
	arena Arena
	kept  []*Compiled // the one used last first
	fixed bool        // only the shapes of Fix
	mu    sync.Mutex
}

// A Compiled is a machine with its graph.
type Compiled struct {
	graph.Machine
	Graph *graph.Graph
	Shape Shape
	own   int64 // bytes besides the arena
}

// NewMachines makes an empty cache. Close it.
func NewMachines(o MachinesOptions) *Machines {
	c := &Machines{o: o}
	if o.Factory.NewArena != nil {
		c.arena = o.Factory.NewArena()
	}
	return c
}

// Fix compiles the machines of all shapes that will come; no other shape is served then, and none
// of them is given up. Of shapes that the same machine could serve there must be one.
func (c *Machines) Fix(shapes ...Shape) error {
	c.fixed = true
	for _, s := range shapes {
		if _, err := c.compile(s); err != nil {
			return err
		}
	}
	return nil
}

// Get returns a machine for a shape, for the shape's N images or utterances or more. It is valid
// until the next call.
func (c *Machines) Get(s Shape) (*Compiled, error) {
	for i, k := range c.kept {
		if k.Shape.serves(s) && (!c.o.Exact || k.Shape.N == s.N) {
			c.kept = slices.Insert(slices.Delete(c.kept, i, i+1), 0, k)
			return k, nil
		}
	}
	if c.fixed {
		return nil, fmt.Errorf("%s: there is no machine for the %s", c.o.Spec.Name, s)
	}
	return c.compile(s)
}

// Run calls f with a machine for a shape. Nobody else has a machine meanwhile.
func (c *Machines) Run(s Shape, f func(m *Compiled) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := c.Get(s)
	if err != nil {
		return err
	}
	return f(m)
}

func (c *Machines) compile(s Shape) (*Compiled, error) {
	g, err := c.draw(s)
	if err != nil {
		return nil, err
	}
	m, err := c.o.Factory.Compile(g, c.o.Params, MachineOptions{Frozen: c.o.Frozen, Arena: c.arena})
	if err != nil {
		return nil, err
	}
	k := &Compiled{Machine: m, Graph: g, Shape: s, own: m.Bytes() - c.shared()}
	if s.Mode == graph.Eval { // a machine remembers the weights that its packed ones were made from
		k.own += 4 * c.o.Params.Count()
	}
	c.kept = slices.Insert(c.kept, 0, k)
	c.trim()
	return k, nil
}

func (c *Machines) draw(s Shape) (*graph.Graph, error) {
	spec, params := c.o.Spec, c.o.Params
	switch {
	case s.Form == Adaptation:
		return blocks.BuildAdaptation(spec, s.N, s.Frames, params)
	case s.Form == Features:
		return blocks.BuildFeatures(spec, s.N, params)
	case s.Form == Maps:
		return blocks.BuildMaps(spec, s.N, params)
	case s.Form == Dense:
		return blocks.BuildDense(spec, s.N, s.Height, s.Width, params)
	case s.Frames > 0:
		return blocks.BuildSequence(spec, s.N, s.Frames, s.Mode, params)
	}
	return blocks.BuildSized(spec, s.N, s.Height, s.Width, s.Mode, params)
}

func (c *Machines) shared() int64 {
	if c.arena == nil {
		return 0
	}
	return c.arena.Bytes()
}

// Bytes is the memory of the machines: the arena once, and what each has besides.
func (c *Machines) Bytes() int64 {
	total := c.shared()
	for _, k := range c.kept {
		total += k.own
	}
	return total
}

// trim closes the machines that were used longest ago, down to the limit; the newest stays. Their
// memory goes back to the system at once: otherwise garbage may grow to the size of what is in use,
// gigabytes.
func (c *Machines) trim() {
	if c.o.Limit == 0 || c.fixed {
		return
	}
	trimmed := false
	for len(c.kept) > 1 && c.Bytes() > c.o.Limit {
		last := len(c.kept) - 1
		c.kept[last].Close()
		c.kept = slices.Delete(c.kept, last, last+1) // which clears what it leaves behind
		trimmed = true
	}
	if trimmed {
		debug.FreeOSMemory()
	}
}

// Close frees the machines. It may be called twice.
func (c *Machines) Close() {
	for _, k := range c.kept {
		k.Close()
	}
	c.kept = nil
}
