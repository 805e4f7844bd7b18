package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// gradient lowers one node of the backward half that is not in a group.
func (c *compiler) gradient(n *gorgonia.Node) error {
	switch op := graph.OpOf(n).(type) {
	case *graph.BatchNormSums:
		return c.looseSums(n)
	case *graph.Row:
		if c.norms[c.in[c.in[n][0]][1]] != nil {
			return nil // written with the sums
		}
	case *graph.BatchNormInputGrad:
		return c.normGrad(n)
	case *graph.ShortcutPadGrad:
		return c.shortcutGrad(n, op)
	case *graph.MaxPoolGrad:
		return c.maxPoolGrad(n, op)
	case *graph.AvgPoolGrad:
		return c.meanPoolGrad(n, op)
	case *graph.ConcatGrad:
		return c.concatGrad(n, op)
	case *graph.ConvBiasGrad:
		return c.biasGrad(n)
	case *graph.ReLUGrad: // of images: in an epilogue
		if len(n.Shape()) == 2 {
			return c.rectifyRowsGrad(n)
		}
	case *graph.DropoutGrad:
		return c.dropout(n, op.P, op.State, op.Stream)
	case *graph.DropPathGrad:
		return c.dropPath(n, op.P, op.State, op.Stream)
	case *graph.PReLUSlopeGrad: // of images: in an epilogue
		return c.slopeRows(n)
	case *graph.LRNGrad:
		return c.lrnGrad(n, op)
	case *graph.FlattenGrad:
		return c.flattenGrad(n, op)
	case *graph.GlobalAvgPoolGrad:
		return c.averageGrad(n)
	case *graph.ExciteInputGrad:
		return c.excite(n)
	case *graph.ExciteScaleGrad:
		return c.exciteScaleGrad(n)
	case *graph.LinearInputGrad:
		return c.linearInputGrad(n, op)
	case *graph.LinearWeightGrad:
		return c.linearWeightGrad(n, op)
	case *graph.LinearBiasGrad:
		return c.linearBiasGrad(n, op)
	case *graph.SoftmaxCrossEntropyGrad, *graph.TargetCrossEntropyGrad, *graph.FrameCrossEntropyGrad:
		if c.tensors[n] != nil {
			return nil // written with the loss
		}
	case *graph.ELUGrad:
		if len(n.Shape()) == 4 {
			return c.eluGrad(n, float32(op.Alpha))
		}
	case *graph.SigmoidGrad:
		if len(n.Shape()) == 4 {
			return c.sigmoidGrad(n)
		}
	case *graph.LSTMGrad:
		return c.lstmGrad(n, op)
	case *graph.LSTMWeightGrad:
		return c.lstmWeightGrad(n, op)
	case *graph.UtteranceNormSums:
		return c.utteranceSums(n, op)
	case *graph.UtteranceNormInputGrad:
		return c.utteranceGrad(n, op)
	}
	if graph.IsSum(n) {
		return c.join(n)
	}
	return c.fallback(n)
}

// normGrad makes the gradient of a normalisation's input a lazy expression: a linear map of two
// tensors.
func (c *compiler) normGrad(n *gorgonia.Node) error {
	nm := c.norms[c.in[n][1]]
	if nm == nil {
		return c.fallback(n)
	}
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	z, g := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][4]])
	t.lazy = &lazy{x: g, a: nm.fromG, r: z, b: nm.fromZ}
	return nil
}

// join lowers a sum of gradients that no group took in.
func (c *compiler) join(n *gorgonia.Node) error {
	if len(n.Shape()) != 4 {
		return c.fallbackSum(n)
	}
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	a, b := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][1]])
	t.lazy = &lazy{x: a, r: b}
	c.blocked(t)
	return nil
}

// looseSums lowers the sums of a batch normalisation that stands behind another one's gradient.
func (c *compiler) looseSums(n *gorgonia.Node) error {
	nm := c.norms[c.in[n][1]]
	if nm == nil {
		return c.fallback(n)
	}
	z, g := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][2]])
	st := &step{name: "sums", backward: true, reads: []*value{z, g}}
	c.sumsIn(st, nm, c.sums())
	hw, sizes := nm.hw, c.m.sizes
	c.widens(hw*block, hw*block)
	st.run = func(w *worker, _, first, n int) {
		sizes.eachSum(first, n, func(u, _ int) { nm.backward.begin(u) })
		m, sums := &w.mask, &w.sums
		m.Pixels, m.R = hw, nil
		for i := first; i < first+n; i++ {
			for cb := range blocks(nm.c) {
				gs, zs := w.open(g, i, cb*hw*block, hw*block, 0), w.open(z, i, cb*hw*block, hw*block, 1)
				m.D, m.G, m.Z = gs, gs, zs
				m.S1, m.S2, m.Mean = &sums.first, &sums.second, &nm.mu[cb]
				*sums = pair{}
				m.Run(kernel.MaskNone)
				nm.backward.add(i/sizes.sum, cb, sums)
			}
		}
	}
	c.add(st)
	return nil
}
