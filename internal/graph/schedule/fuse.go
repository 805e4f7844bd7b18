package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// convGradients are the two gradients of one convolution, or one of them, with the backward
// epilogue of that of the input: one step.
type convGradients struct {
	dy             *gorgonia.Node
	weights, input *gorgonia.Node
	epilogue       backwardEpilogue
}

// looseEpilogue is a backward epilogue of a gradient d that no convolution computes.
type looseEpilogue struct {
	d *gorgonia.Node
	backwardEpilogue
}

// fuse decides which nodes of the backward half one step computes together, before anything is
// lowered. What the forward half fuses is decided while lowering (epilogue.go).
func (c *compiler) fuse() {
	back := c.operations(true)
	byConv := map[uint32]*convGradients{}
	for _, n := range back {
		g := c.gradientsOf(byConv, n)
		if g == nil {
			continue
		}
		if g.dy == nil {
			c.convGrads = append(c.convGrads, g)
		}
		g.dy = c.in[n][1]
		if _, ok := graph.OpOf(n).(*graph.ConvWeightGrad); ok {
			g.weights = n
		} else {
			g.input = n
		}
	}
	for _, g := range c.convGrads {
		if g.weights != nil {
			c.fused[g.weights] = true
		}
		if g.input != nil {
			c.fused[g.input] = true
			g.epilogue = c.fuseEpilogue(g.input)
		}
	}
	// Epilogues of gradients that no convolution computes begin at the join or the ReLU itself.
	for _, n := range back {
		if c.fused[n] || len(n.Shape()) != 4 {
			continue
		}
		switch op := graph.OpOf(n).(type) {
		case *graph.ReLUGrad:
			c.fused[n] = true
			c.loose = append(c.loose, looseEpilogue{c.in[n][1], c.extend(backwardEpilogue{relu: c.in[n][0], end: n})})
		case *graph.PReLUInputGrad:
			if c.param[c.in[n][1]] != nil {
				c.fused[n] = true
				c.loose = append(c.loose, looseEpilogue{c.in[n][2], c.extend(c.preluEpilogue(backwardEpilogue{}, n, op.ID))})
			}
		}
	}
}

// epilogueTensors makes the tensors at the ends of backward epilogues, which steps may read that
// are lowered before them.
func (c *compiler) epilogueTensors() error {
	var ends []*gorgonia.Node
	for _, g := range c.convGrads {
		if g.input != nil {
			ends = append(ends, g.epilogue.end)
		}
	}
	for _, g := range c.loose {
		ends = append(ends, g.end)
	}
	for _, n := range ends {
		if _, err := c.blockedTensor(n); err != nil {
			return err
		}
	}
	return nil
}

// gradientsOf is the group of a gradient of a convolution that has a step of its own, else nil.
func (c *compiler) gradientsOf(byConv map[uint32]*convGradients, n *gorgonia.Node) *convGradients {
	var id uint32
	switch op := graph.OpOf(n).(type) {
	case *graph.ConvWeightGrad:
		if !c.ourConv(op.ConvShape, op.ID) {
			return nil
		}
		id = op.ID
	case *graph.ConvInputGrad:
		if !c.ourConv(op.ConvShape, op.ID) {
			return nil
		}
		id = op.ID
	default:
		return nil
	}
	if byConv[id] == nil {
		byConv[id] = &convGradients{}
	}
	return byConv[id]
}

// ourConv reports whether the convolution of a gradient node has a step of its own.
func (c *compiler) ourConv(s graph.ConvShape, id uint32) bool {
	if !shapeOf(s).Supported() {
		return false
	}
	for _, n := range c.nodes {
		if op, ok := graph.OpOf(n).(*graph.Conv); ok && op.ID == id {
			return true
		}
	}
	return false
}

// fuseEpilogue follows the gradient of an activation through the nodes that can be taken into the
// step that computes it.
func (c *compiler) fuseEpilogue(n *gorgonia.Node) backwardEpilogue {
	g := backwardEpilogue{end: n}
	if u := c.soleUser(g.end); u != nil && graph.IsSum(u) && !c.fused[u] {
		a := c.in[u][0]
		if a == g.end {
			a = c.in[u][1]
		}
		if a != g.end {
			g.addend, g.end = a, u
			c.fused[u] = true
		}
	}
	if u := c.soleUser(g.end); u != nil && !c.fused[u] {
		if _, ok := graph.OpOf(u).(*graph.ReLUGrad); ok && c.in[u][1] == g.end {
			g.relu, g.end = c.in[u][0], u
			c.fused[u] = true
		}
	}
	if u := c.soleUser(g.end); u == nil && g.relu == nil {
		for _, u := range c.users[g.end] {
			if op, ok := graph.OpOf(u).(*graph.PReLUInputGrad); ok && c.in[u][2] == g.end && !c.fused[u] && len(c.users[g.end]) == 2 && c.param[c.in[u][1]] != nil && c.slopeGrad(u, op.ID) != nil {
				c.fused[u] = true
				g = c.preluEpilogue(g, u, op.ID)
				break
			}
		}
	}
	return c.extend(g)
}

// preluEpilogue ends an epilogue with the derivative n of a PReLU, and with that of its slopes.
func (c *compiler) preluEpilogue(g backwardEpilogue, n *gorgonia.Node, id uint32) backwardEpilogue {
	g.prelu, g.slope, g.end = n, c.slopeGrad(n, id), n
	if g.slope != nil {
		c.fused[g.slope] = true
	}
	return g
}

// slopeGrad finds the gradient of the slopes of the PReLU whose derivative is n.
func (c *compiler) slopeGrad(n *gorgonia.Node, id uint32) *gorgonia.Node {
	for _, u := range c.users[c.in[n][2]] {
		if op, ok := graph.OpOf(u).(*graph.PReLUSlopeGrad); ok && op.ID == id && c.gradOf(u) != nil && !c.fused[u] {
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

// extend adds to an epilogue the sums of the first batch normalisation behind it, or of a bias.
func (c *compiler) extend(g backwardEpilogue) backwardEpilogue {
	for _, u := range c.users[g.end] {
		if _, ok := graph.OpOf(u).(*graph.BatchNormSums); ok && c.batchStats(c.in[u][1]) && !c.fused[u] && g.prelu == nil {
			g.sums = u
			c.fused[u] = true
			break
		}
	}
	for _, u := range c.users[g.end] {
		if _, ok := graph.OpOf(u).(*graph.ConvBiasGrad); ok && g.sums == nil && c.gradOf(u) != nil && !c.fused[u] {
			g.bias = u
			c.fused[u] = true
			break
		}
	}
	return g
}

// batchStats reports whether a node is the batch statistics of a normalisation.
func (c *compiler) batchStats(n *gorgonia.Node) bool {
	_, ok := graph.OpOf(n).(*graph.BatchStats)
	return ok
}
