package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// Channels takes Count channels from From on: input [N, C, H, W].
type Channels struct {
	ImageShape
	From, Count int
	ID          uint32
	differentiable
	perImage
}

func (o *Channels) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: tensor.Shape{o.N, o.Count, o.H, o.W}}
}

// SymDiff returns the gradients.
func (o *Channels) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&ChannelsGrad{ImageShape: o.ImageShape, From: o.From, Count: o.Count, ID: o.ID}, dy))
}

// Run32 implements Operator.
func (o *Channels) Run32(dst []float32, src ...[]float32) {
	ref.Channels(dst, src[0], o.ImageShape, o.From, o.Count)
}

func (o *Channels) run64(dst []float64, src ...[]float64) {
	ref.Channels(dst, src[0], o.ImageShape, o.From, o.Count)
}

// ChannelsGrad puts dy [N, Count, H, W] among zeros: output [N, C, H, W].
type ChannelsGrad struct {
	ImageShape
	From, Count int
	ID          uint32
	nonDifferentiable
	perImage
}

func (o *ChannelsGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.Count, o.H, o.W}}, out: imageOf(o.ImageShape)}
}

// Run32 implements Operator.
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
	differentiable
	perImage
}

func (o *FrameRows) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.K, 1, o.T}}, out: tensor.Shape{o.N, o.T * o.K}}
}

// SymDiff returns the gradients.
func (o *FrameRows) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&FrameRowsGrad{N: o.N, K: o.K, T: o.T, ID: o.ID}, dy))
}

// Run32 implements Operator.
func (o *FrameRows) Run32(dst []float32, src ...[]float32) {
	ref.FrameRows(dst, src[0], o.N, o.K, o.T)
}

func (o *FrameRows) run64(dst []float64, src ...[]float64) {
	ref.FrameRows(dst, src[0], o.N, o.K, o.T)
}

// FrameRowsGrad is the derivative of FrameRows: input [N, T·K]; output [N, K, 1, T].
type FrameRowsGrad struct {
	N, K, T int
	ID      uint32
	nonDifferentiable
	perImage
}

func (o *FrameRowsGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.T * o.K}}, out: tensor.Shape{o.N, o.K, 1, o.T}}
}

// Run32 implements Operator.
func (o *FrameRowsGrad) Run32(dst []float32, src ...[]float32) {
	ref.FrameColumns(dst, src[0], o.N, o.K, o.T)
}

func (o *FrameRowsGrad) run64(dst []float64, src ...[]float64) {
	ref.FrameColumns(dst, src[0], o.N, o.K, o.T)
}

// UtteranceMean is the mean over the valid frames: input [N, K, 1, T]; output [N, K].
type UtteranceMean struct {
	N, K, T int
	ID      uint32
	State   *Sequences
	differentiable
	perImage
}

func (o *UtteranceMean) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.K, 1, o.T}}, out: tensor.Shape{o.N, o.K}}
}

// SymDiff returns the gradients.
func (o *UtteranceMean) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&UtteranceMeanGrad{N: o.N, K: o.K, T: o.T, ID: o.ID, State: o.State}, dy))
}

// Run32 implements Operator.
func (o *UtteranceMean) Run32(dst []float32, src ...[]float32) {
	ref.UtteranceMean(dst, src[0], o.State.Lengths, o.N, o.K, o.T)
}

func (o *UtteranceMean) run64(dst []float64, src ...[]float64) {
	ref.UtteranceMean(dst, src[0], o.State.Lengths, o.N, o.K, o.T)
}

// UtteranceMeanGrad is the derivative of UtteranceMean: input [N, K]; output [N, K, 1, T].
type UtteranceMeanGrad struct {
	N, K, T int
	ID      uint32
	State   *Sequences
	nonDifferentiable
	perImage
}

func (o *UtteranceMeanGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.K}}, out: tensor.Shape{o.N, o.K, 1, o.T}}
}

// Run32 implements Operator.
func (o *UtteranceMeanGrad) Run32(dst []float32, src ...[]float32) {
	ref.UtteranceMeanGrad(dst, src[0], o.State.Lengths, o.N, o.K, o.T)
}

func (o *UtteranceMeanGrad) run64(dst []float64, src ...[]float64) {
	ref.UtteranceMeanGrad(dst, src[0], o.State.Lengths, o.N, o.K, o.T)
}

// FrameCrossEntropy is the mean of -log softmax over the frames whose label is not negative: inputs
// logits [N, T·K] and labels [N·T]; output a scalar.
type FrameCrossEntropy struct {
	N, T, K int
	ID      uint32
}

func (o *FrameCrossEntropy) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.T * o.K}, {o.N * o.T}}, out: tensor.Shape{}}
}

// DiffWRT is true for the inputs that have gradients.
func (o *FrameCrossEntropy) DiffWRT(inputs int) []bool { return []bool{true, false}[:inputs] }

// SymDiff returns the gradients.
func (o *FrameCrossEntropy) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&FrameCrossEntropyGrad{N: o.N, T: o.T, K: o.K, ID: o.ID}, in[0], in[1], dy), call{})
}

// Run32 implements Operator.
func (o *FrameCrossEntropy) Run32(dst []float32, src ...[]float32) {
	dst[0] = ref.FrameCrossEntropy(src[0], src[1], o.N*o.T, o.K)
}

func (o *FrameCrossEntropy) run64(dst []float64, src ...[]float64) {
	dst[0] = ref.FrameCrossEntropy(src[0], src[1], o.N*o.T, o.K)
}

// FrameCrossEntropyGrad is the derivative of FrameCrossEntropy: inputs logits, labels, dloss (a
// scalar).
type FrameCrossEntropyGrad struct {
	N, T, K int
	ID      uint32
	nonDifferentiable
}

func (o *FrameCrossEntropyGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.T * o.K}, {o.N * o.T}, {}}, out: tensor.Shape{o.N, o.T * o.K}}
}

// Run32 implements Operator.
func (o *FrameCrossEntropyGrad) Run32(dst []float32, src ...[]float32) {
	ref.FrameCrossEntropyGrad(dst, src[0], src[1], src[2][0], o.N*o.T, o.K)
}

func (o *FrameCrossEntropyGrad) run64(dst []float64, src ...[]float64) {
	ref.FrameCrossEntropyGrad(dst, src[0], src[1], src[2][0], o.N*o.T, o.K)
}
