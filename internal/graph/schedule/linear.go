package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// A fully connected layer with many weights is limited by reading them, so they are read once for
// the whole batch, as they are: no packed copy, no accumulator for each unit. Its units are rows of
// weights, of each of which one worker computes the outputs or the gradient, or columns for the
// gradient of the input. A layer with few weights goes with the images.
const (
	manyWeights   = 1 << 16
	linearRows    = 32  // rows of weights in a unit
	linearColumns = 512 // columns in a unit of the gradient of the input
	linearInner   = 32  // rows of weights that the gradient of the input takes together
	gradColumns   = 1024
)

// parts is how many parts of a size cover n.
func parts(n, size int) int { return (n + size - 1) / size }

// linear lowers y = x·wᵀ + b on row-major [N, C].
func (c *compiler) linear(n *gorgonia.Node, op *graph.Linear) error {
	x := c.rows(c.tensors[c.in[n][0]])
	w := c.param[c.in[n][1]]
	var b *graph.Param
	if op.Bias {
		b = c.param[c.in[n][2]]
	}
	if w == nil || op.Bias && b == nil {
		return fmt.Errorf("schedule: %v: its weights or bias are not parameters", op)
	}
	c.direct[w] = true
	if b != nil {
		c.direct[b] = true
	}
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	y := t.plain
	// rows computes outputs [from, to) of so many images from first.
	rows := func(wk *worker, first, images, from, to int) {
		xs, ys := wk.images(x, first, images), wk.images(y, first, images)
		for i := range images {
			out := ys[i*op.K+from : i*op.K+to]
			if b != nil {
				copy(out, b.Data[from:to])
			} else {
				clear(out)
			}
		}
		d := &wk.dot
		d.X, d.W, d.Y, d.XRow, d.WRow, d.YRow, d.Len = xs, w.Data[from*op.C:], ys[from:], op.C, op.C, op.K, op.C
		d.RunAll(images, to-from)
	}
	st := &step{name: "linear", products: product(op.C, op.K, conv.ForwardPass), weights: len(w.Data), reads: []*value{x}, writes: []*value{y}}
	if op.C*op.K < manyWeights {
		st.run = c.m.sizes.inSums(func(wk *worker, first, n int) { rows(wk, first, n, 0, op.K) })
	} else {
		st.whole = true
		st.inner = parts(op.K, linearRows)
		st.runInner = func(wk *worker, u int) { rows(wk, 0, wk.m.count, u*linearRows, min((u+1)*linearRows, op.K)) }
	}
	c.add(st)
	return nil
}

// linearInputGrad lowers dx = dy·w.
func (c *compiler) linearInputGrad(n *gorgonia.Node, op *graph.LinearInputGrad) error {
	w, dy := c.param[c.in[n][0]], c.tensors[c.in[n][1]]
	if w == nil {
		return c.fallback(n)
	}
	from := c.rows(dy)
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	to := t.plain
	// columns computes the values [at, at+length) of so many images from first.
	columns := func(wk *worker, first, images, at, length int) {
		src, dst := wk.images(from, first, images), wk.images(to, first, images)
		r := &wk.rows
		r.ARow, r.ACol, r.XRow, r.YRow = op.K, 1, op.C, op.C
		for k := 0; k < op.K; k += linearInner {
			r.A, r.X, r.Y = src[k:], w.Data[k*op.C+at:], dst[at:]
			r.Inner, r.Load = min(linearInner, op.K-k), k
			r.RunAll(images, length)
		}
	}
	st := &step{name: "linear input gradient", products: product(op.C, op.K, conv.DataGradPass), weights: len(w.Data), backward: true, reads: []*value{from}, writes: []*value{to}}
	if op.C*op.K < manyWeights {
		st.run = c.m.sizes.inSums(func(wk *worker, first, n int) { columns(wk, first, n, 0, op.C) })
	} else {
		st.whole = true
		st.inner = parts(op.C, linearColumns)
		st.runInner = func(wk *worker, u int) {
			columns(wk, 0, wk.m.count, u*linearColumns, min(linearColumns, op.C-u*linearColumns))
		}
	}
	c.add(st)
	return nil
}

// linearWeightGrad lowers dw = dyᵀ·x, and the gradient of the bias where there is one: rows of dw
// have one owner.
func (c *compiler) linearWeightGrad(n *gorgonia.Node, op *graph.LinearWeightGrad) error {
	p := c.gradOf(n)
	if p == nil {
		return c.fallback(n)
	}
	var bias *graph.Param
	for _, u := range c.users[c.in[n][1]] {
		if b, ok := graph.OpOf(u).(*graph.LinearBiasGrad); ok && b.ID == op.ID {
			bias = c.gradOf(u)
		}
	}
	x, dy := c.rows(c.tensors[c.in[n][0]]), c.rows(c.tensors[c.in[n][1]])
	st := &step{name: "linear weight gradient", products: product(op.C, op.K, conv.WeightGradPass), backward: true, reads: []*value{x, dy}, whole: true}
	st.writesGrad(p, bias)
	images := c.g.N
	st.inner = parts(op.K, linearRows)
	st.runInner = func(wk *worker, u int) {
		k, rows := u*linearRows, min(linearRows, op.K-u*linearRows)
		xs, ds := wk.images(x, 0, images), wk.images(dy, 0, images)
		accumulate := wk.m.options.Accumulate
		r := &wk.rows
		r.ARow, r.ACol, r.XRow, r.YRow, r.Inner, r.Load = 1, op.K, op.C, op.C, images, 0
		if accumulate {
			r.Load = 1
		}
		for at := 0; at < op.C; at += gradColumns {
			r.A, r.X, r.Y = ds[k:], xs[at:], p.Grad[k*op.C+at:]
			r.RunAll(rows, min(gradColumns, op.C-at))
		}
		if bias == nil {
			return
		}
		for j := k; j < k+rows; j++ {
			sum := 0.
			for i := range images {
				sum += float64(ds[i*op.K+j])
			}
			put(bias.Grad, j, float32(sum), accumulate)
		}
	}
	c.add(st)
	return nil
}

// linearBiasGrad lowers the gradient of a bias, which the step of the weights computes if there is
// one.
func (c *compiler) linearBiasGrad(n *gorgonia.Node, op *graph.LinearBiasGrad) error {
	if c.gradOf(n) != nil {
		for _, u := range c.users[c.in[n][0]] {
			if w, ok := graph.OpOf(u).(*graph.LinearWeightGrad); ok && w.ID == op.ID && c.gradOf(u) != nil {
				return nil
			}
		}
	}
	return c.fallback(n)
}
