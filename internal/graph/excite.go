package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// Excite scales the channels of x by the logistic function of s, the end of squeeze-and-excitation
// (Hu et al. 2018, eq. 4): inputs x [N, C, H, W], s [N, C]; output [N, C, H, W].
type Excite struct {
	ImageShape
	ID uint32
	differentiable
	perImage
}

// ExciteInputGrad is the derivative of Excite with respect to x: inputs dy, s; output [N, C, H, W].
// It is Excite of dy.
type ExciteInputGrad struct {
	ImageShape
	ID uint32
	nonDifferentiable
	perImage
}

// ExciteScaleGrad is the derivative of Excite with respect to s: inputs x, s, dy; output [N, C].
type ExciteScaleGrad struct {
	ImageShape
	ID uint32
	nonDifferentiable
	perImage
}

func (o *Excite) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape), {o.N, o.C}}, out: imageOf(o.ImageShape)}
}

// SymDiff returns ExciteInputGrad and ExciteScaleGrad.
func (o *Excite) SymDiff(in gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(
		on(&ExciteInputGrad{ImageShape: o.ImageShape, ID: o.ID}, dy, in[1]),
		on(&ExciteScaleGrad{ImageShape: o.ImageShape, ID: o.ID}, in[0], in[1], dy),
	)
}

// Run32 implements Operator.
func (o *Excite) Run32(dst []float32, src ...[]float32) {
	ref.Excite(dst, src[0], src[1], o.ImageShape)
}

func (o *Excite) run64(dst []float64, src ...[]float64) {
	ref.Excite(dst, src[0], src[1], o.ImageShape)
}

func (o *ExciteInputGrad) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape), {o.N, o.C}}, out: imageOf(o.ImageShape)}
}

// Run32 implements Operator.
func (o *ExciteInputGrad) Run32(dst []float32, src ...[]float32) {
	ref.Excite(dst, src[0], src[1], o.ImageShape)
}

func (o *ExciteInputGrad) run64(dst []float64, src ...[]float64) {
	ref.Excite(dst, src[0], src[1], o.ImageShape)
}

func (o *ExciteScaleGrad) signature() signature {
	x := imageOf(o.ImageShape)
	return signature{in: []tensor.Shape{x, {o.N, o.C}, x}, out: tensor.Shape{o.N, o.C}}
}

// Run32 implements Operator.
func (o *ExciteScaleGrad) Run32(dst []float32, src ...[]float32) {
	ref.ExciteScaleGrad(dst, src[0], src[1], src[2], o.ImageShape)
}

func (o *ExciteScaleGrad) run64(dst []float64, src ...[]float64) {
	ref.ExciteScaleGrad(dst, src[0], src[1], src[2], o.ImageShape)
}

// Excite scales the channels of x [N, C, H, W] by the logistic function of s [N, C].
func (b *Builder) Excite(x, s *Node) *Node {
	g, ok := b.image("excite", x)
	if !ok {
		return nil
	}
	return b.add("excite", &Excite{ImageShape: g, ID: b.id()}, x, s)
}

// ChannelLinear is Linear with the weights of a 1x1 convolution, name.weight [units, C, 1, 1]: the
// same numbers, under the shape that other programs give them. They start as convolutions do, and
// the bias is 0.
func (b *Builder) ChannelLinear(name string, x *Node, units int) *Node {
	if b.err != nil || x == nil {
		return b.add(name, nil, x)
	}
	d := x.Shape()
	if len(d) != 2 || units < 1 {
		return b.fail(name, fmt.Errorf("shape %v to %d units, want [N C] and at least 1: %w", []int(d), units, ErrShape))
	}
	n, c := d[0], d[1]
	in := b.In(name)
	w := in.view("weight", KindWeight, []int{units, c, 1, 1}, []int{units, c}, heNormal(c, b.opts.Slope))
	bias := in.param("bias", KindBias, []int{units}, constant(0))
	return b.add(name, &Linear{N: n, C: c, K: units, Bias: true, ID: b.id()}, x, w, bias)
}
