package graph

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"strings"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Node is a node of the expression graph.
type Node = gorgonia.Node

// Mode says what a graph is for: batch normalisation and dropout depend on it.
type Mode uint8

// The modes.
const (
	Train Mode = iota // batch statistics, dropout, loss and gradients
	Eval              // running statistics, logits only
)

// String is "train" or "eval".
func (m Mode) String() string {
	if m == Eval {
		return "eval"
	}
	return "train"
}

// The sentinels of this package.
var (
	// ErrShape: the shapes of an operator's inputs do not fit it.
	ErrShape = errors.New("shape mismatch")
	// ErrParam: a parameter is there already with another shape, or used twice.
	ErrParam = errors.New("parameter conflict")
	// ErrMode: a call that the mode of the graph does not allow.
	ErrMode = errors.New("wrong mode")
	// ErrCollision: Gorgonia merged two different nodes because their 32-bit hashes are equal.
	ErrCollision = errors.New("hash collision in the graph")
)

// Kernel is an operator that can run on float32 slices without Gorgonia. All operators of this
// package are Kernels.
type Kernel interface {
	gorgonia.Op
	// Run32 computes the operator from src, the inputs in order, into dst, all row-major; scalars
	// have length 1. It allocates nothing that grows with the tensors and does not keep or change
	// src.
	Run32(dst []float32, src ...[]float32)
}

// operator is what methods.go needs of an operator for Gorgonia.
type operator interface {
	Kernel
	gorgonia.SDOp
	run64(dst []float64, src ...[]float64)
}

// signature is the shapes of the inputs and of the output of an operator of fixed shape; a scalar
// has the empty shape.
type signature struct {
	in  []tensor.Shape
	out tensor.Shape
}

func (s signature) fn() hm.Type {
	types := make([]hm.Type, 0, len(s.in)+1)
	for _, shape := range append(s.in[:len(s.in):len(s.in)], s.out) {
		types = append(types, typeOf(shape))
	}
	return hm.NewFnType(types...)
}

func typeOf(s tensor.Shape) hm.Type {
	a := hm.TypeVariable('a')
	if len(s) == 0 {
		return a
	}
	return gorgonia.TensorType{Dims: len(s), Of: a}
}

func (s signature) infer(in []gorgonia.DimSizer) (tensor.Shape, error) {
	got, err := shapes(in)
	if err != nil {
		return nil, err
	}
	if len(got) != len(s.in) {
		return nil, fmt.Errorf("%d inputs, want %d: %w", len(got), len(s.in), ErrShape)
	}
	for i, want := range s.in {
		if !sameShape(got[i], want) {
			return nil, fmt.Errorf("input %d has shape %v, want %v: %w", i, []int(got[i]), []int(want), ErrShape)
		}
	}
	return s.out, nil
}

// inferSame is the InferShape of an operator on n inputs of one shape, which is also that of the
// output.
func inferSame(n int, in []gorgonia.DimSizer) (tensor.Shape, error) {
	got, err := shapes(in)
	if err != nil {
		return nil, err
	}
	if len(got) != n {
		return nil, fmt.Errorf("%d inputs, want %d: %w", len(got), n, ErrShape)
	}
	for _, s := range got[1:] {
		if !sameShape(s, got[0]) {
			return nil, fmt.Errorf("shapes %v and %v: %w", []int(got[0]), []int(s), ErrShape)
		}
	}
	return got[0], nil
}

// fnSame is the Type of an operator on n inputs of one type, which is also that of the output.
func fnSame(n int) hm.Type {
	types := make([]hm.Type, n+1)
	for i := range types {
		types[i] = hm.TypeVariable('a')
	}
	return hm.NewFnType(types...)
}

func shapes(in []gorgonia.DimSizer) ([]tensor.Shape, error) {
	out := make([]tensor.Shape, len(in))
	for i, d := range in {
		s, ok := d.(tensor.Shape)
		if !ok {
			return nil, fmt.Errorf("input %d has no shape: %w", i, ErrShape)
		}
		out[i] = s
	}
	return out, nil
}

// sameShape compares exactly: tensor.Shape.Eq takes a column for a vector and (1) for a scalar.
func sameShape(a, b tensor.Shape) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// pure says for Gorgonia that an operator writes a value of its own and touches nothing else.
type pure struct{}

// ReturnsPtr is false: the output is a new value.
func (pure) ReturnsPtr() bool { return false }

// CallsExtern is false: an operator is plain Go.
func (pure) CallsExtern() bool { return false }

// OverwritesInput is -1: inputs are never changed.
func (pure) OverwritesInput() int { return -1 }

// flat is an operator that Gorgonia cannot differentiate: a gradient, or statistics.
type flat struct{ pure }

// DiffWRT is false for every input.
func (flat) DiffWRT(inputs int) []bool { return make([]bool, inputs) }

// SymDiff fails.
func (flat) SymDiff(gorgonia.Nodes, *Node, *Node) (gorgonia.Nodes, error) {
	return nil, errors.New("graph: no second derivatives")
}

func writeHash(h hash.Hash, o any) { fmt.Fprintf(h, "%T%+v", o, fields(o)) }

func hashcode(o gorgonia.Op) uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

func opName(o any) string { return strings.TrimPrefix(fmt.Sprintf("%T", o), "*graph.") }

// apply adds the node op(inputs...) to the graph. It fails with ErrCollision if Gorgonia returns
// another operator's node.
func apply(op gorgonia.Op, inputs ...*Node) (*Node, error) {
	n, err := gorgonia.ApplyOp(op, inputs...)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", op, unwrap(err))
	}
	if n.Op() != op {
		return nil, fmt.Errorf("%v: %w: merged into node %d", op, ErrCollision, n.ID())
	}
	return n, nil
}

// unwrap finds our error in one that Gorgonia wrapped, which says the rest less clearly.
func unwrap(err error) error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if c, ok := e.(interface{ Cause() error }); ok && errors.Is(c.Cause(), ErrShape) {
			return c.Cause()
		}
	}
	return err
}

// applyAll adds several nodes, in the order of SymDiff's results; a nil op leaves a nil node.
func applyAll(calls ...call) (gorgonia.Nodes, error) {
	out := make(gorgonia.Nodes, len(calls))
	for i, c := range calls {
		if c.op == nil {
			continue
		}
		n, err := apply(c.op, c.in...)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// call is an operator and its inputs.
type call struct {
	op gorgonia.Op
	in []*Node
}

func on(op gorgonia.Op, in ...*Node) call { return call{op, in} }
