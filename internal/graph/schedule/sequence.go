package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// backwardInput reports whether the input of a node belongs to the backward half.
func backwardInput(n *gorgonia.Node) bool {
	in := graph.Children(n)
	return len(in) > 0 && in[0].Op() != nil && backward(in[0])
}

// perImage runs an operator's reference on row-major tensors, unit by unit.
func (c *compiler) perImage(n *gorgonia.Node, op graph.PerImage) error {
	st := &step{name: n.Op().String(), backward: backward(n)}
	var from []source
	for _, in := range c.in[n] {
		s, err := c.source(in)
		if err != nil {
			return err
		}
		if s.v == nil && s.p == nil { // a whole batch's result: after the step that makes it
			return c.reference(n, op.Run32)
		}
		if s.v != nil {
			st.reads = append(st.reads, s.v)
		}
		from = append(from, s)
	}
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	to := t.plain
	st.writes = []*value{to}
	st.run = func(w *worker, _, first, n int) {
		src := make([][]float32, len(from))
		for i, s := range from {
			if s.p != nil {
				src[i] = s.p.Data
			} else {
				src[i] = w.images(s.v, first, n)
			}
		}
		graph.Images(op, first, n).Run32(w.images(to, first, n), src...)
	}
	c.add(st)
	return nil
}

// frameSoftmax lowers the loss of frames and its gradient, which share everything.
func (c *compiler) frameSoftmax(n *gorgonia.Node, op *graph.FrameCrossEntropyGrad) error {
	logits := c.rows(c.tensors[c.in[n][0]])
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	to, m, k, frames := t.plain, c.m, op.K, op.T
	losses := make([]float64, op.N)
	labelled := func() int {
		count := 0
		for _, l := range m.labels {
			if l >= 0 {
				count++
			}
		}
		return max(count, 1)
	}
	c.add(&step{name: "loss", reads: []*value{logits}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		ls, ds := w.images(logits, first, n), w.images(to, first, n)
		count := labelled()
		for i := range n {
			losses[first+i] = 0
			for f := range frames {
				at := (i*frames + f) * k
				label := m.labels[(first+i)*frames+f]
				if label < 0 {
					clear(ds[at : at+k])
					continue
				}
				losses[first+i] += crossEntropy(ds[at:at+k], ls[at:at+k], int(label), float64(count))
			}
		}
	}, finish: func() {
		sum := 0.
		for _, l := range losses {
			sum += l
		}
		m.loss = sum / float64(labelled())
	}})
	return nil
}
