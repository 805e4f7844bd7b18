package schedule

import "resnet/internal/graph/kernel"

// A tensor has up to two layouts: blocked, which may be a lazy expression, and row-major. These
// make the one that is wanted from the one that is there.

// lazy returns the expression of a tensor in blocks; it adds a conversion where only the row-major
// form exists.
func (c *compiler) lazy(t *tensor) *lazy {
	if t.image && t.lazy == nil {
		c.input(t)
	}
	if t.lazy == nil {
		from, to := t.plain, c.newBlocked("blocked "+t.plain.name, t.blockedLen())
		t.lazy = &lazy{x: to}
		c.widens(to.per)
		ch, hw := t.c, t.hw()
		c.add(&step{name: "to blocks", reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
			for i := first; i < first+n; i++ {
				y := w.place(to, i, 0, to.per, 0)
				blockImage(y, w.image(from, i), ch, hw)
				w.close(to, i, 0, y)
			}
		}})
	}
	return t.lazy
}

// blocked returns a tensor's blocked value; it adds the step that computes it where there is only
// a lazy expression.
func (c *compiler) blocked(t *tensor) *value {
	if v := c.viewed(t); v.parent == nil {
		return v
	}
	r := c.lazy(t)
	return c.mapped(t, r)
}

// viewed is blocked for those who read image by image: the value may be a view.
func (c *compiler) viewed(t *tensor) *value {
	r := c.lazy(t)
	if r.plain() {
		return r.x
	}
	return c.mapped(t, r)
}

// mapped adds the step that computes a lazy expression.
func (c *compiler) mapped(t *tensor, r *lazy) *value {
	v := c.newBlocked("lazy expression", t.blockedLen())
	from := *r
	hw := t.hw()
	s := &step{name: "lazy expression", reads: from.reads(), writes: []*value{v}, run: func(w *worker, _, first, n int) {
		w.materialise(v, &from, hw, first, n)
	}}
	s.need(from.a, from.b)
	c.add(s)
	t.lazy = &lazy{x: v}
	return v
}

// rows returns a tensor's row-major value; it adds a conversion where only the blocked form exists.
func (c *compiler) rows(t *tensor) *value {
	if t.plain == nil {
		from := c.blocked(t)
		to := c.newValue("rows "+from.name, t.c*t.hw())
		t.plain = to
		c.widens(from.per)
		ch, hw := t.c, t.hw()
		c.add(&step{name: "to rows", reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
			for i := first; i < first+n; i++ {
				unblockImage(w.image(to, i), w.open(from, i, 0, from.per, 0), ch, hw)
			}
		}})
	}
	return t.plain
}

// blockImage copies a row-major image of c channels to blocks; channels past c stay zero (or become
// it).
func blockImage(dst, src []float32, c, hw int) {
	for cb := range blocks(c) {
		n := min(block, c-cb*block)
		out := dst[cb*hw*block : (cb+1)*hw*block]
		var v kernel.Vec // lanes behind the last channel stay 0
		for p := range hw {
			for i := range n {
				v[i] = src[(cb*block+i)*hw+p]
			}
			*(*kernel.Vec)(out[p*block:]) = v
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
