package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// compiler turns a graph into steps. Nodes are visited inputs first; the backward half only after
// the whole forward half, so that a group of gradient nodes finds every forward tensor that it
// reads.
type compiler struct {
	g     *graph.Graph
	m     *Machine
	nodes []*gorgonia.Node // inputs first
	in    map[*gorgonia.Node][]*gorgonia.Node
	users map[*gorgonia.Node][]*gorgonia.Node
	param map[*gorgonia.Node]*graph.Param

	tensors map[*gorgonia.Node]*tensor
	norms   map[*gorgonia.Node]*norm // by the node of the statistics
	summed  map[*gorgonia.Node]bool  // BatchNormSums nodes that a step computes
	claimed map[*gorgonia.Node]bool  // nodes inside a group
	// utterances are the masked normalisations, by their operators' ID.
	utterances map[uint32]*utterance
	// direct are the parameters that steps read as they are: nothing is made of them that could be
	// out of date.
	direct  map[*graph.Param]bool
	buffers map[*gorgonia.Node][]float32 // results of reference operators that are not images
	groups  []*convGroup
	gates   []looseGate
	err     error

	steps   []*step
	packs   []pack
	need    conv.Need
	x, dy   int // padded images in cache, float32 values
	y       int // results of convolutions in cache
	acc     int // accumulators of a weight gradient
	scratch int // strips of local response normalisation
	shared  int // transformed tiles of a round of images
	// gradients says that the backward half is being lowered.
	gradients bool
}

// pack is a convolution's weights in the form that a pass wants.
type pack struct {
	pass   conv.Pass
	param  *graph.Param
	packed []float32
}

// packUnit is a part of a pack.
type packUnit struct {
	pack
	unit int
}

func newCompiler(g *graph.Graph, m *Machine) *compiler {
	c := &compiler{g: g, m: m,
		in: map[*gorgonia.Node][]*gorgonia.Node{}, users: map[*gorgonia.Node][]*gorgonia.Node{},
		param: map[*gorgonia.Node]*graph.Param{}, tensors: map[*gorgonia.Node]*tensor{}, norms: map[*gorgonia.Node]*norm{},
		summed: map[*gorgonia.Node]bool{}, direct: map[*graph.Param]bool{}, claimed: map[*gorgonia.Node]bool{}, buffers: map[*gorgonia.Node][]float32{}}
	for _, p := range g.Params {
		c.param[p.Node] = p.Param
	}
	return c
}

// read collects the nodes that the outputs depend on.
func (c *compiler) read() {
	seen := map[*gorgonia.Node]bool{}
	var visit func(n *gorgonia.Node)
	visit = func(n *gorgonia.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.Op() != nil {
			c.in[n] = graph.Children(n)
			for _, child := range c.in[n] {
				visit(child)
				c.users[child] = append(c.users[child], n)
			}
		}
		c.nodes = append(c.nodes, n)
	}
	visit(c.g.Logits)
	if c.g.Mode == graph.Train {
		visit(c.g.Loss)
		for _, s := range c.g.Stats {
			visit(s.Node)
		}
		for _, p := range c.g.Params {
			if p.Grad != nil {
				visit(p.Grad)
			}
		}
	}
}

// backward reports whether a node belongs to the backward half.
func (c *compiler) backward(n *gorgonia.Node) bool { return !c.g.Forward(n) }

func (c *compiler) compile() error {
	c.read()
	c.number()
	var back []*gorgonia.Node
	for _, n := range c.nodes {
		if n.Op() == nil || n.Op().Arity() == 0 {
			continue
		}
		if c.backward(n) {
			back = append(back, n)
			continue
		}
		if err := c.forward(n); err != nil {
			return err
		}
	}
	c.keepLogits()
	if c.g.Mode == graph.Eval {
		return nil
	}
	c.gradients = true
	c.findGroups(back)
	for _, n := range back {
		if c.claimed[n] {
			continue
		}
		if err := c.gradient(n); err != nil {
			return err
		}
	}
	for _, g := range c.groups {
		if err := c.emitConv(g); err != nil {
			return err
		}
	}
	for _, g := range c.gates {
		if err := c.emitGate(g); err != nil {
			return err
		}
	}
	if c.err != nil {
		return c.err
	}
	return c.writeRest()
}

// number makes the tensor of the input.
func (c *compiler) number() {
	s := c.g.Input.Shape()
	t := &tensor{c: s[1], h: s[2], w: s[3]}
	v := c.newValue("input", t.blockedLen())
	t.how = &recipe{x: v}
	c.tensors[c.g.Input] = t
	chw, hw, ch := t.c*t.hw(), t.hw(), t.c
	c.add(&step{name: "input", writes: []*value{v}, run: func(w *worker, _, first, n int) {
		y := w.images(v, first, n)
		for i := range n {
			blockImage(y[i*v.per:(i+1)*v.per], w.m.x[(first+i)*chw:(first+i+1)*chw], ch, hw)
		}
	}})
}

