package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// ConvShape is the geometry of a convolution, with OutH and OutW.
type ConvShape = ref.ConvShape

// Conv is the convolution y = x * w (+ b): inputs x [N, C, H, W], w [K, C, R, S] (in groups [K,
// C/Groups, R, S]) and, with Bias, b [K]; output [N, K, OutH, OutW]. See ref.Conv for the formula.
// Kernels may be even; padding is the same on both sides but for End.
type Conv struct {
	ConvShape
	Bias bool
	// Leaf says that x is the input of the graph, so that the derivative with respect to it is not
	// wanted.
	Leaf bool
	ID   uint32
}

// ConvInputGrad is the derivative of Conv with respect to x: inputs w, dy; output [N, C, H, W].
type ConvInputGrad struct {
	ConvShape
	ID uint32
	nonDifferentiable
}

// ConvWeightGrad is the derivative of Conv with respect to w: inputs x, dy; output [K, C, R, S].
type ConvWeightGrad struct {
	ConvShape
	ID uint32
	nonDifferentiable
}

// ConvBiasGrad is the derivative of Conv with respect to b: input dy; output [K].
type ConvBiasGrad struct {
	ConvShape
	ID uint32
	nonDifferentiable
}

func convX(s ConvShape) tensor.Shape { return tensor.Shape{s.N, s.C, s.H, s.W} }
func convW(s ConvShape) tensor.Shape { return tensor.Shape{s.K, s.GroupChannels(), s.R, s.S} }
func convY(s ConvShape) tensor.Shape { return tensor.Shape{s.N, s.K, s.OutH(), s.OutW()} }

func (o *Conv) signature() signature {
	in := []tensor.Shape{convX(o.ConvShape), convW(o.ConvShape)}
	if o.Bias {
		in = append(in, tensor.Shape{o.K})
	}
	return signature{in: in, out: convY(o.ConvShape)}
}

// DiffWRT is true for the weights and the bias, and for x unless it is a Leaf.
func (o *Conv) DiffWRT(inputs int) []bool { return []bool{!o.Leaf, true, true}[:inputs] }

// SymDiff returns ConvInputGrad, ConvWeightGrad and, with Bias, ConvBiasGrad.
func (o *Conv) SymDiff(in gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	calls := []call{{}, on(&ConvWeightGrad{ConvShape: o.ConvShape, ID: o.ID}, in[0], dy)}
	if !o.Leaf {
		calls[0] = on(&ConvInputGrad{ConvShape: o.ConvShape, ID: o.ID}, in[1], dy)
	}
	if o.Bias {
		calls = append(calls, on(&ConvBiasGrad{ConvShape: o.ConvShape, ID: o.ID}, dy))
	}
	return applyAll(calls...)
}

// Run32 implements Operator.
func (o *Conv) Run32(dst []float32, src ...[]float32) { runConv(o, dst, src) }
func (o *Conv) run64(dst []float64, src ...[]float64) { runConv(o, dst, src) }

func runConv[T ref.Float](o *Conv, dst []T, src [][]T) {
	var b []T
	if o.Bias {
		b = src[2]
	}
	ref.Conv(dst, src[0], src[1], b, o.ConvShape)
}

func (o *ConvInputGrad) signature() signature {
	return signature{in: []tensor.Shape{convW(o.ConvShape), convY(o.ConvShape)}, out: convX(o.ConvShape)}
}

// Run32 implements Operator.
func (o *ConvInputGrad) Run32(dst []float32, src ...[]float32) {
	ref.ConvInputGrad(dst, src[0], src[1], o.ConvShape)
}

func (o *ConvInputGrad) run64(dst []float64, src ...[]float64) {
	ref.ConvInputGrad(dst, src[0], src[1], o.ConvShape)
}

func (o *ConvWeightGrad) signature() signature {
	return signature{in: []tensor.Shape{convX(o.ConvShape), convY(o.ConvShape)}, out: convW(o.ConvShape)}
}

// Run32 implements Operator.
func (o *ConvWeightGrad) Run32(dst []float32, src ...[]float32) {
	ref.ConvWeightGrad(dst, src[0], src[1], o.ConvShape)
}

func (o *ConvWeightGrad) run64(dst []float64, src ...[]float64) {
	ref.ConvWeightGrad(dst, src[0], src[1], o.ConvShape)
}

func (o *ConvBiasGrad) signature() signature {
	return signature{in: []tensor.Shape{convY(o.ConvShape)}, out: tensor.Shape{o.K}}
}

// Run32 implements Operator.
func (o *ConvBiasGrad) Run32(dst []float32, src ...[]float32) {
	ref.ConvBiasGrad(dst, src[0], o.ConvShape)
}

func (o *ConvBiasGrad) run64(dst []float64, src ...[]float64) {
	ref.ConvBiasGrad(dst, src[0], o.ConvShape)
}
