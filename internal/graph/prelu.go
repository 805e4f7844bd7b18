package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// PReLUSlope is what slopes begin with (He et al. 2015, section 2.1).
const PReLUSlope = 0.25

// PReLU is y = x for x > 0, else slope[c]·x, with a learned slope for each channel (He et al. 2015,
// arXiv:1502.01852): inputs x [N, C, H, W], slope [C]. With Rows, x is [N, C], the output of a
// fully connected layer, and H and W are 1.
type PReLU struct {
	ImageShape
	Rows bool
	ID   uint32
	differentiable
	perImage
}

// PReLUInputGrad is the derivative of PReLU with respect to x: inputs x, slope, dy; output of x's
// shape.
type PReLUInputGrad struct {
	ImageShape
	Rows bool
	ID   uint32
	nonDifferentiable
	perImage
}

// PReLUSlopeGrad is the derivative of PReLU with respect to the slope: inputs x, dy; output [C].
type PReLUSlopeGrad struct {
	ImageShape
	Rows bool
	ID   uint32
	nonDifferentiable
}

// rowsOr is the shape [N, C] with rows, else [N, C, H, W].
func rowsOr(rows bool, s ImageShape) tensor.Shape {
	if rows {
		return tensor.Shape{s.N, s.C}
	}
	return imageOf(s)
}

func (o *PReLU) signature() signature {
	x := rowsOr(o.Rows, o.ImageShape)
	return signature{in: []tensor.Shape{x, {o.C}}, out: x}
}

// SymDiff returns PReLUInputGrad and PReLUSlopeGrad.
func (o *PReLU) SymDiff(in gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(
		on(&PReLUInputGrad{ImageShape: o.ImageShape, Rows: o.Rows, ID: o.ID}, in[0], in[1], dy),
		on(&PReLUSlopeGrad{ImageShape: o.ImageShape, Rows: o.Rows, ID: o.ID}, in[0], dy),
	)
}

// Run32 implements Operator.
func (o *PReLU) Run32(dst []float32, src ...[]float32) { ref.PReLU(dst, src[0], src[1], o.ImageShape) }

func (o *PReLU) run64(dst []float64, src ...[]float64) { ref.PReLU(dst, src[0], src[1], o.ImageShape) }

func (o *PReLUInputGrad) signature() signature {
	x := rowsOr(o.Rows, o.ImageShape)
	return signature{in: []tensor.Shape{x, {o.C}, x}, out: x}
}

// Run32 implements Operator.
func (o *PReLUInputGrad) Run32(dst []float32, src ...[]float32) {
	ref.PReLUInputGrad(dst, src[0], src[1], src[2], o.ImageShape)
}

func (o *PReLUInputGrad) run64(dst []float64, src ...[]float64) {
	ref.PReLUInputGrad(dst, src[0], src[1], src[2], o.ImageShape)
}

func (o *PReLUSlopeGrad) signature() signature {
	x := rowsOr(o.Rows, o.ImageShape)
	return signature{in: []tensor.Shape{x, x}, out: tensor.Shape{o.C}}
}

// Run32 implements Operator.
func (o *PReLUSlopeGrad) Run32(dst []float32, src ...[]float32) {
	ref.PReLUSlopeGrad(dst, src[0], src[1], o.ImageShape)
}

func (o *PReLUSlopeGrad) run64(dst []float64, src ...[]float64) {
	ref.PReLUSlopeGrad(dst, src[0], src[1], o.ImageShape)
}
