package graph

import (
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"reflect"
	"strings"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// adapter is an Operator as Gorgonia wants it: the methods of gorgonia.Op that are the same for
// all.
type adapter struct {
	Operator
	// key identifies the operator: the type's name and the value of every exported field.
	key string
}

// AsOp is an operator as Gorgonia's. Apply uses it; tests look at the hash.
func AsOp(op Operator) gorgonia.SDOp { return adapt(op) }

// OpOf is the operator of a node. It is nil for the inputs of a graph, and for what Gorgonia
// inserts itself: see IsSum and IsOne.
func OpOf(n *Node) Operator {
	if a, ok := n.Op().(*adapter); ok {
		return a.Operator
	}
	return nil
}

func adapt(op Operator) *adapter {
	v := reflect.ValueOf(op).Elem()
	var key strings.Builder
	key.WriteString(v.Type().Name())
	for _, f := range reflect.VisibleFields(v.Type()) {
		// A pointer is state that the operators of a graph share; an embedded struct's fields come
		// one by one.
		if f.IsExported() && !f.Anonymous && f.Type.Kind() != reflect.Pointer {
			fmt.Fprintf(&key, " %s=%v", f.Name, v.FieldByIndex(f.Index))
		}
	}
	return &adapter{op, key.String()}
}

// Arity is the number of inputs.
func (a *adapter) Arity() int { return a.signature().arity() }

// Type is that of the inputs and the output.
func (a *adapter) Type() hm.Type { return a.signature().fn() }

// InferShape checks the shapes of the inputs and returns that of the output.
func (a *adapter) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return a.signature().infer(in)
}

// ReturnsPtr is false: the output is a new value.
func (a *adapter) ReturnsPtr() bool { return false }

// CallsExtern is false: an operator is plain Go.
func (a *adapter) CallsExtern() bool { return false }

// OverwritesInput is -1: inputs are never changed.
func (a *adapter) OverwritesInput() int { return -1 }

// WriteHash covers every exported field.
func (a *adapter) WriteHash(h hash.Hash) { _, _ = io.WriteString(h, a.key) }

// Hashcode is the hash of WriteHash.
func (a *adapter) Hashcode() uint32 {
	h := fnv.New32a()
	a.WriteHash(h)
	return h.Sum32()
}

// String is the name of the operator's type.
func (a *adapter) String() string { return reflect.TypeOf(a.Operator).Elem().Name() }

// Do runs the operator on Gorgonia's values into a new one. It recovers panics, since the tape
// machine runs in a goroutine of its own where nobody else could.
func (a *adapter) Do(in ...gorgonia.Value) (out gorgonia.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("graph: %v: %v", a, r)
		}
	}()
	sizes := make([]gorgonia.DimSizer, len(in))
	for i, v := range in {
		if v == nil {
			return nil, fmt.Errorf("graph: %v: input %d has no value", a, i)
		}
		sizes[i] = v.Shape()
	}
	shape, err := a.InferShape(sizes...)
	if err != nil {
		return nil, fmt.Errorf("graph: %v: %w", a, err)
	}
	switch in[0].Dtype() {
	case tensor.Float32:
		return run(in, shape, a.Run32, func(v float32) gorgonia.Value { return gorgonia.NewF32(v) })
	case tensor.Float64:
		return run(in, shape, a.run64, func(v float64) gorgonia.Value { return gorgonia.NewF64(v) })
	}
	return nil, fmt.Errorf("graph: %v: element type %v, want float32 or float64", a, in[0].Dtype())
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
