package graph

import (
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The methods of gorgonia.Op (see methods.go) for the operators that the baselines of the paper's
// tables need.

func (o *LRN) Arity() int    { return len(o.signature().in) }
func (o *LRN) Type() hm.Type { return o.signature().fn() }
func (o *LRN) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *LRN) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *LRN) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *LRN) Hashcode() uint32                                { return hashcode(o) }
func (o *LRN) String() string                                  { return opName(o) }

func (o *LRNGrad) Arity() int    { return len(o.signature().in) }
func (o *LRNGrad) Type() hm.Type { return o.signature().fn() }
func (o *LRNGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *LRNGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *LRNGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *LRNGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *LRNGrad) String() string                                  { return opName(o) }

func (o *Flatten) Arity() int    { return len(o.signature().in) }
func (o *Flatten) Type() hm.Type { return o.signature().fn() }
func (o *Flatten) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *Flatten) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Flatten) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *Flatten) Hashcode() uint32                                { return hashcode(o) }
func (o *Flatten) String() string                                  { return opName(o) }

func (o *FlattenGrad) Arity() int    { return len(o.signature().in) }
func (o *FlattenGrad) Type() hm.Type { return o.signature().fn() }
func (o *FlattenGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FlattenGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FlattenGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *FlattenGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *FlattenGrad) String() string                                  { return opName(o) }

func (o *PyramidWindows) Arity() int    { return len(o.signature().in) }
func (o *PyramidWindows) Type() hm.Type { return o.signature().fn() }
func (o *PyramidWindows) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *PyramidWindows) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *PyramidWindows) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *PyramidWindows) Hashcode() uint32                                { return hashcode(o) }
func (o *PyramidWindows) String() string                                  { return opName(o) }
