package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// inBlocks reports whether every part of a concatenation begins with a block, so that parts can be
// written to their places and read from them.
func inBlocks(channels []int) bool {
	for _, c := range channels[:len(channels)-1] {
		if c%block != 0 {
			return false
		}
	}
	return true
}

// joined returns the value of a concatenation, which steps may write parts of before the node
// itself is lowered.
func (c *compiler) joined(n *gorgonia.Node) (*value, error) {
	if t := c.tensors[n]; t != nil {
		return t.lazy.x, nil
	}
	t, err := c.blockedTensor(n)
	if err != nil {
		return nil, err
	}
	return t.lazy.x, nil
}

// valueOf makes the value of a node that a step is going to write image by image: a part of a
// concatenation where that is all that reads it.
func (c *compiler) valueOf(n *gorgonia.Node, t *tensor) (*value, error) {
	u, op := c.onlyForwardUser(n)
	if o, ok := op.(*graph.Concat); ok && n != c.g.Logits && inBlocks(o.Channels) {
		from := 0
		for i, in := range c.in[u] {
			if in == n {
				whole, err := c.joined(u)
				if err != nil {
					return nil, err
				}
				return whole.view(from/block*t.hw()*block, t.blockedLen()), nil
			}
			from += o.Channels[i]
		}
	}
	return c.newBlocked(n.Op().String(), t.blockedLen()), nil
}

// concat lowers what is not in its place already.
func (c *compiler) concat(n *gorgonia.Node, op *graph.Concat) error {
	whole, err := c.joined(n)
	if err != nil {
		return err
	}
	t := c.tensors[n]
	hw := t.hw()
	st := &step{name: "concat", writes: []*value{whole}}
	var copies []func(w *worker, image int)
	straight, from := inBlocks(op.Channels), 0
	for i, in := range c.in[n] {
		part := c.tensors[in]
		at := from / block * hw * block
		if straight {
			// A part that stands in its place is a view of the whole. It cannot be one of another
			// place: who stands in two places has two users, and is copied to both.
			if r := part.lazy; r == nil || !r.plain() || r.x.parent != whole {
				r := c.lazy(part)
				st.reads = append(st.reads, r.reads()...)
				st.need(r.a, r.b)
				place := whole.view(at, part.blockedLen())
				copies = append(copies, func(w *worker, image int) { w.materialise(place, r, hw, image, 1) })
			}
		} else {
			v, ps := c.viewed(part), pieces(op.Channels[i], from)
			st.reads = append(st.reads, v)
			copies = append(copies, func(w *worker, image int) { w.movePieces(whole, v, image, ps, hw, false) })
		}
		from += op.Channels[i]
	}
	if len(copies) == 0 {
		return nil
	}
	st.run = func(w *worker, _, first, n int) {
		for i := range n {
			if !straight {
				clear(w.image(whole, first+i))
			}
			for _, f := range copies {
				f(w, first+i)
			}
		}
	}
	c.add(st)
	return nil
}

// movePieces copies pieces of the pixels' channels of an image to their places, or back.
func (w *worker) movePieces(to, from *value, image int, ps []piece, hw int, back bool) {
	if to.narrow {
		movePieces(w.halves(to, image, 0, to.per), w.halves(from, image, 0, from.per), ps, hw, back)
	} else {
		movePieces(w.image(to, image), w.image(from, image), ps, hw, back)
	}
}

func movePieces[T float32 | kernel.BFloat16](dst, src []T, ps []piece, hw int, back bool) {
	for _, p := range ps {
		from, to := p.from*hw*block+p.fromLane, p.to*hw*block+p.toLane
		if back {
			from, to = to, from
		}
		for i := range hw {
			copy(dst[to+i*block:][:p.n], src[from+i*block:][:p.n])
		}
	}
}

// concatGrad takes one part of a gradient: where it is whole blocks it is read in its place.
func (c *compiler) concatGrad(n *gorgonia.Node, op *graph.ConcatGrad) error {
	dy := c.tensors[c.in[n][0]]
	v := c.viewed(dy)
	if op.From%block == 0 && (op.To%block == 0 || op.To == op.C) {
		t, err := c.newTensor(n)
		if err != nil {
			return err
		}
		t.lazy = &lazy{x: v.view(op.From/block*t.hw()*block, t.blockedLen())}
		return nil
	}
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, hw, ps := t.lazy.x, t.hw(), pieces(op.To-op.From, op.From)
	c.add(&step{name: "concat gradient", backward: true, reads: []*value{v}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		for i := range n {
			clear(w.image(to, first+i))
			w.movePieces(to, v, first+i, ps, hw, true)
		}
	}})
	return nil
}
