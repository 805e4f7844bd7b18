package schedule

import (
	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// Units is how many units a step is divided into, or more, so that as many threads have work.
const Units = 16

// intraImage reports whether an evaluated convolution is divided within images, because there are
// fewer of them than units. It follows from shapes.
func (c *compiler) intraImage(s conv.Shape) bool {
	return c.g.Mode == graph.Eval && c.g.N < Units && s.MACs() >= c.m.limits.Work
}

// inParts adds a step whose result falls into so many parts of an image that need nothing of each
// other. It goes image by image or, where fewer are evaluated than there are units and an image has
// so many values that it is worth a barrier, part by part. each does parts [from, to) of an image.
func (c *compiler) inParts(st *step, parts, values int, each func(w *worker, image, from, to int)) {
	if c.g.Mode == graph.Eval && c.g.N < Units && int64(values) >= c.m.limits.Work/valueWork {
		st.inner = c.g.N * parts
		st.runInner = func(w *worker, u int) {
			if image := u / parts; image < w.m.count {
				each(w, image, u%parts, u%parts+1)
			}
		}
	} else {
		st.run = func(w *worker, _, first, n int) {
			for i := first; i < first+n; i++ {
				each(w, i, 0, parts)
			}
		}
	}
	c.add(st)
}

// valueWork is how many multiply-adds of a convolution are worth as much as a value that is pooled
// or normalised, roughly: some tens of operations and its memory.
const valueWork = 64

// intraImageForward lowers a direct convolution in parts of images: one stage prepares the padded
// images that another one reads.
func (c *compiler) intraImageForward(st *step, in *lazy, f epilogue, split *conv.Split, packed []float32) {
	st.algorithm += ", intra-image"
	p := split.Input()
	c.need = c.need.Max(split.Need())
	asIs := in.plain() && p.Same()
	if !asIs {
		c.staging = max(c.staging, c.g.N*p.Len())
		st.spans = imageSpans(span{0, c.g.N}, p.CB)
		st.run = func(w *worker, u, first, _ int) {
			x := w.m.staging[first*p.Len() : (first+1)*p.Len()]
			p.ClearBlock(x, u%p.CB)
			w.fillBlock(p, x, in, first, u%p.CB)
		}
	}
	units := split.Units()
	st.inner = c.g.N * units
	st.runInner = func(w *worker, u int) {
		img := u / units
		if img >= w.m.count {
			return
		}
		var x []float32
		if asIs {
			x = w.image(in.x, img)
		} else {
			x = w.m.staging[img*p.Len() : (img+1)*p.Len()]
		}
		split.Compute(w.conv, x, u%units, packed, func(cb, from int, y []float32) {
			f.each(w, part{image: img, cb: cb, from: from}, y)
		})
	}
	c.add(st)
}
