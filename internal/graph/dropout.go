package graph

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

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
// (Srivastava et al. 2014, in the inverted form of PyTorch). Stream tells layers apart. State is
// shared by the graph; it is not part of the hash.
type Dropout struct {
	P      float64
	Stream uint64
	ID     uint32
	State  *DropoutState
	pure
}

// DropoutGrad is the derivative of Dropout: input dy, through the same mask.
type DropoutGrad struct {
	P      float64
	Stream uint64
	ID     uint32
	State  *DropoutState
	flat
}

// Arity is 1.
func (o *Dropout) Arity() int { return 1 }

// Type is a → a.
func (o *Dropout) Type() hm.Type { return fnSame(1) }

// InferShape is the shape of x.
func (o *Dropout) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) { return inferSame(1, in) }

// WriteHash covers P, Stream and ID.
func (o *Dropout) WriteHash(h hash.Hash) { fmt.Fprint(h, "Dropout ", o.P, o.Stream, o.ID) }

// DiffWRT is true.
func (o *Dropout) DiffWRT(inputs int) []bool { return []bool{true}[:inputs] }

// SymDiff returns DropoutGrad.
func (o *Dropout) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&DropoutGrad{P: o.P, Stream: o.Stream, ID: o.ID, State: o.State}, dy))
}

func (s *DropoutState) key(stream uint64) ref.DropoutKey {
	return ref.DropoutKey{Seed: s.Seed, Step: s.Step, Stream: stream}
}

// Run32 implements Kernel.
func (o *Dropout) Run32(dst []float32, src ...[]float32) {
	ref.Dropout(dst, src[0], o.P, o.State.key(o.Stream))
}

func (o *Dropout) run64(dst []float64, src ...[]float64) {
	ref.Dropout(dst, src[0], o.P, o.State.key(o.Stream))
}

// Arity is 1.
func (o *DropoutGrad) Arity() int { return 1 }

// Type is a → a.
func (o *DropoutGrad) Type() hm.Type { return fnSame(1) }

// InferShape is the shape of dy.
func (o *DropoutGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return inferSame(1, in)
}

// WriteHash covers P, Stream and ID.
func (o *DropoutGrad) WriteHash(h hash.Hash) { fmt.Fprint(h, "DropoutGrad ", o.P, o.Stream, o.ID) }

// Run32 implements Kernel.
func (o *DropoutGrad) Run32(dst []float32, src ...[]float32) {
	ref.Dropout(dst, src[0], o.P, o.State.key(o.Stream))
}

func (o *DropoutGrad) run64(dst []float64, src ...[]float64) {
	ref.Dropout(dst, src[0], o.P, o.State.key(o.Stream))
}
