package graph

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// do runs an operator on Gorgonia's values into a new one. It recovers panics, since the tape
// machine runs in a goroutine of its own where nobody else could.
func do(o operator, in []gorgonia.Value) (out gorgonia.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("graph: %v: %v", o, r)
		}
	}()
	sizes := make([]gorgonia.DimSizer, len(in))
	for i, v := range in {
		if v == nil {
			return nil, fmt.Errorf("graph: %v: input %d has no value", o, i)
		}
		sizes[i] = v.Shape()
	}
	shape, err := o.InferShape(sizes...)
	if err != nil {
		return nil, fmt.Errorf("graph: %v: %w", o, err)
	}
	switch in[0].Dtype() {
	case tensor.Float32:
		return run(in, shape, o.Run32, func(v float32) gorgonia.Value { return gorgonia.NewF32(v) })
	case tensor.Float64:
		return run(in, shape, o.run64, func(v float64) gorgonia.Value { return gorgonia.NewF64(v) })
	}
	return nil, fmt.Errorf("graph: %v: element type %v, want float32 or float64", o, in[0].Dtype())
}

func run[T float32 | float64](in []gorgonia.Value, shape tensor.Shape, f func([]T, ...[]T), scalar func(T) gorgonia.Value) (gorgonia.Value, error) {
	src := make([][]T, len(in))
	for i, v := range in {
		s, err := elements[T](v)
		if err != nil {
			return nil, fmt.Errorf("graph: input %d: %w", i, err)
		}
		src[i] = s
	}
	dst := make([]T, shape.TotalSize())
	if len(shape) == 0 {
		dst = make([]T, 1)
	}
	f(dst, src...)
	if len(shape) == 0 {
		return scalar(dst[0]), nil
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(dst)), nil
}

// elements returns the row-major elements of a value; a scalar has one. The slice of a tensor is
// its memory.
func elements[T float32 | float64](v gorgonia.Value) ([]T, error) {
	switch d := v.Data().(type) {
	case []T:
		if t, ok := v.(tensor.Tensor); ok && t.RequiresIterator() {
			return nil, fmt.Errorf("a view with strides %v, want row-major: %w", t.Strides(), ErrShape)
		}
		return d, nil
	case T:
		return []T{d}, nil
	}
	return nil, fmt.Errorf("elements are %T, want %T", v.Data(), []T(nil))
}

// fields is the struct that an operator points to: printing it prints the fields, where the pointer
// has a String method.
func fields(o any) any { return reflect.ValueOf(o).Elem().Interface() }
