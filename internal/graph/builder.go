package graph

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Options of a Builder; zero values mean the defaults.
type Options struct {
	Dtype       tensor.Dtype // Float32, or Float64 for checking gradients
	BNEps       float64      // 1e-5
	BNMomentum  float64      // 0.1, the weight of the new batch, as in PyTorch
	DropoutSeed uint64
	// Slope is that of the network's rectifiers below 0, when training begins: 0 of ReLU. The
	// initialisation of convolutions takes it into account.
	Slope float64
	// Glorot initialises convolutions for an activation that is not rectified but symmetric about
	// its bend, as a sigmoid is: as Glorot and Bengio 2010, eq. 16. Slope has no meaning then.
	Glorot bool
	// Frozen says of which parameters no gradient is wanted: their ParamNode.Grad is nil. A nil
	// Frozen freezes none.
	Frozen func(name string) bool
	// Targets is what the network is trained towards: its labels, unless that is set.
	Targets Targets
}

// Builder draws a network. Its methods take and return nodes of one graph; after an error they do
// nothing and return nil, and Err and Finish report the first error with the place where it arose.
type Builder struct {
	*drawing
	scope string
}

// drawing is what the Builders of all scopes share.
type drawing struct {
	name    string
	mode    Mode
	params  *ParamSet
	opts    Options
	g       *gorgonia.ExprGraph
	input   *Node
	used    []ParamNode
	byName  map[string]*Node
	stats   []StatsNode
	dropout *DropoutState
	// auxiliary are the logits of auxiliary classifiers, which have losses of their own.
	auxiliary []auxiliary
	// sequences is the state of the operators of sequences; frames is the number of frames of a
	// network that classifies frames.
	sequences *Sequences
	frames    int
	nextID    uint32
	err       error
}

// NewBuilder starts the drawing of a network called name. Parameters missing in params are created
// and initialised; those present are reused and must have the shapes that the network wants.
func NewBuilder(name string, mode Mode, params *ParamSet, opts Options) *Builder {
	if opts.Dtype.Type == nil {
		opts.Dtype = tensor.Float32
	}
	if opts.BNEps == 0 {
		opts.BNEps = 1e-5
	}
	if opts.BNMomentum == 0 {
		opts.BNMomentum = 0.1
	}
	return &Builder{drawing: &drawing{
		name: name, mode: mode, params: params, opts: opts,
		g:      gorgonia.NewGraph(gorgonia.WithGraphName(name)),
		byName: map[string]*Node{},
	}}
}

// In returns a Builder of the same graph whose names begin with scope and a dot:
// b.In("layer1").In("0") makes "layer1.0.conv1.weight".
func (b *Builder) In(scope string) *Builder {
	return &Builder{drawing: b.drawing, scope: join(b.scope, scope)}
}

// Owns reports whether a node belongs to the graph that is drawn.
func (b *Builder) Owns(n *Node) bool { return n.Graph() == b.g }

// Err is the first error.
func (b *Builder) Err() error { return b.err }

// Mode is the mode of the graph.
func (b *Builder) Mode() Mode { return b.mode }

// MaxBatch is the most images or utterances of a batch, and maxInput the most values of an input.
// Memory bounds both much earlier; these keep the arithmetic of shapes in range.
const (
	MaxBatch = math.MaxInt32
	maxInput = 1 << 40
)

// Input is the batch of images x [n, c, h, w]; a graph has one.
func (b *Builder) Input(n, c, h, w int) *Node {
	switch {
	case b.err != nil:
		return nil
	case b.input != nil:
		return b.fail("input", fmt.Errorf("a graph has one input: %w", ErrShape))
	case min(n, c, h, w) < 1 || n > MaxBatch || float64(n)*float64(c)*float64(h)*float64(w) > maxInput:
		return b.fail("input", fmt.Errorf("shape %v: %w", []int{n, c, h, w}, ErrShape))
	}
	b.input = b.leaf("input", []int{n, c, h, w})
	return b.input
}

