package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// ShortcutShape is the geometry of the parameter-free shortcut, with OutH, OutW and Before.
type ShortcutShape = ref.ShortcutShape

// ShortcutPad is the parameter-free shortcut, option A of He et al. 2016, section 3.3: every
// Stride-th pixel of x [N, C, H, W], with channels of zeros to make K; output [N, K, OutH, OutW].
// With Sides, (K-C)/2 zero channels come before those of x and the rest after; otherwise all come
// after. The paper does not say which; imported weights depend on it.
type ShortcutPad struct {
	ShortcutShape
	ID uint32
	differentiable
}

// ShortcutPadGrad is the derivative of ShortcutPad: input dy; output [N, C, H, W].
type ShortcutPadGrad struct {
	ShortcutShape
	ID uint32
	nonDifferentiable
}

func shortcutX(s ShortcutShape) tensor.Shape { return tensor.Shape{s.N, s.C, s.H, s.W} }
func shortcutY(s ShortcutShape) tensor.Shape { return tensor.Shape{s.N, s.K, s.OutH(), s.OutW()} }

func (o *ShortcutPad) signature() signature {
	return signature{in: []tensor.Shape{shortcutX(o.ShortcutShape)}, out: shortcutY(o.ShortcutShape)}
}

// SymDiff returns ShortcutPadGrad.
func (o *ShortcutPad) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&ShortcutPadGrad{ShortcutShape: o.ShortcutShape, ID: o.ID}, dy))
}

// Run32 implements Operator.
func (o *ShortcutPad) Run32(dst []float32, src ...[]float32) {
	ref.ShortcutPad(dst, src[0], o.ShortcutShape)
}

func (o *ShortcutPad) run64(dst []float64, src ...[]float64) {
	ref.ShortcutPad(dst, src[0], o.ShortcutShape)
}

func (o *ShortcutPadGrad) signature() signature {
	return signature{in: []tensor.Shape{shortcutY(o.ShortcutShape)}, out: shortcutX(o.ShortcutShape)}
}

// Run32 implements Operator.
func (o *ShortcutPadGrad) Run32(dst []float32, src ...[]float32) {
	ref.ShortcutPadGrad(dst, src[0], o.ShortcutShape)
}

func (o *ShortcutPadGrad) run64(dst []float64, src ...[]float64) {
	ref.ShortcutPadGrad(dst, src[0], o.ShortcutShape)
}
