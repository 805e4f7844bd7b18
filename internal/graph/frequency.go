package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// FrequencyLinear is a linear layer over the frequencies with one output: inputs x [N, C, F, T], w
// [F], b [1]; output [N, C, 1, T].
type FrequencyLinear struct {
	ImageShape
	ID    uint32
	State *Sequences
	differentiable
	perImage
}

func (o *FrequencyLinear) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape), {o.H}, {1}}, out: tensor.Shape{o.N, o.C, 1, o.W}}
}

// SymDiff returns the gradients.
func (o *FrequencyLinear) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	sums, err := Apply(&FrequencyLinearSums{ImageShape: o.ImageShape, ID: o.ID, State: o.State}, in[0], dy)
	if err != nil {
		return nil, err
	}
	return applyAll(on(&FrequencyLinearInputGrad{ImageShape: o.ImageShape, ID: o.ID, State: o.State}, in[1], dy),
		on(&SumRows{N: o.N, Width: o.H + 1, From: 0, C: o.H, ID: o.ID}, sums), on(&SumRows{N: o.N, Width: o.H + 1, From: o.H, C: 1, ID: o.ID}, sums))
}

// Run32 implements Operator.
func (o *FrequencyLinear) Run32(dst []float32, src ...[]float32) {
	ref.FrequencyLinear(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape)
}

func (o *FrequencyLinear) run64(dst []float64, src ...[]float64) {
	ref.FrequencyLinear(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape)
}

// FrequencyLinearInputGrad is the derivative with respect to x: inputs w, dy.
type FrequencyLinearInputGrad struct {
	ImageShape
	ID    uint32
	State *Sequences
	nonDifferentiable
	perImage
}

func (o *FrequencyLinearInputGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.H}, {o.N, o.C, 1, o.W}}, out: imageOf(o.ImageShape)}
}

// Run32 implements Operator.
func (o *FrequencyLinearInputGrad) Run32(dst []float32, src ...[]float32) {
	ref.FrequencyLinearInputGrad(dst, src[0], src[1], o.State.Lengths, o.ImageShape)
}

func (o *FrequencyLinearInputGrad) run64(dst []float64, src ...[]float64) {
	ref.FrequencyLinearInputGrad(dst, src[0], src[1], o.State.Lengths, o.ImageShape)
}

// FrequencyLinearSums are each utterance's part of the gradients of w and b: inputs x, dy; output
// [N, F+1].
type FrequencyLinearSums struct {
	ImageShape
	ID    uint32
	State *Sequences
	nonDifferentiable
	perImage
}

func (o *FrequencyLinearSums) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape), {o.N, o.C, 1, o.W}}, out: tensor.Shape{o.N, o.H + 1}}
}

// Run32 implements Operator.
func (o *FrequencyLinearSums) Run32(dst []float32, src ...[]float32) {
	ref.FrequencyLinearSums(dst, src[0], src[1], o.State.Lengths, o.ImageShape)
}

func (o *FrequencyLinearSums) run64(dst []float64, src ...[]float64) {
	ref.FrequencyLinearSums(dst, src[0], src[1], o.State.Lengths, o.ImageShape)
}