// blockImage copies a row-major image of c channels to blocks; channels past c stay zero (or become
// it).
func blockImage(dst, src []float32, c, hw int) {
	for cb := range blocks(c) {
		n := min(block, c-cb*block)
		out := dst[cb*hw*block : (cb+1)*hw*block]
		for p := range hw {
			px := out[p*block : (p+1)*block]
			for i := range n {
				px[i] = src[(cb*block+i)*hw+p]
			}
			clear(px[n:])
		}
	}
}

func unblockImage(dst, src []float32, c, hw int) {
	for ch := range c {
		from := src[(ch/block)*hw*block+ch%block:]
		to := dst[ch*hw : (ch+1)*hw]
		for p := range to {
			to[p] = from[p*block]
		}
	}
}

func (c *compiler) newValue(name string, per int) *value {
	v := &value{name: name, per: per, first: -1}
	c.m.values = append(c.m.values, v)
	return v
}

// add appends a step. What is added on behalf of a gradient, conversions too, is not run where only
// the forward half is wanted.
func (c *compiler) add(s *step) {
	s.backward = s.backward || c.gradients
	c.steps = append(c.steps, s)
}

// newTensor makes the tensor of a node of rank 4 or 2.
func (c *compiler) newTensor(n *gorgonia.Node) (*tensor, error) {
	s := n.Shape()
	t := &tensor{h: 1, w: 1}
	switch len(s) {
	case 4:
		t.c, t.h, t.w = s[1], s[2], s[3]
	case 2:
		t.c = s[1]
	default:
		return nil, fmt.Errorf("schedule: %v: shape %v of node %d is neither [N, C, H, W] nor [N, C]", n.Op(), []int(s), n.ID())
	}
	if s[0] != c.g.N {
		return nil, fmt.Errorf("schedule: %v: shape %v of node %d does not begin with the batch, %d", n.Op(), []int(s), n.ID(), c.g.N)
	}
	c.tensors[n] = t
	return t, nil
}

// blockedTensor makes a tensor with a blocked value of its own.
func (c *compiler) blockedTensor(n *gorgonia.Node) (*tensor, error) {
	t, err := c.newTensor(n)
	if err != nil {
		return nil, err
	}
	t.how = &recipe{x: c.newValue(n.Op().String(), t.blockedLen())}
	return t, nil
}

// plainTensor makes a tensor with a row-major value of its own.
func (c *compiler) plainTensor(n *gorgonia.Node) (*tensor, error) {
	t, err := c.newTensor(n)
	if err != nil {
		return nil, err
	}
	t.plain = c.newValue(n.Op().String(), t.c*t.hw())
	return t, nil
}

// recipe returns how to read a tensor in blocks; it adds a conversion where only the row-major form
// exists.
func (c *compiler) recipe(t *tensor) *recipe {
	if t.how == nil {
		from, to := t.plain, c.newValue("blocked "+t.plain.name, t.blockedLen())
		t.how = &recipe{x: to}
		ch, hw := t.c, t.hw()
		c.add(&step{name: "block", reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
			x, y := w.images(from, first, n), w.images(to, first, n)
			for i := range n {
				blockImage(y[i*to.per:(i+1)*to.per], x[i*from.per:(i+1)*from.per], ch, hw)
			}
		}})
	}
	return t.how
}

// blocked returns a tensor's blocked value; it adds the step that computes it where there is only a
// recipe.
func (c *compiler) blocked(t *tensor) *value {
	if v := c.viewed(t); v.parent == nil {
		return v
	}
	r := c.recipe(t)
	return c.mapped(t, r)
}

// viewed is blocked for those who read image by image: the value may be a view.
func (c *compiler) viewed(t *tensor) *value {
	r := c.recipe(t)
	if r.plain() {
		return r.x
	}
	return c.mapped(t, r)
}

// mapped adds the step that computes a recipe.
func (c *compiler) mapped(t *tensor, r *recipe) *value {
	v := c.newValue("map", t.blockedLen())
	from := *r
	hw := t.hw()
	s := &step{name: "map", reads: from.reads(), writes: []*value{v}, run: func(w *worker, _, first, n int) {
		w.materialise(w.images(v, first, n), &from, hw, first, n)
	}}
	s.need(from.a, from.b)
	c.add(s)
	t.how = &recipe{x: v}
	return v
}

// rows returns a tensor's row-major value; it adds a conversion where only the blocked form exists.
func (c *compiler) rows(t *tensor) *value {
	if t.plain == nil {
		from := c.blocked(t)
		to := c.newValue("rows "+from.name, t.c*t.hw())
		t.plain = to
		ch, hw := t.c, t.hw()
		c.add(&step{name: "unblock", reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
			x, y := w.images(from, first, n), w.images(to, first, n)
			for i := range n {
				unblockImage(y[i*to.per:(i+1)*to.per], x[i*from.per:(i+1)*from.per], ch, hw)
			}
		}})
	}
	return t.plain
}

// keepLogits makes the logits a row-major value that outlives the run.
func (c *compiler) keepLogits() {
	v := c.rows(c.tensors[c.g.Logits])
	v.keep = true
	c.m.logits = v
}
