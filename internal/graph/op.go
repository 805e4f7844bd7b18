package graph

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
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

// Operator is what each operator of this package says of itself: its shapes, its derivative and its
// loops. It is a pointer to a struct, which is not changed once Apply has made a node of it.
type Operator interface {
	// Run32 computes the operator from src, the inputs in order, into dst, all row-major; scalars
	// have length 1. It allocates nothing that grows with the tensors and does not keep or change
	// src.
	Run32(dst []float32, src ...[]float32)
	// DiffWRT says for which inputs there is a derivative.
	DiffWRT(inputs int) []bool
	// SymDiff adds the nodes of the derivatives with respect to the inputs to the graph, given that
	// with respect to the output; nil where DiffWRT is false.
	SymDiff(inputs gorgonia.Nodes, output, grad *Node) (gorgonia.Nodes, error)

	signature() signature
	run64(dst []float64, src ...[]float64)
}

// differentiable is embedded in an operator that has a derivative for every input.
type differentiable struct{}

// DiffWRT is true for every input.
func (differentiable) DiffWRT(inputs int) []bool {
	d := make([]bool, inputs)
	for i := range d {
		d[i] = true
	}
	return d
}

// nonDifferentiable is embedded in an operator that has no derivative: a gradient, or statistics.
type nonDifferentiable struct{}

// DiffWRT is false for every input.
func (nonDifferentiable) DiffWRT(inputs int) []bool { return make([]bool, inputs) }

// SymDiff fails.
func (nonDifferentiable) SymDiff(gorgonia.Nodes, *Node, *Node) (gorgonia.Nodes, error) {
	return nil, errors.New("graph: no second derivatives")
}

// Apply adds the node op(inputs...) to the graph. It fails with ErrShape if the inputs do not fit,
// and with ErrCollision if Gorgonia returns another operator's node.
func Apply(op Operator, inputs ...*Node) (*Node, error) {
	a := adapt(op)
	n, err := gorgonia.ApplyOp(a, inputs...)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", a, unwrap(err))
	}
	if n.Op() != gorgonia.Op(a) {
		return nil, fmt.Errorf("%v: %w: merged into node %d", a, ErrCollision, n.ID())
	}
	return n, nil
}

// unwrap finds our error in one that Gorgonia wrapped, which says the rest less clearly.
func unwrap(err error) error {
	e := err
	for {
		c, ok := e.(interface{ Cause() error })
		if !ok {
			break
		}
		e = c.Cause()
	}
	if errors.Is(e, ErrShape) {
		return e
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
		n, err := Apply(c.op, c.in...)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// call is an operator and its inputs.
type call struct {
	op Operator
	in []*Node
}

func on(op Operator, in ...*Node) call { return call{op, in} }
