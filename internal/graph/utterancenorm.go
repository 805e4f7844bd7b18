package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// Sequences is the state that the operators of sequences share: how many frames each utterance of
// the batch has. The caller of a Machine sets it before each call; the operators treat what is
// behind as padding.
type Sequences struct {
	Lengths []int32 // [N], each at least 1 and at most the frames of the graph
}

// UtteranceNorm normalises each channel of each utterance over its valid frames, and makes the
// padding 0: inputs x, γ [C], β [C]. It has no running statistics, so training and evaluation
// agree. See ref.UtteranceNorm.
type UtteranceNorm struct {
	ImageShape
	Eps   float64
	ID    uint32
	State *Sequences
	differentiable
	perImage
}

func (o *UtteranceNorm) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape), {o.C}, {o.C}}, out: imageOf(o.ImageShape)}
}

// SymDiff returns the gradients.
func (o *UtteranceNorm) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	sums, err := Apply(&UtteranceNormSums{ImageShape: o.ImageShape, Eps: o.Eps, ID: o.ID, State: o.State}, in[0], dy)
	if err != nil {
		return nil, err
	}
	return applyAll(on(&UtteranceNormInputGrad{ImageShape: o.ImageShape, Eps: o.Eps, ID: o.ID, State: o.State}, in[0], in[1], dy),
		on(&SumRows{N: o.N, Width: 2 * o.C, From: 0, C: o.C, ID: o.ID}, sums),
		on(&SumRows{N: o.N, Width: 2 * o.C, From: o.C, C: o.C, ID: o.ID}, sums))
}

// Run32 implements Operator.
func (o *UtteranceNorm) Run32(dst []float32, src ...[]float32) {
	ref.UtteranceNorm(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape, o.Eps)
}

func (o *UtteranceNorm) run64(dst []float64, src ...[]float64) {
	ref.UtteranceNorm(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape, o.Eps)
}

// UtteranceNormInputGrad is the derivative of UtteranceNorm with respect to x, through the
// statistics too: inputs x, γ, dy.
type UtteranceNormInputGrad struct {
	ImageShape
	Eps   float64
	ID    uint32
	State *Sequences
	nonDifferentiable
	perImage
}

func (o *UtteranceNormInputGrad) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape), {o.C}, imageOf(o.ImageShape)}, out: imageOf(o.ImageShape)}
}

// Run32 implements Operator.
func (o *UtteranceNormInputGrad) Run32(dst []float32, src ...[]float32) {
	ref.UtteranceNormInputGrad(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape, o.Eps)
}

func (o *UtteranceNormInputGrad) run64(dst []float64, src ...[]float64) {
	ref.UtteranceNormInputGrad(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape, o.Eps)
}

// UtteranceNormSums are each utterance's part of the gradients of γ and β: inputs x, dy; output [N,
// 2C].
type UtteranceNormSums struct {
	ImageShape
	Eps   float64
	ID    uint32
	State *Sequences
	nonDifferentiable
	perImage
}

func (o *UtteranceNormSums) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape), imageOf(o.ImageShape)}, out: tensor.Shape{o.N, 2 * o.C}}
}

// Run32 implements Operator.
func (o *UtteranceNormSums) Run32(dst []float32, src ...[]float32) {
	ref.UtteranceNormSums(dst, src[0], src[1], o.State.Lengths, o.ImageShape, o.Eps)
}

func (o *UtteranceNormSums) run64(dst []float64, src ...[]float64) {
	ref.UtteranceNormSums(dst, src[0], src[1], o.State.Lengths, o.ImageShape, o.Eps)
}

// SumRows adds the rows of columns [From, From+C): input [N, Width]; output [C].
type SumRows struct {
	N, Width, From, C int
	ID                uint32
	nonDifferentiable
}

func (o *SumRows) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.Width}}, out: tensor.Shape{o.C}}
}

// Run32 implements Operator.
func (o *SumRows) Run32(dst []float32, src ...[]float32) {
	ref.SumRows(dst, src[0], o.N, o.Width, o.From, o.C)
}

func (o *SumRows) run64(dst []float64, src ...[]float64) {
	ref.SumRows(dst, src[0], o.N, o.Width, o.From, o.C)
}
