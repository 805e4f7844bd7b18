package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// DropPath zeroes whole images of a residual branch with probability P and scales the others by
// 1/(1-P): stochastic depth (Huang et al. 2016), in the form of torchvision's StochasticDepth by
// rows and timm's DropPath. It and its derivative are one function; masks are Dropout's.
type DropPath struct {
	ImageShape
	P      float64
	Stream uint64
	ID     uint32
	State  *DropoutState
	differentiable
}

// DropPathGrad is the derivative of DropPath: input dy, through the same mask.
type DropPathGrad struct {
	ImageShape
	P      float64
	Stream uint64
	ID     uint32
	State  *DropoutState
	nonDifferentiable
}

func (o *DropPath) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: imageOf(o.ImageShape)}
}

func (o *DropPathGrad) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: imageOf(o.ImageShape)}
}

// SymDiff returns DropPathGrad.
func (o *DropPath) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&DropPathGrad{ImageShape: o.ImageShape, P: o.P, Stream: o.Stream, ID: o.ID, State: o.State}, dy))
}

// Run32 implements Operator.
func (o *DropPath) Run32(dst []float32, src ...[]float32) {
	ref.DropImages(dst, src[0], o.N, o.P, o.State.Key(o.Stream), 0)
}

func (o *DropPath) run64(dst []float64, src ...[]float64) {
	ref.DropImages(dst, src[0], o.N, o.P, o.State.Key(o.Stream), 0)
}

// Run32 implements Operator.
func (o *DropPathGrad) Run32(dst []float32, src ...[]float32) {
	ref.DropImages(dst, src[0], o.N, o.P, o.State.Key(o.Stream), 0)
}

func (o *DropPathGrad) run64(dst []float64, src ...[]float64) {
	ref.DropImages(dst, src[0], o.N, o.P, o.State.Key(o.Stream), 0)
}

// DropPath drops a residual branch x [N, C, H, W] of single images with probability p, 0 <= p < 1,
// in Train mode; in Eval mode it is x.
func (b *Builder) DropPath(x *Node, p float64) *Node {
	if !(p >= 0 && p < 1) {
		return b.fail("droppath", fmt.Errorf("probability %v; it must be at least 0 and less than 1", p))
	}
	s, ok := b.image("droppath", x)
	if !ok || b.mode == Eval || p == 0 {
		return x
	}
	if b.dropout == nil {
		b.dropout = &DropoutState{Seed: b.opts.DropoutSeed}
	}
	id := b.id()
	return b.add("droppath", &DropPath{ImageShape: s, P: p, Stream: uint64(id), ID: id, State: b.dropout}, x)
}
