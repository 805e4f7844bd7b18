package graph

import (
	"fmt"
	"hash"

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
	pure
}

func (o *LSTM) signature() signature {
	return signature{[]tensor.Shape{tensor.Shape{o.N, 4 * o.U, 1, o.T}, {4 * o.U, o.U}}, tensor.Shape{o.N, ref.LSTMRows * o.U, 1, o.T}}
}

// WriteHash covers all fields but the shared state.
func (o *LSTM) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "LSTM %+v", []any{o.LSTMShape, o.Reverse, o.ID})
}

// DiffWRT is true for the inputs that have gradients.
func (o *LSTM) DiffWRT(inputs int) []bool { return []bool{true, true}[:inputs] }

// SymDiff returns the gradients.
func (o *LSTM) SymDiff(in gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	dh, err := apply(&Channels{ImageShape: ImageShape{N: o.N, C: ref.LSTMRows * o.U, H: 1, W: o.T}, From: 0, Count: o.U, ID: o.ID}, dy)
	if err != nil {
		return nil, err
	}
	dx, err := apply(&LSTMGrad{LSTMShape: o.LSTMShape, Reverse: o.Reverse, ID: o.ID, State: o.State}, in[1], y, dh)
	if err != nil {
		return nil, err
	}
	dw, err := apply(&LSTMWeightGrad{LSTMShape: o.LSTMShape, Reverse: o.Reverse, ID: o.ID, State: o.State}, y, dx)
	return gorgonia.Nodes{dx, dw}, err
}

// Run32 implements Kernel.
func (o *LSTM) Run32(dst []float32, src ...[]float32) { runLSTM(o, dst, src) }
func (o *LSTM) run64(dst []float64, src ...[]float64) { runLSTM(o, dst, src) }

func runLSTM[T ref.Float](o *LSTM, dst []T, src [][]T) {
	ref.LSTM(dst, src[0], src[1], o.State.Lengths, o.LSTMShape, o.Reverse)
}

// LSTMGrad is the derivative of LSTM with respect to x: inputs w, y (LSTM's output), dh [N, U, 1,
// T].
type LSTMGrad struct {
	LSTMShape
	Reverse bool
	ID      uint32
	State   *Sequences
	flat
}

func (o *LSTMGrad) signature() signature {
	return signature{[]tensor.Shape{{4 * o.U, o.U}, tensor.Shape{o.N, ref.LSTMRows * o.U, 1, o.T}, tensor.Shape{o.N, o.U, 1, o.T}}, tensor.Shape{o.N, 4 * o.U, 1, o.T}}
}

// WriteHash covers all fields but the shared state.
func (o *LSTMGrad) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "LSTMGrad %+v", []any{o.LSTMShape, o.Reverse, o.ID})
}

// Run32 implements Kernel.
func (o *LSTMGrad) Run32(dst []float32, src ...[]float32) { runLSTMGrad(o, dst, src) }
func (o *LSTMGrad) run64(dst []float64, src ...[]float64) { runLSTMGrad(o, dst, src) }

func runLSTMGrad[T ref.Float](o *LSTMGrad, dst []T, src [][]T) {
	ref.LSTMGrad(dst, src[0], src[1], src[2], o.State.Lengths, o.LSTMShape, o.Reverse)
}

// LSTMWeightGrad is the derivative of LSTM with respect to w: inputs y and the gradient of x;
// output [4U, U].
type LSTMWeightGrad struct {
	LSTMShape
	Reverse bool
	ID      uint32
	State   *Sequences
	flat
}

func (o *LSTMWeightGrad) signature() signature {
	return signature{[]tensor.Shape{tensor.Shape{o.N, ref.LSTMRows * o.U, 1, o.T}, tensor.Shape{o.N, 4 * o.U, 1, o.T}}, tensor.Shape{4 * o.U, o.U}}
}

// WriteHash covers all fields but the shared state.
func (o *LSTMWeightGrad) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "LSTMWeightGrad %+v", []any{o.LSTMShape, o.Reverse, o.ID})
}

// Run32 implements Kernel.
func (o *LSTMWeightGrad) Run32(dst []float32, src ...[]float32) { runLSTMWeightGrad(o, dst, src) }
func (o *LSTMWeightGrad) run64(dst []float64, src ...[]float64) { runLSTMWeightGrad(o, dst, src) }

func runLSTMWeightGrad[T ref.Float](o *LSTMWeightGrad, dst []T, src [][]T) {
	ref.LSTMWeightGrad(dst, src[0], src[1], o.State.Lengths, o.LSTMShape, o.Reverse)
}
