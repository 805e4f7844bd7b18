package graph

import (
	"fmt"
	"hash"

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
	pure
}

func (o *FrequencyLinear) signature() signature {
	return signature{[]tensor.Shape{imageOf(o.ImageShape), {o.H}, {1}}, tensor.Shape{o.N, o.C, 1, o.W}}
}

// WriteHash covers all fields but the shared state.
func (o *FrequencyLinear) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "FrequencyLinear %+v", []any{o.ImageShape, o.ID})
}

// DiffWRT is true for the inputs that have gradients.
func (o *FrequencyLinear) DiffWRT(inputs int) []bool { return []bool{true, true, true}[:inputs] }

// SymDiff returns the gradients.
func (o *FrequencyLinear) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	sums, err := apply(&FrequencyLinearSums{ImageShape: o.ImageShape, ID: o.ID, State: o.State}, in[0], dy)
	if err != nil {
		return nil, err
	}
	return applyAll(on(&FrequencyLinearInputGrad{ImageShape: o.ImageShape, ID: o.ID, State: o.State}, in[1], dy),
		on(&SumRows{N: o.N, Width: o.H + 1, From: 0, C: o.H, ID: o.ID}, sums), on(&SumRows{N: o.N, Width: o.H + 1, From: o.H, C: 1, ID: o.ID}, sums))
}

// Run32 implements Kernel.
func (o *FrequencyLinear) Run32(dst []float32, src ...[]float32) { runFrequencyLinear(o, dst, src) }
func (o *FrequencyLinear) run64(dst []float64, src ...[]float64) { runFrequencyLinear(o, dst, src) }

func runFrequencyLinear[T ref.Float](o *FrequencyLinear, dst []T, src [][]T) {
	ref.FrequencyLinear(dst, src[0], src[1], src[2], o.State.Lengths, o.ImageShape)
}

// FrequencyLinearInputGrad is the derivative with respect to x: inputs w, dy.
type FrequencyLinearInputGrad struct {
	ImageShape
	ID    uint32
	State *Sequences
	flat
}

func (o *FrequencyLinearInputGrad) signature() signature {
	return signature{[]tensor.Shape{{o.H}, {o.N, o.C, 1, o.W}}, imageOf(o.ImageShape)}
}

// WriteHash covers all fields but the shared state.
func (o *FrequencyLinearInputGrad) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "FrequencyLinearInputGrad %+v", []any{o.ImageShape, o.ID})
}

// Run32 implements Kernel.
func (o *FrequencyLinearInputGrad) Run32(dst []float32, src ...[]float32) {
	runFrequencyLinearInputGrad(o, dst, src)
}
func (o *FrequencyLinearInputGrad) run64(dst []float64, src ...[]float64) {
	runFrequencyLinearInputGrad(o, dst, src)
}

func runFrequencyLinearInputGrad[T ref.Float](o *FrequencyLinearInputGrad, dst []T, src [][]T) {
	ref.FrequencyLinearInputGrad(dst, src[0], src[1], o.State.Lengths, o.ImageShape)
}

// FrequencyLinearSums are each utterance's part of the gradients of w and b: inputs x, dy; output
// [N, F+1].
type FrequencyLinearSums struct {
	ImageShape
	ID    uint32
	State *Sequences
	flat
}

func (o *FrequencyLinearSums) signature() signature {
	return signature{[]tensor.Shape{imageOf(o.ImageShape), {o.N, o.C, 1, o.W}}, tensor.Shape{o.N, o.H + 1}}
}

// WriteHash covers all fields but the shared state.
func (o *FrequencyLinearSums) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "FrequencyLinearSums %+v", []any{o.ImageShape, o.ID})
}

// Run32 implements Kernel.
func (o *FrequencyLinearSums) Run32(dst []float32, src ...[]float32) {
	runFrequencyLinearSums(o, dst, src)
}
func (o *FrequencyLinearSums) run64(dst []float64, src ...[]float64) {
	runFrequencyLinearSums(o, dst, src)
}

func runFrequencyLinearSums[T ref.Float](o *FrequencyLinearSums, dst []T, src [][]T) {
	ref.FrequencyLinearSums(dst, src[0], src[1], o.State.Lengths, o.ImageShape)
}
