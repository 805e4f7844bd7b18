package graph

import (
	"fmt"
	"hash"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// Channels takes Count channels from From on: input [N, C, H, W].
type Channels struct {
	ImageShape
	From, Count int
	ID          uint32
	pure
}

func (o *Channels) signature() signature {
	return signature{[]tensor.Shape{imageOf(o.ImageShape)}, tensor.Shape{o.N, o.Count, o.H, o.W}}
}

// DiffWRT is true for the inputs that have gradients.
func (o *Channels) DiffWRT(inputs int) []bool { return []bool{true}[:inputs] }

// SymDiff returns the gradients.
func (o *Channels) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&ChannelsGrad{ImageShape: o.ImageShape, From: o.From, Count: o.Count, ID: o.ID}, dy))
}

// Run32 implements Kernel.
func (o *Channels) Run32(dst []float32, src ...[]float32) { runChannels(o, dst, src) }
func (o *Channels) run64(dst []float64, src ...[]float64) { runChannels(o, dst, src) }

func runChannels[T ref.Float](o *Channels, dst []T, src [][]T) {
	ref.Channels(dst, src[0], o.ImageShape, o.From, o.Count)
}

// ChannelsGrad puts dy [N, Count, H, W] among zeros: output [N, C, H, W].
type ChannelsGrad struct {
	ImageShape
	From, Count int
	ID          uint32
	flat
}

func (o *ChannelsGrad) signature() signature {
	return signature{[]tensor.Shape{{o.N, o.Count, o.H, o.W}}, imageOf(o.ImageShape)}
}

// Run32 implements Kernel.
func (o *ChannelsGrad) Run32(dst []float32, src ...[]float32) { runChannelsGrad(o, dst, src) }
func (o *ChannelsGrad) run64(dst []float64, src ...[]float64) { runChannelsGrad(o, dst, src) }

func runChannelsGrad[T ref.Float](o *ChannelsGrad, dst []T, src [][]T) {
	clear(dst)
	for n := range o.N {
		copy(dst[(n*o.C+o.From)*o.Area():], src[0][n*o.Count*o.Area():(n+1)*o.Count*o.Area()])
	}
}

// FrameRows makes a row of each frame: input [N, K, 1, T]; output [N, T·K], in which frame t has
// the values from t·K on.
type FrameRows struct {
	N, K, T int
	ID      uint32
	pure
}

func (o *FrameRows) signature() signature {
	return signature{[]tensor.Shape{{o.N, o.K, 1, o.T}}, tensor.Shape{o.N, o.T * o.K}}
}

// DiffWRT is true for the inputs that have gradients.
func (o *FrameRows) DiffWRT(inputs int) []bool { return []bool{true}[:inputs] }

// SymDiff returns the gradients.
func (o *FrameRows) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&FrameRowsGrad{N: o.N, K: o.K, T: o.T, ID: o.ID}, dy))
}

// Run32 implements Kernel.
func (o *FrameRows) Run32(dst []float32, src ...[]float32) { runFrameRows(o, dst, src) }
func (o *FrameRows) run64(dst []float64, src ...[]float64) { runFrameRows(o, dst, src) }

func runFrameRows[T ref.Float](o *FrameRows, dst []T, src [][]T) {
	ref.FrameRows(dst, src[0], o.N, o.K, o.T)
}

// FrameRowsGrad is the derivative of FrameRows: input [N, T·K]; output [N, K, 1, T].
type FrameRowsGrad struct {
	N, K, T int
	ID      uint32
	flat
}

func (o *FrameRowsGrad) signature() signature {
	return signature{[]tensor.Shape{{o.N, o.T * o.K}}, tensor.Shape{o.N, o.K, 1, o.T}}
}

// Run32 implements Kernel.
func (o *FrameRowsGrad) Run32(dst []float32, src ...[]float32) { runFrameRowsGrad(o, dst, src) }
func (o *FrameRowsGrad) run64(dst []float64, src ...[]float64) { runFrameRowsGrad(o, dst, src) }

func runFrameRowsGrad[T ref.Float](o *FrameRowsGrad, dst []T, src [][]T) {
	ref.FrameColumns(dst, src[0], o.N, o.K, o.T)
}

// UtteranceMean is the mean over the valid frames: input [N, K, 1, T]; output [N, K].
type UtteranceMean struct {
	N, K, T int
	ID      uint32
	State   *Sequences
	pure
}

func (o *UtteranceMean) signature() signature {
	return signature{[]tensor.Shape{{o.N, o.K, 1, o.T}}, tensor.Shape{o.N, o.K}}
}

