package schedule

import (
	"math"
	"slices"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// A loss is a step of the forward half, since a caller wants it without a backward pass too. Its
// gradient needs the same exponentials, so the step writes that on the way, where one is wanted.

// lossGradient makes the tensor that a loss writes its gradient to: that of the node, among the
// readers of its logits, for which is is true. Where everything before the logits is frozen there
// is none, and no value.
func (c *compiler) lossGradient(n *gorgonia.Node, is func(*gorgonia.Node) bool) (*value, error) {
	for _, u := range c.users[c.in[n][0]] {
		if !is(u) || !graph.IsOne(c.in[u][2]) {
			continue
		}
		t, err := c.plainTensor(u)
		if err != nil {
			return nil, err
		}
		return t.plain, nil
	}
	return nil, nil
}

// crossEntropy lowers the loss of a classifier, weight·mean(-log softmax(logits)[label]), and its
// gradient, weight·(softmax(logits) - onehot(label))/N. The loss of a graph with several is their
// sum.
func (c *compiler) crossEntropy(n *gorgonia.Node, op *graph.SoftmaxCrossEntropy) error {
	logits := c.rows(c.tensors[c.in[n][0]])
	to, err := c.lossGradient(n, func(u *gorgonia.Node) bool {
		g, ok := graph.OpOf(u).(*graph.SoftmaxCrossEntropyGrad)
		return ok && g.ID == op.ID
	})
	if err != nil {
		return err
	}
	m := c.m
	weight, losses, part := graph.LossWeight(op.Weight), make([]float64, op.N), len(m.losses)
	m.losses = append(m.losses, 0)
	c.addLoss(logits, to, func(_ *worker, image int, row, d []float32) {
		losses[image] = softmaxLoss(d, row, int(m.labels[image]), float64(op.N)/weight)
	}, func() {
		m.losses[part] = weight * sum(losses) / float64(len(losses))
		m.loss = sum(m.losses)
	})
	return nil
}

// frameCrossEntropy lowers the loss of frames, its mean over those with a label, and its gradient.
func (c *compiler) frameCrossEntropy(n *gorgonia.Node, op *graph.FrameCrossEntropy) error {
	logits := c.rows(c.tensors[c.in[n][0]])
	to, err := c.lossGradient(n, func(u *gorgonia.Node) bool {
		g, ok := graph.OpOf(u).(*graph.FrameCrossEntropyGrad)
		return ok && g.ID == op.ID
	})
	if err != nil {
		return err
	}
	m, k, frames := c.m, op.K, op.T
	losses := make([]float64, op.N)
	c.scratch = max(c.scratch, k)
	c.addLoss(logits, to, func(w *worker, image int, row, d []float32) {
		losses[image] = 0
		divisor := float64(max(m.labelled, 1))
		for f := range frames {
			var df []float32
			if d != nil {
				df = d[f*k : (f+1)*k]
			}
			label := m.labels[image*frames+f]
			if label < 0 {
				clear(df)
				continue
			}
			losses[image] += manyClasses(df, row[f*k:(f+1)*k], w.scratch[:k], int(label), divisor)
		}
	}, func() { m.loss = sum(losses) / float64(max(m.labelled, 1)) })
	return nil
}

// addLoss adds the step of a loss: each is called with an image's logits and the place of its
// gradient, nil where none is wanted.
func (c *compiler) addLoss(logits, to *value, each func(w *worker, image int, row, d []float32), finish func()) {
	st := &step{name: "loss", reads: []*value{logits}, finish: []func(){finish}}
	if to != nil {
		st.writes = []*value{to}
	}
	st.run = func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			var d []float32
			if to != nil {
				d = w.image(to, i)
			}
			each(w, i, w.image(logits, i), d)
		}
	}
	c.add(st)
}

// softmaxLoss returns -log softmax(logits)[label], and writes its gradient, divided, to d unless
// that is nil.
func softmaxLoss(d, logits []float32, label int, divisor float64) float64 {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, float64(v))
	}
	total := 0.
	for _, v := range logits {
		total += math.Exp(float64(v) - top)
	}
	log := math.Log(total)
	if d != nil {
		for i, v := range logits {
			p := math.Exp(float64(v) - top - log)
			if i == label {
				p--
			}
			d[i] = float32(p / divisor)
		}
	}
	return log + top - float64(logits[label])
}

// manyClasses is softmaxLoss of rows that are many and long, as those of frames are: with float32's
// exponentials, in e, whose errors of some 1e-7 are below those of the logits, and their sum in
// float64. The loss of images, one row each, keeps the exact ones.
func manyClasses(d, logits, e []float32, label int, divisor float64) float64 {
	top := slices.Max(logits)
	kernel.ExpBelow(e, logits, top)
	total := 0.
	for _, v := range e {
		total += float64(v)
	}
	if d != nil {
		scale := float32(1 / (total * divisor))
		for i, v := range e {
			d[i] = v * scale
		}
		d[label] = float32((float64(e[label])/total - 1) / divisor)
	}
	return math.Log(total) + float64(top) - float64(logits[label])
}

func sum(xs []float64) float64 {
	total := 0.
	for _, x := range xs {
		total += x
	}
	return total
}
