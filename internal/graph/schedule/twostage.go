package schedule

import (
	"slices"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// inRounds adds a step once for each round of so many images, which all workers go through
// together: its units are single images, and set gives it what it does. What the step makes is
// there after the last round.
func (c *compiler) inRounds(st *step, images, parts int, set func(st *step, r int, of span)) {
	var before *span
	for r, at := 0, 0; at < c.g.N; r, at = r+1, at+images {
		of := span{at, min(images, c.g.N-at)}
		s := *st
		s.spans, s.images = imageSpans(of, parts), of.n
		if before != nil {
			s.needs = append(slices.Clone(st.needs), before)
		}
		if of.first+of.n < c.g.N {
			before = &of
			s.makes, s.grads, s.finish = []any{before}, nil, nil
		}
		set(&s, r, of)
		c.add(&s)
	}
}

// imageSpans divides a range of images into single ones, so many times each.
func imageSpans(of span, parts int) []span {
	var spans []span
	for i := range of.n {
		for range parts {
			spans = append(spans, span{of.first + i, 1})
		}
	}
	return spans
}

// imageParts is into how many parts the first stage of an image is divided, each some of its blocks
// of channels: so many that a round has work for all workers, and that the last ones end together.
func (c *compiler) imageParts(round, blocks int) int {
	return min(blocks, max(1, parts(2*max(Units, c.m.threads), round)))
}

// twoStageForward lowers a convolution in two stages: the images are prepared first, and then not
// they but output channels are divided among workers.
func (c *compiler) twoStageForward(st *step, in *lazy, f epilogue, sp *conv.TwoStage, packed []float32) {
	st.algorithm += ", two-stage"
	chunks, p := sp.Chunks(), sp.Input()
	c.x, c.staging = max(c.x, p.Len()), max(c.staging, sp.Len())
	c.need = c.need.Max(sp.Need())
	each := c.imageParts(sp.Round, p.CB)
	c.inRounds(st, sp.Round, each, func(st *step, r int, of span) {
		st.run = func(w *worker, u, first, _ int) {
			if u == 0 {
				for c := range chunks {
					f.begin(r*chunks+c, sp.Pixels(c, of.n))
				}
			}
			w.x.clearMargins(p, 1)
			for cb := u % each * p.CB / each; cb < (u%each+1)*p.CB/each; cb++ {
				w.fillBlock(p, w.x.data, in, first, cb)
				sp.PrepareBlock(w.conv, w.m.staging, w.x.data[cb*p.Plane():], first-of.first, cb)
			}
		}
		st.inner = sp.Units()
		st.runInner = func(w *worker, u int) {
			n := min(of.n, w.m.count-of.first)
			if n <= 0 {
				return
			}
			sp.Compute(w.conv, w.m.staging, n, u, packed, func(img, cb, from int, fresh bool, y []float32) {
				f.each(w, part{r*chunks + u%chunks, of.first + img, cb, from, fresh}, y)
			})
		}
	})
}

// twoStageGradients lowers both gradients of such a convolution.
func (c *compiler) twoStageGradients(g *convGradients, st *step, plan *conv.Plan, x, dy *lazy, w *graph.Param, sg *conv.TwoStageGrad, sp *conv.TwoStage) {
	st.algorithm += ", two-stage"
	lenX, lenDY := sg.Lens()
	c.staging = max(c.staging, lenX+lenDY)
	c.x, c.dy = max(c.x, plan.X.Len()), max(c.dy, plan.DY.Len())
	c.need = c.need.Max(sg.Need())
	var apply eachPart
	var packed []float32
	var sums sink
	dataUnits, chunks := 0, 0
	if sp != nil {
		st.writes = append(st.writes, c.tensors[g.epilogue.end].lazy.x)
		packed = c.packed(plan.DataGrad, w)
		st.weights = len(packed)
		c.need = c.need.Max(sp.Need())
		c.staging = max(c.staging, lenX+lenDY+sp.Len())
		dataUnits, chunks = sp.Units(), sp.Chunks()
		sums, apply = c.withEpilogue(st, g.epilogue, chunks*parts(c.g.N, sp.Round))
	}
	// The blocks of the input, and behind them those of the output's gradient.
	in, out := sg.Blocks()
	each := c.imageParts(sg.Round(), in+out)
	c.inRounds(st, sg.Round(), each, func(st *step, r int, of span) {
		st.run = func(wk *worker, u, first, _ int) {
			if u == 0 && sums != nil {
				for c := range chunks {
					sums.begin(r*chunks + c)
				}
			}
			img, shared := first-of.first, wk.m.staging
			wk.x.clearMargins(plan.X, 1)
			wk.dy.clearMargins(plan.DY, 1)
			for b := u % each * (in + out) / each; b < (u%each+1)*(in+out)/each; b++ {
				if b < in {
					wk.fillBlock(plan.X, wk.x.data, x, first, b)
					sg.PrepareInput(wk.conv, shared[:lenX], wk.x.data[b*plan.X.Plane():], img, b)
					continue
				}
				kb := b - in
				wk.fillBlock(plan.DY, wk.dy.data, dy, first, kb)
				plane := wk.dy.data[kb*plan.DY.Plane():]
				sg.PrepareOutputGrad(wk.conv, shared[lenX:lenX+lenDY], plane, img, kb)
				if sp != nil {
					sp.PrepareBlock(wk.conv, shared[lenX+lenDY:], plane, img, kb)
				}
			}
		}
		st.inner = dataUnits + sg.Units()
		st.runInner = func(wk *worker, u int) {
			shared := wk.m.staging
			if u >= dataUnits {
				sg.Compute(wk.conv, shared[:lenX], shared[lenX:lenX+lenDY], of.n, u-dataUnits, w.Grad, r > 0 || wk.m.options.Accumulate)
				return
			}
			sp.Compute(wk.conv, shared[lenX+lenDY:], of.n, u, packed, func(img, cb, from int, _ bool, d []float32) {
				apply(wk, part{r*chunks + u%chunks, of.first + img, cb, from, false}, d)
			})
		}
	})
}
