package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// Add is y = a + b, for two inputs of one shape. Its derivative is dy itself for both, without a
// node; where a tensor is used more than once, Gorgonia's own Add sums the gradients.
type Add struct {
	ID uint32
	differentiable
	binary
}

// SymDiff returns dy for both inputs.
func (o *Add) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{dy, dy}, nil
}

// Run32 implements Operator.
func (o *Add) Run32(dst []float32, src ...[]float32) { ref.Add(dst, src[0], src[1]) }
func (o *Add) run64(dst []float64, src ...[]float64) { ref.Add(dst, src[0], src[1]) }

// Concat joins images along their channels: inputs [N, Channels[i], H, W]; output [N, ΣChannels, H,
// W].
type Concat struct {
	N, H, W  int
	Channels []int
	ID       uint32
	differentiable
}

// ConcatGrad is the derivative of Concat with respect to one input: input dy [N, C, H, W], with C
// the channels of all; output the channels [From, To) of it.
type ConcatGrad struct {
	ImageShape
	From, To int
	ID       uint32
	nonDifferentiable
}

func (o *Concat) signature() signature {
	var s signature
	total := 0
	for _, c := range o.Channels {
		s.in = append(s.in, tensor.Shape{o.N, c, o.H, o.W})
		total += c
	}
	s.out = tensor.Shape{o.N, total, o.H, o.W}
	return s
}

// SymDiff returns a ConcatGrad for each input.
func (o *Concat) SymDiff(_ gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	all := ImageShape{N: o.N, C: y.Shape()[1], H: o.H, W: o.W}
	calls := make([]call, len(o.Channels))
	from := 0
	for i, c := range o.Channels {
		calls[i] = on(&ConcatGrad{ImageShape: all, From: from, To: from + c, ID: o.ID}, dy)
		from += c
	}
	return applyAll(calls...)
}

// Run32 implements Operator.
func (o *Concat) Run32(dst []float32, src ...[]float32) {
	ref.Concat(dst, o.N, o.H*o.W, o.Channels, src...)
}

func (o *Concat) run64(dst []float64, src ...[]float64) {
	ref.Concat(dst, o.N, o.H*o.W, o.Channels, src...)
}

func (o *ConcatGrad) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: tensor.Shape{o.N, o.To - o.From, o.H, o.W}}
}

// Run32 implements Operator.
func (o *ConcatGrad) Run32(dst []float32, src ...[]float32) {
	ref.ConcatGrad(dst, src[0], o.ImageShape, o.From, o.To)
}

func (o *ConcatGrad) run64(dst []float64, src ...[]float64) {
	ref.ConcatGrad(dst, src[0], o.ImageShape, o.From, o.To)
}
