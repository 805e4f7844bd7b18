package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// epilogue lets a convolution apply what follows it while its result is in cache: its bias,
// addition and ReLU, and in evaluation, where nobody asks for what was in front of them,
// normalisation and PReLU. The tensors of the nodes that it takes in become the convolution's own
// value, which it makes.
func (c *compiler) epilogue(n *gorgonia.Node, out *tensor, bias *graph.Param, st *step, each *eachPart) error {
	end := n
	r := &recipe{}
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
			if t := c.tensors[o]; t != nil && o != end && t.how != nil && t.how.plain() {
				other, end = t, add
				r.r = t.how.x
			}
		}
	}
	if act, op := c.onlyUser(end); op != nil {
		switch op.(type) {
		case *graph.ReLU:
			r.relu, end = true, act
		case *graph.PReLU:
			if slope := c.param[c.in[act][1]]; slope != nil && other == nil && c.g.Mode == graph.Eval {
				r.slope, end = c.perChannel(slope).values(), act
			}
		}
	}
	for at := n; at != end; {
		at, _ = c.onlyUser(at)
		c.tensors[at] = &tensor{c: out.c, h: out.h, w: out.w, how: out.how}
		c.claimed[at] = true
	}
	v, err := c.valueOf(end, out)
	if err != nil {
		return err
	}
	out.how.x, r.x = v, v
	if other != nil {
		st.reads = append(st.reads, r.r.root())
	}
	hw := out.hw()
	*each = func(w *worker, _, image, cb, from int, d []float32) {
		w.how = r
		var o []float32
		if r.r != nil {
			o = w.part(r.r, image, cb*hw+from, len(d))
		}
		w.mapPart(w.part(v, image, cb*hw+from, len(d)), d, o, cb)
	}
	return nil
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
