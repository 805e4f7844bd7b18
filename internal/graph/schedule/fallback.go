package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// source is an input of a foreign step: a value, a parameter, the labels or a constant.
type source struct {
	v        *value
	p        *graph.Param
	labels   bool
	constant []float32
	buffer   []float32
}

func (s source) get(w *worker, n int) []float32 {
	switch {
	case s.v != nil:
		return w.images(s.v, 0, n)
	case s.p != nil:
		return s.p.Data
	case s.labels:
		return w.m.labels32
	case s.buffer != nil:
		return s.buffer
	}
	return s.constant
}

// fallback runs an operator's reference on row-major tensors of the whole batch.
func (c *compiler) fallback(n *gorgonia.Node) error {
	op := graph.OpOf(n)
	if op == nil {
		return fmt.Errorf("schedule: no way to run %v (%T)", n.Op(), n.Op())
	}
	if p, ok := op.(graph.PerImage); ok && c.isActivation(n) {
		return c.perImage(n, p)
	}
	return c.reference(n, op.Run32)
}

// fallbackSum adds two gradients that are not images: those of a parameter, or of rows.
func (c *compiler) fallbackSum(n *gorgonia.Node) error {
	return c.reference(n, func(dst []float32, src ...[]float32) {
		for i, v := range src[0] {
			dst[i] = v + src[1][i]
		}
	})
}

func (c *compiler) reference(n *gorgonia.Node, f func(dst []float32, src ...[]float32)) error {
	st := &step{name: "reference " + n.Op().String(), whole: true, backward: c.backward(n)}
	var from []source
	for _, in := range c.in[n] {
		s, err := c.source(in)
		if err != nil {
			return fmt.Errorf("schedule: %v: %w", n.Op(), err)
		}
		if s.v != nil {
			st.reads = append(st.reads, s.v)
		}
		if s.buffer != nil {
			st.needs = append(st.needs, in)
		}
		from = append(from, s)
	}
	images := c.g.N
	src := make([][]float32, len(from))
	gather := func(w *worker) {
		for i, s := range from {
			src[i] = s.get(w, images)
		}
	}
	if c.isActivation(n) {
		t, err := c.plainTensor(n)
		if err != nil {
			return err
		}
		to := t.plain
		st.writes = []*value{to}
		st.run = func(w *worker, _, _, _ int) {
			gather(w)
			f(w.images(to, 0, images), src...)
		}
		c.add(st)
		return nil
	}
	buffer := kernel.Alloc(max(1, n.Shape().TotalSize()))
	c.buffers[n] = buffer
	st.makes = []any{n}
	st.run = func(w *worker, _, _, _ int) {
		gather(w)
		f(buffer, src...)
	}
	c.add(st)
	return nil
}

// isActivation reports whether a node has a tensor for each image, and is not the gradient of a
// parameter.
func (c *compiler) isActivation(n *gorgonia.Node) bool {
	switch graph.OpOf(n).(type) {
	case *graph.LSTMWeightGrad, *graph.SumRows, *graph.ConvWeightGrad, *graph.LinearWeightGrad, *graph.BatchStats, *graph.BatchNormSums:
		return false
	}
	s := n.Shape()
	return (len(s) == 4 || len(s) == 2) && s[0] == c.g.N && c.gradOf(n) == nil
}

func (c *compiler) source(n *gorgonia.Node) (source, error) {
	switch {
	case n == c.g.Labels:
		return source{labels: true}, nil
	case c.param[n] != nil:
		return source{p: c.param[n]}, nil
	case c.buffers[n] != nil:
		return source{buffer: c.buffers[n]}, nil
	case c.tensors[n] != nil:
		return source{v: c.rows(c.tensors[n])}, nil
	case graph.IsOne(n):
		return source{constant: []float32{1}}, nil
	}
	return source{}, fmt.Errorf("its input %v has not been computed", n)
}

// writeRest copies the gradients that no step writes, since reference operators computed them, to
// Param.Grad.
func (c *compiler) writeRest() error {
	written := map[*graph.Param]bool{}
	for _, s := range c.steps {
		for _, p := range s.grads {
			written[p] = true
		}
	}
	for _, p := range c.g.Params {
		if p.Grad == nil || written[p.Param] {
			continue
		}
		s, err := c.source(p.Grad)
		if err != nil {
			return fmt.Errorf("schedule: the gradient of %s: %w", p.Param.Name, err)
		}
		st := &step{name: "gradient of " + p.Param.Name, whole: true, backward: true, grads: []*graph.Param{p.Param}}
		if s.v != nil {
			st.reads = []*value{s.v}
		} else {
			st.needs = []any{p.Grad}
		}
		images, dst := c.g.N, p.Param.Grad
		st.run = func(w *worker, _, _, _ int) {
			src := s.get(w, images)
			for i, v := range src[:len(dst)] {
				put(dst, i, v, w.m.options.Accumulate)
			}
		}
		c.add(st)
	}
	return nil
}
