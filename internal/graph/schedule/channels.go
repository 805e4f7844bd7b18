package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// channelParam is a parameter [C] in blocks: the bias of a convolution or the slopes of PReLU.
type channelParam struct {
	p *graph.Param
	// shift is the map x + p.
	shift *affine
}

// perChannel returns a parameter in blocks, which is brought up to date before steps run.
func (c *compiler) perChannel(p *graph.Param) *channelParam {
	for _, b := range c.m.channels {
		if b.p == p {
			return b
		}
	}
	b := &channelParam{p: p, shift: newAffine(len(p.Data))}
	for i := range b.shift.s {
		b.shift.s[i] = ones
	}
	c.m.channels = append(c.m.channels, b)
	return b
}

// values are those of the parameter, zero past its end.
func (b *channelParam) values() []kernel.Vec { return b.shift.t }

func (b *channelParam) refresh() {
	for i, v := range b.p.Data {
		b.shift.t[i/block][i%block] = v
	}
}

// channelSums are sums over images and pixels that are gradients themselves: of a bias, of slopes.
type channelSums struct {
	unitSums
	bias, slope *graph.Param // nil where not wanted
}

func newChannelSums(channels, units int) *channelSums {
	return &channelSums{unitSums: newUnitSums(channels, units)}
}

// finish merges the units in their order.
func (s *channelSums) finish(accumulate bool) {
	merge := func(p *graph.Param, units [][]blockSums) {
		if p == nil {
			return
		}
		for c := range p.Grad {
			put(p.Grad, c, float32(total(units[c/block], c%block)), accumulate)
		}
	}
	merge(s.bias, s.first)
	merge(s.slope, s.second)
}

// finishIn makes a step merge the sums after its units.
func (s *channelSums) finishIn(c *compiler, st *step) {
	st.writesGrad(s.bias, s.slope)
	m := c.m
	st.finish = append(st.finish, func() { s.finish(m.options.Accumulate) })
}

// biasGrad lowers the gradient of a bias that no epilogue computes.
func (c *compiler) biasGrad(n *gorgonia.Node) error {
	p, d := c.gradOf(n), c.in[n][0]
	if p == nil || len(d.Shape()) != 4 {
		return c.fallback(n)
	}
	if _, ok := graph.OpOf(d).(*graph.BatchNormInputGrad); ok {
		// The normalisation behind takes every shift away: its gradient is zero, and the sum would
		// be rounding.
		c.add(&step{name: "bias gradient", backward: true, whole: true, grads: []*graph.Param{p}, run: func(w *worker, _, _, _ int) {
			if !w.m.options.Accumulate {
				clear(p.Grad)
			}
		}})
		return nil
	}
	t := c.tensors[d]
	v := c.viewed(t)
	sums, sizes := newChannelSums(t.c, c.sums()), c.m.sizes
	sums.bias = p
	st := &step{name: "bias gradient", backward: true, reads: []*value{v}}
	hw := t.hw()
	c.widens(hw * block)
	st.run = func(w *worker, _, first, n int) {
		sizes.eachSum(first, n, func(u, _ int) { sums.begin(u) })
		m, one := &w.moments, &w.sums
		m.Pixels, m.K, m.S1, m.S2 = hw, &zeros, &one.first, &one.second
		for i := range n {
			for cb := range blocks(t.c) {
				*one = pair{}
				m.X = w.open(v, first+i, cb*hw*block, hw*block, 0)
				m.Run()
				sums.add((first+i)/sizes.sum, cb, one)
			}
		}
	}
	sums.finishIn(c, st)
	c.add(st)
	return nil
}

// parametric makes PReLU a lazy expression, and computes it where more than one step would repeat
// it.
func (c *compiler) parametric(n *gorgonia.Node) error {
	slope := c.param[c.in[n][1]]
	if slope == nil || len(n.Shape()) != 4 {
		return c.fallback(n)
	}
	x := c.tensors[c.in[n][0]]
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	r := *c.lazy(x)
	if r.r != nil || r.act != noActivation {
		r = lazy{x: c.blocked(x)}
	}
	r.act, r.slope = prelu, c.perChannel(slope).values()
	t.lazy = &r
	if !c.readOnce(n) {
		c.blocked(t)
	}
	return nil
}
