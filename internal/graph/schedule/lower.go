package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// lower makes the steps: those of the forward half first, so that the backward half finds every
// tensor that it reads.
func (c *compiler) lower() error {
	in := c.g.Input.Shape()
	c.tensors[c.g.Input] = &tensor{c: in[1], h: in[2], w: in[3], image: true}
	for _, n := range c.operations(false) {
		if c.fused[n] {
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
	if err := c.epilogueTensors(); err != nil {
		return err
	}
	for _, n := range c.operations(true) {
		if c.fused[n] {
			continue
		}
		if err := c.gradient(n); err != nil {
			return err
		}
	}
	for _, g := range c.convGrads {
		if err := c.lowerConvGradients(g); err != nil {
			return err
		}
	}
	for _, g := range c.loose {
		if err := c.lowerEpilogue(g); err != nil {
			return err
		}
	}
	return c.writeRest()
}

// operations are the nodes of a half that compute something, inputs first.
func (c *compiler) operations(backward bool) (out []*gorgonia.Node) {
	for _, n := range c.nodes {
		if n.Op() != nil && n.Op().Arity() > 0 && c.backward(n) == backward {
			out = append(out, n)
		}
	}
	return out
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
	t.lazy = &lazy{x: c.newBlocked(n.Op().String(), t.blockedLen())}
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

// keepLogits makes the logits a row-major value that outlives the run.
func (c *compiler) keepLogits() {
	v := c.rows(c.tensors[c.g.Logits])
	v.keep = true
	c.m.logits = v
}
