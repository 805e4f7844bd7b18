package schedule

import (
	"math"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// utterance is one masked normalisation: the moments of each utterance's channels, which the
// forward pass leaves for the backward pass.
type utterance struct {
	op        *graph.UtteranceNorm
	mean, inv []kernel.Vec // [N, blocks of channels]
	sums      *value       // [N, 2C] row-major: Σg·x̂ and Σg
}

func (u *utterance) at(image, cb int) int { return image*blocks(u.op.C) + cb }

// elu lowers ELU on blocks.
func (c *compiler) elu(n *gorgonia.Node, alpha float32) error {
	from := c.blocked(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	c.elementwise(&step{name: "ELU"}, to, from, nil, func(_ int, y, x, _ []float32) { kernel.ELU(y, x, alpha) })
	return nil
}

func (c *compiler) eluGrad(n *gorgonia.Node, alpha float32) error {
	y, dy := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][1]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	c.elementwise(&step{name: "ELU gradient", backward: true}, to, y, dy, func(_ int, dx, y, dy []float32) { kernel.ELUGrad(dx, y, dy, alpha) })
	return nil
}

// utteranceNorm lowers the masked normalisation: moments and map of each channel block of each
// utterance, row by row of the valid frames.
func (c *compiler) utteranceNorm(n *gorgonia.Node, op *graph.UtteranceNorm) error {
	gamma, beta := c.param[c.in[n][1]], c.param[c.in[n][2]]
	if gamma == nil || beta == nil {
		return c.fallback(n)
	}
	from := c.blocked(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	u := &utterance{op: op, mean: make([]kernel.Vec, op.N*blocks(op.C)), inv: make([]kernel.Vec, op.N*blocks(op.C))}
	c.utterances[op.ID] = u
	to, plane := t.lazy.x, op.Area()*block
	c.add(&step{name: "utterance norm", reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		xs, ys := w.images(from, first, n), w.images(to, first, n)
		for i := range n {
			length := int(op.State.Lengths[first+i])
			for cb := range blocks(op.C) {
				at := i*from.per + cb*plane
				x, y := xs[at:at+plane], ys[at:at+plane]
				k := u.at(first+i, cb)
				u.moments(w, x, length, k)
				s, t := &w.scale, &w.offset
				*s, *t = kernel.Vec{}, kernel.Vec{}
				for j := range min(block, op.C-cb*block) {
					s[j] = gamma.Data[cb*block+j] * u.inv[k][j]
					t[j] = beta.Data[cb*block+j] - u.mean[k][j]*s[j]
				}
				a := &w.aff
				a.X, a.Y, a.S, a.T = x, y, s, t
				a.Rows, a.Pixels, a.XRow, a.YRow, a.XPixel = op.H, length, op.W*block, op.W*block, block
				a.Map(false)
				clearPadding(y, length, op.ImageShape)
			}
		}
	}})
	return nil
}

// moments finds mean and 1/sqrt(v+ε) of the 16 channels of a plane over its valid frames.
func (u *utterance) moments(w *worker, x []float32, length, k int) {
	s := u.op.ImageShape
	shift := &w.offset
	*shift = kernel.Vec(x[:block])
	var first, second [block]float64
	m, sums := &w.moments, &w.sums
	m.Pixels, m.K, m.S1, m.S2 = length, shift, &sums.first, &sums.second
	for h := range s.H {
		*sums = pair{}
		m.X = x[h*s.W*block:]
		m.Run()
		for j := range block {
			first[j] += float64(sums.first[j])
			second[j] += float64(sums.second[j])
		}
	}
	count := float64(s.H * length)
	for j := range block {
		d := first[j] / count
		v := max(second[j]/count-d*d, 0)
		u.mean[k][j] = float32(float64(shift[j]) + d)
		u.inv[k][j] = float32(1 / math.Sqrt(v+u.op.Eps))
	}
}

func clearPadding(y []float32, length int, s graph.ImageShape) {
	if length == s.W {
		return
	}
	for h := range s.H {
		clear(y[(h*s.W+length)*block : (h+1)*s.W*block])
	}
}

// utteranceSums lowers the sums that γ, β and the input's gradient need.
func (c *compiler) utteranceSums(n *gorgonia.Node, op *graph.UtteranceNormSums) error {
	u := c.utterances[op.ID]
	if u == nil {
		return c.fallback(n)
	}
	if u.sums == nil { // else lowered before, with the input's gradient
		c.sumsOf(u, c.tensors[c.in[n][0]], c.tensors[c.in[n][1]])
	}
	t, err := c.newTensor(n)
	if err == nil {
		t.plain = u.sums
	}
	return err
}

// sumsOf adds the step that takes the sums of a normalisation of x whose output has the gradient
// dy.
func (c *compiler) sumsOf(u *utterance, x, dy *tensor) {
	z, g := c.blocked(x), c.blocked(dy)
	op := u.op
	u.sums = c.newValue("utterance sums", 2*op.C)
	to, plane, s := u.sums, op.Area()*block, op.ImageShape
	c.add(&step{name: "utterance sums", backward: true, reads: []*value{z, g}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		zs, gs, out := w.images(z, first, n), w.images(g, first, n), w.images(to, first, n)
		m, sums := &w.mask, &w.sums
		m.R, m.S1, m.S2 = nil, &sums.first, &sums.second
		for i := range n {
			m.Pixels = int(op.State.Lengths[first+i])
			for cb := range blocks(s.C) {
				k := u.at(first+i, cb)
				m.Mean = &u.mean[k]
				var sum, dot [block]float64
				for h := range s.H {
					row := i*z.per + cb*plane + h*s.W*block
					*sums = pair{}
					m.D, m.G, m.Z = gs[row:], gs[row:], zs[row:]
					m.Run(kernel.MaskNone)
					for j := range block {
						sum[j] += float64(sums.first[j])
						dot[j] += float64(sums.second[j])
					}
				}
				for j := range min(block, s.C-cb*block) {
					out[i*2*s.C+cb*block+j] = float32(dot[j] * float64(u.inv[k][j]))
					out[i*2*s.C+s.C+cb*block+j] = float32(sum[j])
				}
			}
		}
	}})
}