// fail keeps the first error, with the place.
func (b *Builder) fail(what string, err error) *Node {
	if b.err == nil {
		place := b.name
		if b.scope != "" {
			place += "/" + b.scope
		}
		b.err = fmt.Errorf("%s: %s: %w", place, what, err)
	}
	return nil
}

// guard turns a panic of Gorgonia into the Builder's error.
func (b *Builder) guard(what string) {
	if r := recover(); r != nil {
		b.fail(what, fmt.Errorf("gorgonia: %v", r))
	}
}

// id is a number that no other operator of the graph has.
func (b *Builder) id() uint32 {
	b.nextID++
	return b.nextID
}

// add puts the node op(inputs...) in the graph; what names it in errors and reports.
func (b *Builder) add(what string, op Operator, inputs ...*Node) (n *Node) {
	if b.err != nil {
		return nil
	}
	defer b.guard(what)
	for _, in := range inputs {
		if in == nil {
			return b.fail(what, fmt.Errorf("an input is missing: %w", ErrShape))
		}
	}
	n, err := Apply(op, inputs...)
	if err != nil {
		return b.fail(what, err)
	}
	gorgonia.WithName(join(b.scope, what))(n)
	return n
}

// leaf puts an input of the graph in it. Gorgonia finds inputs by type, shape and name.
func (b *Builder) leaf(name string, shape []int) (n *Node) {
	defer b.guard(name)
	n = gorgonia.NewTensor(b.g, b.opts.Dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	if n.Name() != name {
		return b.fail(name, fmt.Errorf("%w: merged into %q", ErrCollision, n.Name()))
	}
	return n
}

// param returns the node of a parameter, created in the ParamSet if it is missing there.
func (b *Builder) param(name string, kind Kind, shape []int, f fill) *Node {
	return b.view(name, kind, shape, shape, f)
}

// view is param with a node of another shape of as many elements.
func (b *Builder) view(name string, kind Kind, shape, as []int, f fill) *Node {
	if b.err != nil {
		return nil
	}
	p := b.value(name, kind, shape, f)
	if p == nil {
		return nil
	}
	if b.byName[p.Name] != nil {
		return b.fail(name, fmt.Errorf("parameter %q is used twice: %w", p.Name, ErrParam))
	}
	n := b.leaf(p.Name, as)
	b.byName[p.Name] = n
	b.used = append(b.used, ParamNode{Param: p, Node: n})
	return n
}

// value returns the parameter itself.
func (b *Builder) value(name string, kind Kind, shape []int, f fill) *Param {
	full := join(b.scope, name)
	p := b.params.Get(full)
	if p == nil {
		p = newParam(full, kind, shape, f, b.params.Seed)
		b.params.Add(p)
	}
	if !slices.Equal(p.Shape, shape) {
		b.fail(name, fmt.Errorf("the parameter has shape %v, this network wants %v: %w", p.Shape, shape, ErrParam))
		return nil
	}
	return p
}

// MarkHead says of the parameters of a layer that has been drawn that they give logits: see
// Param.Head.
func (b *Builder) MarkHead(layer string) {
	prefix := join(b.scope, layer) + "."
	for _, p := range b.params.All() {
		if strings.HasPrefix(p.Name, prefix) {
			p.Head = true
		}
	}
}

// image is the shape of x, which must be [N, C, H, W].
func (b *Builder) image(what string, x *Node) (s ImageShape, ok bool) {
	if b.err != nil {
		return s, false
	}
	if x == nil {
		b.fail(what, fmt.Errorf("the input is missing: %w", ErrShape))
		return s, false
	}
	d := x.Shape()
	if len(d) != 4 {
		b.fail(what, fmt.Errorf("shape %v, want [N C H W]: %w", []int(d), ErrShape))
		return s, false
	}
	return ImageShape{N: d[0], C: d[1], H: d[2], W: d[3]}, true
}

func join(scope, name string) string {
	if scope == "" {
		return name
	}
	return scope + "." + name
}
