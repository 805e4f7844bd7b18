package graph

import (
	"fmt"
	"hash"

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
	pure
}

func (o *UtteranceNorm) signature() signature {
	return signature{[]tensor.Shape{imageOf(o.ImageShape), {o.C}, {o.C}}, imageOf(o.ImageShape)}
}

// WriteHash covers all fields but the shared state.
func (o *UtteranceNorm) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "UtteranceNorm %+v", []any{o.ImageShape, o.Eps, o.ID})
}

// DiffWRT is true for the inputs that have gradients.
func (o *UtteranceNorm) DiffWRT(inputs int) []bool { return []bool{true, true, true}[:inputs] }

// SymDiff returns the gradients.
func (o *UtteranceNorm) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	sums, err := apply(&UtteranceNormSums{ImageShape: o.ImageShape, Eps: o.Eps, ID: o.ID, State: o.State}, in[0], dy)
	if err != nil {
		return nil, err
	}
	return applyAll(on(&UtteranceNormInputGrad{ImageShape: o.ImageShape, Eps: o.Eps, ID: o.ID, State: o.State}, in[0], in[1], dy),
		on(&SumRows{N: o.N, Width: 2 * o.C, From: 0, C: o.C, ID: o.ID}, sums),
		on(&SumRows{N: o.N, Width: 2 * o.C, From: o.C, C: o.C, ID: o.ID}, sums))
}

// Run32 implements Kernel.
func (o *UtteranceNorm) Run32(dst []float32, src ...[]float32) { runUtteranceNorm(o, dst, src) }
func (o *UtteranceNorm) run64(dst []float64, src ...[]float64) { runUtteranceNorm(o, dst, src) }

func runUtteranceNorm[T ref.Float](o *UtteranceNorm, dst []T, src [][]T) {
	ref.UtteranceNorm(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape, o.Eps)
}

// UtteranceNormInputGrad is the derivative of UtteranceNorm with respect to x, through the
// statistics too: inputs x, γ, dy.
type UtteranceNormInputGrad struct {
	ImageShape
	Eps   float64
	ID    uint32
	State *Sequences
	flat
}

func (o *UtteranceNormInputGrad) signature() signature {
	return signature{[]tensor.Shape{imageOf(o.ImageShape), {o.C}, imageOf(o.ImageShape)}, imageOf(o.ImageShape)}
}

// WriteHash covers all fields but the shared state.
func (o *UtteranceNormInputGrad) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "UtteranceNormInputGrad %+v", []any{o.ImageShape, o.Eps, o.ID})
}

// Run32 implements Kernel.
func (o *UtteranceNormInputGrad) Run32(dst []float32, src ...[]float32) {
	runUtteranceNormInputGrad(o, dst, src)
}
func (o *UtteranceNormInputGrad) run64(dst []float64, src ...[]float64) {
	runUtteranceNormInputGrad(o, dst, src)
}

func runUtteranceNormInputGrad[T ref.Float](o *UtteranceNormInputGrad, dst []T, src [][]T) {
	ref.UtteranceNormInputGrad(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape, o.Eps)
}

// UtteranceNormSums are each utterance's part of the gradients of γ and β: inputs x, dy; output [N,
// 2C].
type UtteranceNormSums struct {
	ImageShape
	Eps   float64
	ID    uint32
	State *Sequences
	flat
}

func (o *UtteranceNormSums) signature() signature {
	return signature{[]tensor.Shape{imageOf(o.ImageShape), imageOf(o.ImageShape)}, tensor.Shape{o.N, 2 * o.C}}
}

// WriteHash covers all fields but the shared state.
func (o *UtteranceNormSums) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "UtteranceNormSums %+v", []any{o.ImageShape, o.Eps, o.ID})
}

// Run32 implements Kernel.
func (o *UtteranceNormSums) Run32(dst []float32, src ...[]float32) { runUtteranceNormSums(o, dst, src) }
func (o *UtteranceNormSums) run64(dst []float64, src ...[]float64) { runUtteranceNormSums(o, dst, src) }

func runUtteranceNormSums[T ref.Float](o *UtteranceNormSums, dst []T, src [][]T) {
	ref.UtteranceNormSums(dst, src[0], src[1], o.State.Lengths, o.ImageShape, o.Eps)
}

// SumRows adds the rows of columns [From, From+C): input [N, Width]; output [C].
type SumRows struct {
	N, Width, From, C int
	ID                uint32
	flat
}

func (o *SumRows) signature() signature {
	return signature{[]tensor.Shape{{o.N, o.Width}}, tensor.Shape{o.C}}
}

// Run32 implements Kernel.
func (o *SumRows) Run32(dst []float32, src ...[]float32) { runSumRows(o, dst, src) }
func (o *SumRows) run64(dst []float64, src ...[]float64) { runSumRows(o, dst, src) }

func runSumRows[T ref.Float](o *SumRows, dst []T, src [][]T) {
	ref.SumRows(dst, src[0], o.N, o.Width, o.From, o.C)
}
