package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/ref"
)

// targetCrossEntropy lowers the loss against a row of targets for each image, and its gradient, as
// crossEntropy does. The targets are in labels32.
func (c *compiler) targetCrossEntropy(n *gorgonia.Node, op *graph.TargetCrossEntropy) error {
	logits := c.rows(c.tensors[c.in[n][0]])
	to, err := c.lossGradient(n, func(u *gorgonia.Node) bool {
		g, ok := graph.OpOf(u).(*graph.TargetCrossEntropyGrad)
		return ok && g.ID == op.ID
	})
	if err != nil {
		return err
	}
	m, k := c.m, op.K
	loss, scale := ref.TargetLoss[float32], graph.LossWeight(op.Weight)/float64(op.N)
	if op.Binary {
		loss, scale = ref.BinaryLoss[float32], scale/float64(k)
	}
	losses, part := make([]float64, op.N), len(m.losses)
	m.losses = append(m.losses, 0)
	c.addLoss(logits, to, func(_ *worker, image int, row, d []float32) {
		losses[image] = loss(d, row, m.labels32[image*k:(image+1)*k], scale)
	}, func() {
		m.losses[part] = scale * sum(losses)
		m.loss = sum(m.losses)
	})
	return nil
}