// WriteHash covers all fields but the shared state.
func (o *UtteranceMean) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "UtteranceMean %+v", []any{o.N, o.K, o.T, o.ID})
}

// DiffWRT is true for the inputs that have gradients.
func (o *UtteranceMean) DiffWRT(inputs int) []bool { return []bool{true}[:inputs] }

// SymDiff returns the gradients.
func (o *UtteranceMean) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&UtteranceMeanGrad{N: o.N, K: o.K, T: o.T, ID: o.ID, State: o.State}, dy))
}

// Run32 implements Kernel.
func (o *UtteranceMean) Run32(dst []float32, src ...[]float32) { runUtteranceMean(o, dst, src) }
func (o *UtteranceMean) run64(dst []float64, src ...[]float64) { runUtteranceMean(o, dst, src) }

func runUtteranceMean[T ref.Float](o *UtteranceMean, dst []T, src [][]T) {
	ref.UtteranceMean(dst, src[0], o.State.Lengths, o.N, o.K, o.T)
}

// UtteranceMeanGrad is the derivative of UtteranceMean: input [N, K]; output [N, K, 1, T].
type UtteranceMeanGrad struct {
	N, K, T int
	ID      uint32
	State   *Sequences
	flat
}

func (o *UtteranceMeanGrad) signature() signature {
	return signature{[]tensor.Shape{{o.N, o.K}}, tensor.Shape{o.N, o.K, 1, o.T}}
}

// WriteHash covers all fields but the shared state.
func (o *UtteranceMeanGrad) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "UtteranceMeanGrad %+v", []any{o.N, o.K, o.T, o.ID})
}

// Run32 implements Kernel.
func (o *UtteranceMeanGrad) Run32(dst []float32, src ...[]float32) { runUtteranceMeanGrad(o, dst, src) }
func (o *UtteranceMeanGrad) run64(dst []float64, src ...[]float64) { runUtteranceMeanGrad(o, dst, src) }

func runUtteranceMeanGrad[T ref.Float](o *UtteranceMeanGrad, dst []T, src [][]T) {
	ref.UtteranceMeanGrad(dst, src[0], o.State.Lengths, o.N, o.K, o.T)
}

// FrameCrossEntropy is the mean of -log softmax over the frames whose label is not negative: inputs
// logits [N, T·K] and labels [N·T]; output a scalar.
type FrameCrossEntropy struct {
	N, T, K int
	ID      uint32
	pure
}

func (o *FrameCrossEntropy) signature() signature {
	return signature{[]tensor.Shape{{o.N, o.T * o.K}, {o.N * o.T}}, tensor.Shape{}}
}

// DiffWRT is true for the inputs that have gradients.
func (o *FrameCrossEntropy) DiffWRT(inputs int) []bool { return []bool{true, false}[:inputs] }

// SymDiff returns the gradients.
func (o *FrameCrossEntropy) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&FrameCrossEntropyGrad{N: o.N, T: o.T, K: o.K, ID: o.ID}, in[0], in[1], dy), call{})
}

// Run32 implements Kernel.
func (o *FrameCrossEntropy) Run32(dst []float32, src ...[]float32) { runFrameCrossEntropy(o, dst, src) }
func (o *FrameCrossEntropy) run64(dst []float64, src ...[]float64) { runFrameCrossEntropy(o, dst, src) }

func runFrameCrossEntropy[T ref.Float](o *FrameCrossEntropy, dst []T, src [][]T) {
	dst[0] = ref.FrameCrossEntropy(src[0], src[1], o.N*o.T, o.K)
}

// FrameCrossEntropyGrad is the derivative of FrameCrossEntropy: inputs logits, labels, dloss (a
// scalar).
type FrameCrossEntropyGrad struct {
	N, T, K int
	ID      uint32
	flat
}

func (o *FrameCrossEntropyGrad) signature() signature {
	return signature{[]tensor.Shape{{o.N, o.T * o.K}, {o.N * o.T}, {}}, tensor.Shape{o.N, o.T * o.K}}
}

// Run32 implements Kernel.
func (o *FrameCrossEntropyGrad) Run32(dst []float32, src ...[]float32) {
	runFrameCrossEntropyGrad(o, dst, src)
}
func (o *FrameCrossEntropyGrad) run64(dst []float64, src ...[]float64) {
	runFrameCrossEntropyGrad(o, dst, src)
}

func runFrameCrossEntropyGrad[T ref.Float](o *FrameCrossEntropyGrad, dst []T, src [][]T) {
	ref.FrameCrossEntropyGrad(dst, src[0], src[1], src[2][0], o.N*o.T, o.K)
}
