package graph

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph/kernel/ref"
)

// DropoutState keys the masks of all Dropout layers of a Graph. A mask is a pure function of (Seed,
// Step, layer, element), so that a resumed run draws the masks of an uninterrupted one. A Machine
// adds 1 to Step after each Train that is not ForwardOnly; a training loop that resumes sets it.
type DropoutState struct {
	Seed uint64
	Step uint64
}

// Dropout zeroes each element with probability P and scales the others by 1/(1-P), for any shape
// (Srivastava et al. 2014, in the inverted form of PyTorch). Each layer has a Stream of its own.
// State is shared by the graph; it is not part of the hash.
type Dropout struct {
	P      float64
	Stream uint64
	ID     uint32
	State  *DropoutState
	differentiable
	unary
}

// DropoutGrad is the derivative of Dropout: input dy, through the same mask.
type DropoutGrad struct {
	P      float64
	Stream uint64
	ID     uint32
	State  *DropoutState
	nonDifferentiable
	unary
}

// SymDiff returns DropoutGrad.
func (o *Dropout) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&DropoutGrad{P: o.P, Stream: o.Stream, ID: o.ID, State: o.State}, dy))
}

// Key is the mask of a layer in the step at work.
func (s *DropoutState) Key(stream uint64) ref.DropoutKey {
	return ref.DropoutKey{Seed: s.Seed, Step: s.Step, Stream: stream}
}

// Run32 implements Operator.
func (o *Dropout) Run32(dst []float32, src ...[]float32) {
	ref.Dropout(dst, src[0], o.P, o.State.Key(o.Stream))
}

func (o *Dropout) run64(dst []float64, src ...[]float64) {
	ref.Dropout(dst, src[0], o.P, o.State.Key(o.Stream))
}

// Run32 implements Operator.
func (o *DropoutGrad) Run32(dst []float32, src ...[]float32) {
	ref.Dropout(dst, src[0], o.P, o.State.Key(o.Stream))
}

func (o *DropoutGrad) run64(dst []float64, src ...[]float64) {
	ref.Dropout(dst, src[0], o.P, o.State.Key(o.Stream))
}