// utteranceGrad lowers the input's gradient, a linear map of two tensors for each channel of each
// utterance.
func (c *compiler) utteranceGrad(n *gorgonia.Node, op *graph.UtteranceNormInputGrad) error {
	u, gamma := c.utterances[op.ID], c.param[c.in[n][1]]
	if u == nil || gamma == nil {
		return c.fallback(n)
	}
	if u.sums == nil { // they come first; where γ and β are frozen, the graph does not ask for them
		c.sumsOf(u, c.tensors[c.in[n][0]], c.tensors[c.in[n][2]])
	}
	z, g := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][2]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, plane, s, from := t.lazy.x, op.Area()*block, op.ImageShape, u.sums
	c.add(&step{name: "utterance gradient", backward: true, reads: []*value{z, g, from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		zs, gs, out, sums := w.images(z, first, n), w.images(g, first, n), w.images(to, first, n), w.images(from, first, n)
		for i := range n {
			length := int(op.State.Lengths[first+i])
			count := float64(s.H * length)
			for cb := range blocks(s.C) {
				k := u.at(first+i, cb)
				fromG, fromZ, t := &w.scale, &w.scale2, &w.offset
				*fromG, *fromZ, *t = kernel.Vec{}, kernel.Vec{}, kernel.Vec{}
				for j := range min(block, s.C-cb*block) {
					dot, sum := float64(sums[i*2*s.C+cb*block+j]), float64(sums[i*2*s.C+s.C+cb*block+j])
					inv := float64(u.inv[k][j])
					a := float64(gamma.Data[cb*block+j]) * inv
					b := -a * dot / count * inv
					fromG[j], fromZ[j] = float32(a), float32(b)
					t[j] = float32(-a*sum/count - b*float64(u.mean[k][j]))
				}
				at := i*z.per + cb*plane
				a := &w.aff
				a.X, a.R, a.Y, a.S, a.S2, a.T = gs[at:at+plane], zs[at:at+plane], out[at:at+plane], fromG, fromZ, t
				a.Rows, a.Pixels, a.XRow, a.RRow, a.YRow, a.XPixel = s.H, length, s.W*block, s.W*block, s.W*block, block
				a.Map2(false)
				clearPadding(out[at:at+plane], length, s)
			}
		}
	}})
	return nil
}
