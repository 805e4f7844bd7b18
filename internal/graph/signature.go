package graph

import (
	"fmt"
	"slices"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// signature is the shapes of the inputs and of the output of an operator; a scalar has the empty
// shape. Where elementwise is above 0, the operator takes so many inputs of any one shape, which is
// also that of the output.
type signature struct {
	in          []tensor.Shape
	out         tensor.Shape
	elementwise int
}

// unary is embedded in an operator on one input of any shape.
type unary struct{}

func (unary) signature() signature { return signature{elementwise: 1} }

// binary is embedded in an operator on two inputs of one shape.
type binary struct{}

func (binary) signature() signature { return signature{elementwise: 2} }

func (s signature) arity() int { return max(len(s.in), s.elementwise) }

func (s signature) fn() hm.Type {
	types := make([]hm.Type, s.arity()+1)
	for i := range types {
		switch {
		case i < len(s.in):
			types[i] = typeOf(s.in[i])
		case s.elementwise > 0:
			types[i] = hm.TypeVariable('a')
		default:
			types[i] = typeOf(s.out)
		}
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

// infer is the shape of the output for inputs of these shapes.
func (s signature) infer(in []gorgonia.DimSizer) (tensor.Shape, error) {
	got := make([]tensor.Shape, len(in))
	for i, d := range in {
		shape, ok := d.(tensor.Shape)
		if !ok {
			return nil, fmt.Errorf("input %d has no shape: %w", i, ErrShape)
		}
		got[i] = shape
	}
	if len(got) != s.arity() {
		return nil, fmt.Errorf("%d inputs, want %d: %w", len(got), s.arity(), ErrShape)
	}
	if s.elementwise > 0 {
		for _, other := range got[1:] {
			if !sameShape(other, got[0]) {
				return nil, fmt.Errorf("shapes %v and %v: %w", []int(got[0]), []int(other), ErrShape)
			}
		}
		return got[0], nil
	}
	for i, want := range s.in {
		if !sameShape(got[i], want) {
			return nil, fmt.Errorf("input %d has shape %v, want %v: %w", i, []int(got[i]), []int(want), ErrShape)
		}
	}
	return s.out, nil
}

// sameShape compares exactly: tensor.Shape.Eq takes a column for a vector and (1) for a scalar.
func sameShape(a, b tensor.Shape) bool { return slices.Equal(a, b) }
