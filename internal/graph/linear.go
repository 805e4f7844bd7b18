package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// Linear is y = x wᵀ + b: inputs x [N, C], w [K, C] and, with Bias, b [K]; output [N, K].
type Linear struct {
	N, C, K int
	Bias    bool
	// Leaf says that x is the input of the graph, so that the derivative with respect to it is not
	// wanted.
	Leaf bool
	ID   uint32
}

// LinearInputGrad is the derivative of Linear with respect to x: inputs w, dy; output [N, C].
type LinearInputGrad struct {
	N, C, K int
	ID      uint32
	nonDifferentiable
}

// LinearWeightGrad is the derivative of Linear with respect to w: inputs x, dy; output [K, C].
type LinearWeightGrad struct {
	N, C, K int
	ID      uint32
	nonDifferentiable
}

// LinearBiasGrad is the derivative of Linear with respect to b: input dy; output [K].
type LinearBiasGrad struct {
	N, K int
	ID   uint32
	nonDifferentiable
}

func (o *Linear) signature() signature {
	in := []tensor.Shape{{o.N, o.C}, {o.K, o.C}}
	if o.Bias {
		in = append(in, tensor.Shape{o.K})
	}
	return signature{in: in, out: tensor.Shape{o.N, o.K}}
}

// DiffWRT is true for the weights and the bias, and for x unless it is a Leaf.
func (o *Linear) DiffWRT(inputs int) []bool { return []bool{!o.Leaf, true, true}[:inputs] }

// SymDiff returns LinearInputGrad, LinearWeightGrad and, with Bias, LinearBiasGrad.
func (o *Linear) SymDiff(in gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	calls := []call{{}, on(&LinearWeightGrad{N: o.N, C: o.C, K: o.K, ID: o.ID}, in[0], dy)}
	if !o.Leaf {
		calls[0] = on(&LinearInputGrad{N: o.N, C: o.C, K: o.K, ID: o.ID}, in[1], dy)
	}
	if o.Bias {
		calls = append(calls, on(&LinearBiasGrad{N: o.N, K: o.K, ID: o.ID}, dy))
	}
	return applyAll(calls...)
}

// Run32 implements Operator.
func (o *Linear) Run32(dst []float32, src ...[]float32) { runLinear(o, dst, src) }
func (o *Linear) run64(dst []float64, src ...[]float64) { runLinear(o, dst, src) }

func runLinear[T ref.Float](o *Linear, dst []T, src [][]T) {
	var b []T
	if o.Bias {
		b = src[2]
	}
	ref.Linear(dst, src[0], src[1], b, o.N, o.C, o.K)
}

func (o *LinearInputGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.K, o.C}, {o.N, o.K}}, out: tensor.Shape{o.N, o.C}}
}

// Run32 implements Operator.
func (o *LinearInputGrad) Run32(dst []float32, src ...[]float32) {
	ref.LinearInputGrad(dst, src[0], src[1], o.N, o.C, o.K)
}

func (o *LinearInputGrad) run64(dst []float64, src ...[]float64) {
	ref.LinearInputGrad(dst, src[0], src[1], o.N, o.C, o.K)
}

func (o *LinearWeightGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.C}, {o.N, o.K}}, out: tensor.Shape{o.K, o.C}}
}

// Run32 implements Operator.
func (o *LinearWeightGrad) Run32(dst []float32, src ...[]float32) {
	ref.LinearWeightGrad(dst, src[0], src[1], o.N, o.C, o.K)
}

func (o *LinearWeightGrad) run64(dst []float64, src ...[]float64) {
	ref.LinearWeightGrad(dst, src[0], src[1], o.N, o.C, o.K)
}

func (o *LinearBiasGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.K}}, out: tensor.Shape{o.K}}
}

// Run32 implements Operator.
func (o *LinearBiasGrad) Run32(dst []float32, src ...[]float32) {
	ref.LinearBiasGrad(dst, src[0], o.N, o.K)
}

func (o *LinearBiasGrad) run64(dst []float64, src ...[]float64) {
	ref.LinearBiasGrad(dst, src[0], o.N, o.K)
}
