package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// LSTMShape is the geometry of a recurrent layer.
type LSTMShape = ref.LSTMShape

// LSTM is a recurrent layer of one direction: inputs x [N, 4U, 1, T], the gates' inputs, and w [4U,
// U]; output [N, 6U, 1, T], whose first U channels are the hidden state and whose others the
// backward pass needs. Take them with Channels: only the hidden state's gradient is followed. See
// ref.LSTM.
type LSTM struct {
	LSTMShape
	Reverse bool
	ID      uint32
	State   *Sequences
	differentiable
	perImage
}

func (o *LSTM) signature() signature {
	return signature{in: []tensor.Shape{{o.N, 4 * o.U, 1, o.T}, {4 * o.U, o.U}}, out: tensor.Shape{o.N, ref.LSTMRows * o.U, 1, o.T}}
}

// SymDiff returns the gradients.
func (o *LSTM) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	dh, err := Apply(&Channels{ImageShape: ImageShape{N: o.N, C: ref.LSTMRows * o.U, H: 1, W: o.T}, From: 0, Count: o.U, ID: o.ID}, dy)
	if err != nil {
		return nil, err
	}
	dx, err := Apply(&LSTMGrad{LSTMShape: o.LSTMShape, Reverse: o.Reverse, ID: o.ID, State: o.State}, in[1], y, dh)
	if err != nil {
		return nil, err
	}
	dw, err := Apply(&LSTMWeightGrad{LSTMShape: o.LSTMShape, Reverse: o.Reverse, ID: o.ID, State: o.State}, y, dx)
	return gorgonia.Nodes{dx, dw}, err
}

// Run32 implements Operator.
func (o *LSTM) Run32(dst []float32, src ...[]float32) {
	ref.LSTM(dst, src[0], src[1], o.State.Lengths, o.LSTMShape, o.Reverse)
}

func (o *LSTM) run64(dst []float64, src ...[]float64) {
	ref.LSTM(dst, src[0], src[1], o.State.Lengths, o.LSTMShape, o.Reverse)
}

// LSTMGrad is the derivative of LSTM with respect to x: inputs w, y (LSTM's output), dh [N, U, 1,
// T].
type LSTMGrad struct {
	LSTMShape
	Reverse bool
	ID      uint32
	State   *Sequences
	nonDifferentiable
	perImage
}

func (o *LSTMGrad) signature() signature {
	return signature{in: []tensor.Shape{{4 * o.U, o.U}, {o.N, ref.LSTMRows * o.U, 1, o.T}, {o.N, o.U, 1, o.T}}, out: tensor.Shape{o.N, 4 * o.U, 1, o.T}}
}

// Run32 implements Operator.
func (o *LSTMGrad) Run32(dst []float32, src ...[]float32) {
	ref.LSTMGrad(dst, src[0], src[1], src[2], o.State.Lengths, o.LSTMShape, o.Reverse)
}

func (o *LSTMGrad) run64(dst []float64, src ...[]float64) {
	ref.LSTMGrad(dst, src[0], src[1], src[2], o.State.Lengths, o.LSTMShape, o.Reverse)
}

// LSTMWeightGrad is the derivative of LSTM with respect to w: inputs y and the gradient of x;
// output [4U, U].
type LSTMWeightGrad struct {
	LSTMShape
	Reverse bool
	ID      uint32
	State   *Sequences
	nonDifferentiable
}

func (o *LSTMWeightGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, ref.LSTMRows * o.U, 1, o.T}, {o.N, 4 * o.U, 1, o.T}}, out: tensor.Shape{4 * o.U, o.U}}
}

// Run32 implements Operator.
func (o *LSTMWeightGrad) Run32(dst []float32, src ...[]float32) {
	ref.LSTMWeightGrad(dst, src[0], src[1], o.State.Lengths, o.LSTMShape, o.Reverse)
}

func (o *LSTMWeightGrad) run64(dst []float64, src ...[]float64) {
	ref.LSTMWeightGrad(dst, src[0], src[1], o.State.Lengths, o.LSTMShape, o.Reverse)
}
