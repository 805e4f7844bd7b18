package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// convGroup is the two gradients of one convolution.
type convGroup struct {
	dy             *gorgonia.Node
	weights, input *gorgonia.Node
	gate           gate
	emitted        bool
}

type looseGate struct {
	d *gorgonia.Node
	gate
}

// findGroups claims the nodes of each convolution's gradients and of the gates behind them, before
// any of them is lowered, and makes their tensors.
func (c *compiler) findGroups(back []*gorgonia.Node) {
	byConv := map[uint32]*convGroup{}
	for _, n := range back {
		switch op := n.Op().(type) {
		case *graph.ConvWeightGrad:
			if c.ourConv(op.ConvShape, op.ID) {
				g := groupOf(byConv, op.ID)
				g.weights, g.dy = n, c.in[n][1]
			}
		case *graph.ConvInputGrad:
			if c.ourConv(op.ConvShape, op.ID) {
				g := groupOf(byConv, op.ID)
				g.input, g.dy = n, c.in[n][1]
			}
		}
	}
	for _, n := range back {
		g := c.groupAt(byConv, n)
		if g == nil || g.emitted {
			continue
		}
		g.emitted = true
		c.groups = append(c.groups, g)
		if g.weights != nil {
			c.claimed[g.weights] = true
		}
		if g.input != nil {
			c.claimed[g.input] = true
			g.gate = c.findGate(g.input)
		}
	}
	// Gates of gradients that no convolution computes begin at the join or the ReLU itself.
	for _, n := range back {
		if c.claimed[n] {
			continue
		}
		if _, ok := n.Op().(*graph.ReLUGrad); ok {
			if len(n.Shape()) == 2 {
				continue
			}
			g := c.extend(gate{relu: c.in[n][0], end: n})
			c.claimed[n] = true
			c.gates = append(c.gates, looseGate{c.in[n][1], g})
		}
		if op, ok := n.Op().(*graph.PReLUInputGrad); ok && len(n.Shape()) == 4 && c.param[c.in[n][1]] != nil {
			c.claimed[n] = true
			c.gates = append(c.gates, looseGate{c.in[n][2], c.extend(c.preluGate(gate{}, n, op.ID))})
		}
	}
}

func (c *compiler) groupAt(byConv map[uint32]*convGroup, n *gorgonia.Node) *convGroup {
	switch op := n.Op().(type) {
	case *graph.ConvWeightGrad:
		return byConv[op.ID]
	case *graph.ConvInputGrad:
		return byConv[op.ID]
	}
	return nil
}

func groupOf(m map[uint32]*convGroup, id uint32) *convGroup {
	if m[id] == nil {
		m[id] = &convGroup{}
	}
	return m[id]
}

// ourConv reports whether the convolution of a gradient node has a step of its own.
func (c *compiler) ourConv(s graph.ConvShape, id uint32) bool {
	if !shapeOf(s).Supported() {
		return false
	}
	for _, n := range c.nodes {
		if op, ok := n.Op().(*graph.Conv); ok && op.ID == id {
			return true
		}
	}
	return false
}

// findGate follows the gradient of an activation through the nodes that can be taken into the step
// that computes it.
func (c *compiler) findGate(n *gorgonia.Node) gate {
	g := gate{end: n}
	if u := c.soleUser(g.end); u != nil && graph.IsSum(u) && !c.claimed[u] {
		a, b := c.in[u][0], c.in[u][1]
		if a == g.end {
			a, b = b, a
		}
		if a != g.end {
			g.addend, g.end = a, u
			c.claimed[u] = true
		}
	}
	if u := c.soleUser(g.end); u != nil && !c.claimed[u] {
		if _, ok := u.Op().(*graph.ReLUGrad); ok && c.in[u][1] == g.end {
			g.relu, g.end = c.in[u][0], u
			c.claimed[u] = true
		}
	}
	if u := c.soleUser(g.end); u == nil && g.relu == nil {
		for _, u := range c.users[g.end] {
			if op, ok := u.Op().(*graph.PReLUInputGrad); ok && c.in[u][2] == g.end && !c.claimed[u] && len(c.users[g.end]) == 2 && c.param[c.in[u][1]] != nil && c.slopeGrad(u, op.ID) != nil {
				c.claimed[u] = true
				g = c.preluGate(g, u, op.ID)
				break
			}
		}
	}
	return c.extend(g)
}

// preluGate ends a gate with the derivative n of a PReLU, and with that of its slopes.
func (c *compiler) preluGate(g gate, n *gorgonia.Node, id uint32) gate {
	g.prelu, g.slope, g.end = n, c.slopeGrad(n, id), n
	if g.slope != nil {
		c.claimed[g.slope] = true
	}
	return g
}

// slopeGrad finds the gradient of the slopes of the PReLU whose derivative is n.
func (c *compiler) slopeGrad(n *gorgonia.Node, id uint32) *gorgonia.Node {
	for _, u := range c.users[c.in[n][2]] {
		if op, ok := u.Op().(*graph.PReLUSlopeGrad); ok && op.ID == id && c.gradOf(u) != nil && !c.claimed[u] {
			return u
		}
	}
	return nil
}

func (c *compiler) soleUser(n *gorgonia.Node) *gorgonia.Node {
	if len(c.users[n]) == 1 && c.gradOf(n) == nil {
		return c.users[n][0]
	}
	return nil
}

// extend adds the sums of the first batch normalisation behind the gate, and makes the gate's
// tensor.
func (c *compiler) extend(g gate) gate {
	for _, u := range c.users[g.end] {
		if _, ok := u.Op().(*graph.BatchNormSums); ok && c.norms[c.in[u][1]] != nil && !c.claimed[u] && g.prelu == nil {
			g.sums = u
			c.claimed[u] = true
			break
		}
	}
	for _, u := range c.users[g.end] {
		if _, ok := u.Op().(*graph.ConvBiasGrad); ok && g.sums == nil && c.gradOf(u) != nil && !c.claimed[u] {
			g.bias = u
			c.claimed[u] = true
			break
		}
	}
	if _, err := c.blockedTensor(g.end); err != nil && c.err == nil {
		c.err = err
	}
	return g
}
