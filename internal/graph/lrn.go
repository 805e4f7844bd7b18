package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// LRNShape is the geometry and the constants of local response normalisation.
type LRNShape = ref.LRNShape

// LRN is local response normalisation across channels (Krizhevsky et al. 2012, section 3.3), as
// Caffe and PyTorch have it: input x [N, C, H, W]; output y_c = x_c · (Bias + Alpha/Size · Σ
// x_j²)^-Beta, where j goes over the Size channels around c.
type LRN struct {
	LRNShape
	ID uint32
	differentiable
}

// LRNGrad is the derivative of LRN: inputs x, dy; output [N, C, H, W].
type LRNGrad struct {
	LRNShape
	ID uint32
	nonDifferentiable
}

func (o *LRN) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: imageOf(o.ImageShape)}
}

// SymDiff returns LRNGrad.
func (o *LRN) SymDiff(in gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&LRNGrad{LRNShape: o.LRNShape, ID: o.ID}, in[0], dy))
}

// Run32 implements Operator.
func (o *LRN) Run32(dst []float32, src ...[]float32) { ref.LRN(dst, src[0], o.LRNShape) }
func (o *LRN) run64(dst []float64, src ...[]float64) { ref.LRN(dst, src[0], o.LRNShape) }

func (o *LRNGrad) signature() signature {
	x := imageOf(o.ImageShape)
	return signature{in: []tensor.Shape{x, x}, out: x}
}

// Run32 implements Operator.
func (o *LRNGrad) Run32(dst []float32, src ...[]float32) {
	ref.LRNGrad(dst, src[0], src[1], o.LRNShape)
}

func (o *LRNGrad) run64(dst []float64, src ...[]float64) {
	ref.LRNGrad(dst, src[0], src[1], o.LRNShape)
}
