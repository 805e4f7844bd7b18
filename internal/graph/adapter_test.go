package graph

import (
	"errors"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestOperatorErrorsInsteadOfPanics(t *testing.T) {
	x := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(make([]float32, 4)))
	noState := &Dropout{P: 0.5}
	if _, err := AsOp(noState).Do(x); err == nil || !strings.Contains(err.Error(), "Dropout") {
		t.Errorf("got %v", err)
	}
	if _, err := AsOp(&Linear{N: 2, C: 3, K: 1}).Do(x, x); !errors.Is(err, ErrShape) {
		t.Errorf("got %v", err)
	}
	view, err := x.Slice(nil, gorgonia.S(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AsOp(&ReLU{}).Do(view); !errors.Is(err, ErrShape) {
		t.Errorf("a strided view: %v", err)
	}
	ints := tensor.New(tensor.WithShape(2), tensor.WithBacking([]int{1, 2}))
	if _, err := AsOp(&ReLU{}).Do(ints); err == nil || !strings.Contains(err.Error(), "element type") {
		t.Errorf("integers: %v", err)
	}
	if _, err := AsOp(&ReLU{}).Do(nil); err == nil || !strings.Contains(err.Error(), "ReLU: input 0 has no value") {
		t.Errorf("no value: %v", err)
	}
}

// Apply says what does not fit, without what Gorgonia puts around it.
func TestApplyFailsWithTheShapesAlone(t *testing.T) {
	b := NewBuilder("net", Train, NewParamSet(1), Options{})
	x := b.GlobalAvgPool(b.Input(2, 3, 4, 4))
	for _, c := range []struct {
		op   Operator
		in   []*Node
		want string
	}{
		{&Linear{N: 2, C: 5, K: 3}, []*Node{x, x}, "Linear: input 0 has shape [2 3], want [2 5]: shape mismatch"},
		{&Linear{N: 2, C: 3, K: 3}, []*Node{x, x}, "Linear: input 1 has shape [2 3], want [3 3]: shape mismatch"},
	} {
		if _, err := Apply(c.op, c.in...); err == nil || err.Error() != c.want || !errors.Is(err, ErrShape) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	if _, err := Apply(&Add{ID: 1}, x, b.input); err == nil {
		t.Error("a matrix was added to images")
	}
	if _, err := (signature{elementwise: 2}).infer([]gorgonia.DimSizer{tensor.Shape{2}, tensor.Shape{3}}); err == nil || err.Error() != "shapes [2] and [3]: shape mismatch" {
		t.Errorf("got %v", err)
	}
	if _, err := (signature{elementwise: 2}).infer([]gorgonia.DimSizer{tensor.Shape{2}}); err == nil || err.Error() != "1 inputs, want 2: shape mismatch" {
		t.Errorf("got %v", err)
	}
	// A vector is no column, and no scalar.
	for _, other := range []tensor.Shape{{3, 1}, {1, 3}, {}, {3, 3}} {
		if sameShape(tensor.Shape{3}, other) || sameShape(other, tensor.Shape{3}) {
			t.Errorf("[3] and %v are taken for the same", []int(other))
		}
	}
}
