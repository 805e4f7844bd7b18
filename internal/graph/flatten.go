package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// Flatten makes rows of images and puts them side by side: inputs [N, C, H, W] with the C, H and W
// of Images; output [N, Σ C·H·W], row-major. A fully connected layer on a map needs one image,
// spatial pyramid pooling one for each level.
type Flatten struct {
	N      int
	Images [][3]int // C, H, W of each input
	ID     uint32
	differentiable
}

// FlattenGrad is the derivative of Flatten with respect to one input: input dy [N, Total]; output
// [N, C, H, W], the values of each row from From on.
type FlattenGrad struct {
	ImageShape
	From, Total int
	ID          uint32
	nonDifferentiable
}

func (o *Flatten) signature() signature {
	var s signature
	total := 0
	for _, i := range o.Images {
		s.in = append(s.in, tensor.Shape{o.N, i[0], i[1], i[2]})
		total += i[0] * i[1] * i[2]
	}
	s.out = tensor.Shape{o.N, total}
	return s
}

// SymDiff returns a FlattenGrad for each input.
func (o *Flatten) SymDiff(_ gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	calls := make([]call, len(o.Images))
	from := 0
	for i, s := range o.Images {
		g := ImageShape{N: o.N, C: s[0], H: s[1], W: s[2]}
		calls[i] = on(&FlattenGrad{ImageShape: g, From: from, Total: y.Shape()[1], ID: o.ID}, dy)
		from += g.Len() / o.N
	}
	return applyAll(calls...)
}

// Run32 implements Operator.
func (o *Flatten) Run32(dst []float32, src ...[]float32) { ref.Flatten(dst, o.N, o.lens(), src...) }
func (o *Flatten) run64(dst []float64, src ...[]float64) { ref.Flatten(dst, o.N, o.lens(), src...) }

func (o *Flatten) lens() []int {
	lens := make([]int, len(o.Images))
	for i, s := range o.Images {
		lens[i] = s[0] * s[1] * s[2]
	}
	return lens
}

func (o *FlattenGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.Total}}, out: imageOf(o.ImageShape)}
}

// Run32 implements Operator.
func (o *FlattenGrad) Run32(dst []float32, src ...[]float32) {
	ref.FlattenGrad(dst, src[0], o.N, o.Total, o.From, o.Len()/o.N)
}

func (o *FlattenGrad) run64(dst []float64, src ...[]float64) {
	ref.FlattenGrad(dst, src[0], o.N, o.Total, o.From, o.Len()/o.N)
}
