package conv

import "resnet/internal/graph/kernel"

// Plan holds the three passes of a shape in training, with the layouts that the gradients share.
type Plan struct {
	Forward  Pass
	DataGrad Pass // nil where the input needs no gradient
	Weights  WeightGrad
	// Layouts of the backward pass: X for the weight gradient, DY for both gradients.
	X, DY *Padded
}

// Choices are the algorithms of the three passes.
type Choices struct{ Forward, DataGrad, Weights Algorithm }

// Choose picks the algorithms for a shape, by measurement.
func Choose(s Shape) Choices {
	if s.Groups > 1 {
		return Choices{Grouped, Grouped, Grouped}
	}
	if !s.CanWinograd() || s.C < block || s.K < block {
		return Choices{}
	}
	return Choices{Winograd, Winograd, Winograd}
}

// ChooseBF16 picks the algorithms for a shape where convolutions multiply values of bfloat16.
func ChooseBF16(s Shape) Choices {
	c := Choose(s)
	if s.Groups > 1 || !kernel.BF16() || !kernel.WholeTiles() && (c.Forward == Winograd || s.C < block) {
		return c
	}
	return Choices{BF16, BF16, BF16}
}

// ChooseFew is the choice for the forward pass over n images alone, fewer than workers: with a few
// tiles and weights that come from memory, the direct method wins, because the transformed ones are
// four times as many.
func ChooseFew(s Shape, a Algorithm, n int, l Limits) Algorithm {
	if a == Winograd && 36*s.C*s.K >= l.Weights && n*tilesOf(s.OH())*tilesOf(s.OW()) < 16 {
		return Direct
	}
	return a
}

// NewForward plans a forward convolution alone.
func NewForward(s Shape, a Algorithm) Pass {
	if a == Winograd {
		return newWinograd(s, newPadded(s.C, s.H, s.W, s.winogradExtent()), false)
	}
	d := newDirectForward(s, s.input(s.forwardExtent()))
	if a == BF16 {
		return newBF16(d)
	}
	return d
}

// NewPlan plans training. needDX says whether the gradient of the input is wanted.
func NewPlan(s Shape, c Choices, needDX bool) *Plan {
	p := &Plan{Forward: NewForward(s, c.Forward)}
	in, dy := s.forwardExtent(), s.gradExtent()
	if c.Weights == Winograd {
		in, dy = s.winogradExtent(), s.winogradGradExtent()
	}
	if needDX {
		e := s.dataGradExtent()
		if c.DataGrad == Winograd {
			e = s.mirrored().winogradExtent()
		}
		dy = dy.union(e)
	}
	if c.Weights == BF16 { // rows of one length
		row := max((in.cols+s.ColStride()-1)/s.ColStride(), dy.cols)
		in.cols, dy.cols = row*s.ColStride(), row
	}
	p.X = s.input(in)
	p.DY = newPadded(s.K, s.OH(), s.OW(), dy)
	switch {
	case s.Groups > 1:
		p.Weights = newGroupedGrad(s, p.X, p.DY)
	case c.Weights == Winograd:
		p.Weights = newWinogradGrad(s, p.X, p.DY)
	case c.Weights == BF16:
		p.Weights = newBF16Grad(s, p.X, p.DY)
	default:
		p.Weights = newDirectGrad(s, p.X, p.DY)
	}
	if needDX {
		switch c.DataGrad {
		case Winograd:
			p.DataGrad = newWinograd(s.mirrored(), p.DY, true)
		case BF16:
			p.DataGrad = newBF16(newDirectDataGrad(s, p.DY))
		default:
			p.DataGrad = newDirectDataGrad(s, p.DY)
		}
	}
	return p
}
