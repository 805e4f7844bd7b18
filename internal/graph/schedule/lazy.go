package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// statistics lowers the batch statistics of something that no convolution of ours computed.
func (c *compiler) statistics(n *gorgonia.Node) error {
	if c.norms[n] != nil {
		return nil // the convolution's step has them
	}
	t := c.tensors[c.in[n][0]]
	v := c.blocked(t)
	nm, sums, sizes := c.makeNorm(n, t.c, t.hw(), c.sums()), c.sums(), c.m.sizes
	st := &step{name: "statistics", reads: []*value{v}, makes: []any{nm.apply}}
	c.mergeIn(st, nm, sums)
	c.widens(nm.hw * block)
	st.run = func(w *worker, _, first, count int) {
		sizes.eachSum(first, count, func(u, images int) { nm.begin(u, images*nm.hw) })
		for i := first; i < first+count; i++ {
			p := sizes.part(i)
			for cb := range blocks(nm.c) {
				nm.observePart(w, p.unit, cb, w.open(v, i, cb*nm.hw*block, nm.hw*block, 0), p.first)
			}
		}
	}
	c.add(st)
	return nil
}

// normalise makes a normalised tensor a lazy expression.
func (c *compiler) normalise(n *gorgonia.Node, op *graph.BatchNorm) error {
	x := c.tensors[c.in[n][0]]
	var nm *norm
	if op.Mode == graph.Train {
		nm = c.norms[c.in[n][3]]
	} else {
		nm = c.evalNorm(n, op)
	}
	if nm == nil || nm.gamma == nil || nm.beta == nil {
		return fmt.Errorf("schedule: %v: its statistics, scale or shift is not where it is expected", op)
	}
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	t.lazy, t.norm = &lazy{x: c.blocked(x), a: nm.apply}, nm
	return nil
}

// rectify makes a rectified tensor a lazy expression, and computes it where more than one step
// would repeat it.
func (c *compiler) rectify(n *gorgonia.Node) error {
	x := c.tensors[c.in[n][0]]
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	r := *c.lazy(x)
	if r.act != noActivation {
		r = lazy{x: c.blocked(x)}
	}
	r.act = relu
	t.lazy = &r
	if r.r != nil || !c.readOnce(n) {
		c.blocked(t)
	}
	return nil
}

// readOnce reports whether one convolution or concatenation alone (and the gradients) reads a node.
func (c *compiler) readOnce(n *gorgonia.Node) bool {
	convs := 0
	for _, u := range c.users[n] {
		switch op := graph.OpOf(u).(type) {
		case *graph.Conv:
			if !shapeOf(op.ConvShape).Supported() {
				return false
			}
			convs++
		case *graph.Concat: // which writes it once
			convs++
		case *graph.ConvWeightGrad, *graph.ReLUGrad:
		default:
			return false
		}
	}
	return convs == 1
}

// addition makes the sum of two tensors a lazy expression, each read as it is or through a batch
// normalisation.
func (c *compiler) addition(n *gorgonia.Node) error {
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	side := func(t *tensor) *lazy {
		r := c.lazy(t)
		if r.r != nil || r.act != noActivation {
			return &lazy{x: c.blocked(t)}
		}
		return r
	}
	a, b := side(c.tensors[c.in[n][0]]), side(c.tensors[c.in[n][1]])
	t.lazy = &lazy{x: a.x, a: a.a, r: b.x, b: b.a}
	if u, op := c.onlyForwardUser(n); u == nil {
		c.blocked(t)
	} else if _, ok := op.(*graph.ReLU); !ok {
		c.blocked(t)
	}
	return nil
}

func (c *compiler) onlyForwardUser(n *gorgonia.Node) (*gorgonia.Node, graph.Operator) {
	var found *gorgonia.Node
	for _, u := range c.users[n] {
		if c.backward(u) {
			continue
		}
		if found != nil {
			return nil, nil
		}
		found = u
	}
	if found == nil {
		return nil, nil
	}
	return found, graph.OpOf(found)
}
