package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// PoolShape is the geometry of a pooling, with OutH and OutW.
type PoolShape = ref.PoolShape

// MaxPool is the largest value of each window: input x [N, C, H, W]; output [N, C, OutH, OutW].
// Padding never wins.
type MaxPool struct {
	PoolShape
	ID uint32
	differentiable
}

// MaxPoolGrad is the derivative of MaxPool: inputs x, dy; each dy goes to the first largest value
// of its window, in row order.
type MaxPoolGrad struct {
	PoolShape
	ID uint32
	nonDifferentiable
}

// AvgPool is the mean of each window: input x [N, C, H, W]; output [N, C, OutH, OutW]. With
// CountIncludePad the zeros of the padding count in the divisor, PyTorch's default.
type AvgPool struct {
	PoolShape
	CountIncludePad bool
	ID              uint32
	differentiable
}

// AvgPoolGrad is the derivative of AvgPool: input dy; output [N, C, H, W].
type AvgPoolGrad struct {
	PoolShape
	CountIncludePad bool
	ID              uint32
	nonDifferentiable
}

// GlobalAvgPool is the mean of each plane: input x [N, C, H, W]; output [N, C].
type GlobalAvgPool struct {
	ImageShape
	ID uint32
	differentiable
}

// GlobalAvgPoolGrad is the derivative of GlobalAvgPool: input dy [N, C]; output [N, C, H, W].
type GlobalAvgPoolGrad struct {
	ImageShape
	ID uint32
	nonDifferentiable
}

func poolX(s PoolShape) tensor.Shape { return tensor.Shape{s.N, s.C, s.H, s.W} }
func poolY(s PoolShape) tensor.Shape { return tensor.Shape{s.N, s.C, s.OutH(), s.OutW()} }

func (o *MaxPool) signature() signature {
	return signature{in: []tensor.Shape{poolX(o.PoolShape)}, out: poolY(o.PoolShape)}
}

// SymDiff returns MaxPoolGrad.
func (o *MaxPool) SymDiff(in gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&MaxPoolGrad{PoolShape: o.PoolShape, ID: o.ID}, in[0], dy))
}

// Run32 implements Operator.
func (o *MaxPool) Run32(dst []float32, src ...[]float32) { ref.MaxPool(dst, src[0], o.PoolShape) }
func (o *MaxPool) run64(dst []float64, src ...[]float64) { ref.MaxPool(dst, src[0], o.PoolShape) }

func (o *MaxPoolGrad) signature() signature {
	return signature{in: []tensor.Shape{poolX(o.PoolShape), poolY(o.PoolShape)}, out: poolX(o.PoolShape)}
}

// Run32 implements Operator.
func (o *MaxPoolGrad) Run32(dst []float32, src ...[]float32) {
	ref.MaxPoolGrad(dst, src[0], src[1], o.PoolShape)
}

func (o *MaxPoolGrad) run64(dst []float64, src ...[]float64) {
	ref.MaxPoolGrad(dst, src[0], src[1], o.PoolShape)
}

func (o *AvgPool) signature() signature {
	return signature{in: []tensor.Shape{poolX(o.PoolShape)}, out: poolY(o.PoolShape)}
}

// SymDiff returns AvgPoolGrad.
func (o *AvgPool) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&AvgPoolGrad{PoolShape: o.PoolShape, CountIncludePad: o.CountIncludePad, ID: o.ID}, dy))
}

// Run32 implements Operator.
func (o *AvgPool) Run32(dst []float32, src ...[]float32) {
	ref.AvgPool(dst, src[0], o.CountIncludePad, o.PoolShape)
}

func (o *AvgPool) run64(dst []float64, src ...[]float64) {
	ref.AvgPool(dst, src[0], o.CountIncludePad, o.PoolShape)
}

func (o *AvgPoolGrad) signature() signature {
	return signature{in: []tensor.Shape{poolY(o.PoolShape)}, out: poolX(o.PoolShape)}
}

// Run32 implements Operator.
func (o *AvgPoolGrad) Run32(dst []float32, src ...[]float32) {
	ref.AvgPoolGrad(dst, src[0], o.CountIncludePad, o.PoolShape)
}

func (o *AvgPoolGrad) run64(dst []float64, src ...[]float64) {
	ref.AvgPoolGrad(dst, src[0], o.CountIncludePad, o.PoolShape)
}

func (o *GlobalAvgPool) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: tensor.Shape{o.N, o.C}}
}

// SymDiff returns GlobalAvgPoolGrad.
func (o *GlobalAvgPool) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&GlobalAvgPoolGrad{ImageShape: o.ImageShape, ID: o.ID}, dy))
}

// Run32 implements Operator.
func (o *GlobalAvgPool) Run32(dst []float32, src ...[]float32) {
	ref.GlobalAvgPool(dst, src[0], o.ImageShape)
}

func (o *GlobalAvgPool) run64(dst []float64, src ...[]float64) {
	ref.GlobalAvgPool(dst, src[0], o.ImageShape)
}

func (o *GlobalAvgPoolGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.C}}, out: imageOf(o.ImageShape)}
}

// Run32 implements Operator.
func (o *GlobalAvgPoolGrad) Run32(dst []float32, src ...[]float32) {
	ref.GlobalAvgPoolGrad(dst, src[0], o.ImageShape)
}

func (o *GlobalAvgPoolGrad) run64(dst []float64, src ...[]float64) {
	ref.GlobalAvgPoolGrad(dst, src[0], o.ImageShape)
}
