package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// fuseForward lets a convolution apply what follows it while its result is in cache: its bias,
// addition and ReLU, and in evaluation, where nobody asks for what was in front of them,
// normalisation and PReLU. The tensors of the nodes that it fuses become the convolution's own
// value, which it makes. It is decided while lowering, for it depends on which tensors are there
// already.
func (c *compiler) fuseForward(n *gorgonia.Node, out *tensor, bias *graph.Param, st *step) (eachPart, error) {
	end := n
	r := &lazy{}
	if bias != nil {
		r.a = c.perChannel(bias).shift
	}
	var other *tensor
	if bn, op := c.onlyUser(end); op != nil && c.g.Mode == graph.Eval {
		if b, ok := op.(*graph.BatchNorm); ok {
			nm := c.evalNorm(bn, b)
			nm.bias = bias
			r.a, end = nm.apply, bn
		}
	}
	if add, op := c.onlyUser(end); op != nil {
		if _, ok := op.(*graph.Add); ok {
			o := c.in[add][0]
			if o == end {
				o = c.in[add][1]
			}
			// The other side must be there already; its own convolution may come later and then
			// takes this one in.
			if t := c.tensors[o]; t != nil && o != end && t.lazy != nil && t.lazy.plain() {
				other, end = t, add
				r.r = t.lazy.x
			}
		}
	}
	if act, op := c.onlyUser(end); op != nil {
		switch op.(type) {
		case *graph.ReLU:
			r.act, end = relu, act
		case *graph.PReLU:
			if slope := c.param[c.in[act][1]]; slope != nil && other == nil && c.g.Mode == graph.Eval {
				r.act, r.slope, end = prelu, c.perChannel(slope).values(), act
			}
		}
	}
	for at := n; at != end; {
		at, _ = c.onlyUser(at)
		c.tensors[at] = &tensor{c: out.c, h: out.h, w: out.w, lazy: out.lazy}
		c.fused[at] = true
	}
	v, err := c.valueOf(end, out)
	if err != nil {
		return nil, err
	}
	st.writes = []*value{v}
	out.lazy.x, r.x = v, v
	if other != nil {
		st.reads = append(st.reads, r.r)
	}
	hw := out.hw()
	return func(w *worker, p part, d []float32) { w.mapOut(v, r, d, p.image, p.cb, p.cb*hw+p.from) }, nil
}

// onlyUser returns the user of a node that has one, and its operator.
func (c *compiler) onlyUser(n *gorgonia.Node) (*gorgonia.Node, graph.Operator) {
	if n == c.g.Logits || len(c.users[n]) != 1 {
		return nil, nil
	}
	return c.users[n][0], graph.OpOf(c.users[n][0])
}

// evalNorm makes the norm of an evaluated BatchNorm, whose map comes from the running statistics.
func (c *compiler) evalNorm(n *gorgonia.Node, op *graph.BatchNorm) *norm {
	in := c.in[n]
	nm := newNorm("", op.C, op.H*op.W, op.Eps)
	nm.gamma, nm.beta, nm.mean, nm.vari = c.param[in[1]], c.param[in[2]], c.param[in[3]], c.param[in[4]]
	c.m.norms = append(c.m.norms, nm)
	return nm
}
