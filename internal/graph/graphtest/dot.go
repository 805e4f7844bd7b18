package graphtest

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// dot is Σ v·y, a scalar: the cost that turns the derivative with respect to y into v.
type dot struct{ dims int }

func (d *dot) Arity() int { return 2 }

func (d *dot) Type() hm.Type {
	a := hm.TypeVariable('a')
	if d.dims == 0 {
		return hm.NewFnType(a, a, a)
	}
	in := gorgonia.TensorType{Dims: d.dims, Of: a}
	return hm.NewFnType(in, in, a)
}

func (d *dot) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (d *dot) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	y, v := data(in[0]), data(in[1])
	if len(y) != len(v) {
		return nil, errors.New("dot: lengths differ")
	}
	var sum float64
	for i := range y {
		sum += y[i] * v[i]
	}
	return value(in[0].Dtype(), nil, []float64{sum}), nil
}

func (d *dot) ReturnsPtr() bool      { return false }
func (d *dot) CallsExtern() bool     { return false }
func (d *dot) OverwritesInput() int  { return -1 }
func (d *dot) WriteHash(h hash.Hash) { fmt.Fprint(h, "dot", d.dims) }
func (d *dot) String() string        { return "dot" }

func (d *dot) Hashcode() uint32 {
	h := fnv.New32a()
	d.WriteHash(h)
	return h.Sum32()
}

func (d *dot) DiffWRT(int) []bool { return []bool{true, false} }

// SymDiff returns v itself: the cost is the end of the graph, so the gradient that comes in is 1.
func (d *dot) SymDiff(in gorgonia.Nodes, _, _ *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{in[1], nil}, nil
}

// value makes a value of Gorgonia; an empty shape makes a scalar.
func value(dtype tensor.Dtype, shape tensor.Shape, v []float64) gorgonia.Value {
	if dtype == tensor.Float64 {
		if len(shape) == 0 {
			return gorgonia.NewF64(v[0])
		}
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(append([]float64(nil), v...)))
	}
	narrow := make([]float32, len(v))
	for i, f := range v {
		narrow[i] = float32(f)
	}
	if len(shape) == 0 {
		return gorgonia.NewF32(narrow[0])
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(narrow))
}

// data returns the elements of a value in float64.
func data(v gorgonia.Value) []float64 {
	switch d := v.Data().(type) {
	case []float64:
		return d
	case float64:
		return []float64{d}
	}
	narrow := floats(v)
	out := make([]float64, len(narrow))
	for i, f := range narrow {
		out[i] = float64(f)
	}
	return out
}

// floats returns the elements of a float32 value.
func floats(v gorgonia.Value) []float32 {
	switch d := v.Data().(type) {
	case []float32:
		return d
	case float32:
		return []float32{d}
	}
	panic(fmt.Sprintf("graphtest: elements of type %T", v.Data()))
}
