package graph

import (
	"fmt"
	"math"
)

// LRNOpts are the constants of a local response normalisation.
type LRNOpts struct {
	Size        int // channels in a window
	Alpha, Beta float64
	Bias        float64 // k of the formula
}

// LRN is local response normalisation across channels: see the operator.
func (b *Builder) LRN(name string, x *Node, o LRNOpts) *Node {
	s, ok := b.image(name, x)
	if !ok {
		return nil
	}
	if o.Size < 1 || !(o.Bias > 0) || !(o.Alpha >= 0) || !(o.Beta >= 0) {
		return b.fail(name, fmt.Errorf("%+v: size must be at least 1, bias above 0, alpha and beta not negative: %w", o, ErrShape))
	}
	return b.add(name, &LRN{LRNShape: LRNShape{ImageShape: s, Size: o.Size, Alpha: o.Alpha, Beta: o.Beta, Bias: o.Bias}, ID: b.id()}, x)
}

// Flatten makes a row of each image, and puts those of several images [N, C, H, W] side by side:
// [N, Σ C·H·W].
func (b *Builder) Flatten(xs ...*Node) *Node {
	if len(xs) == 0 {
		return b.fail("flatten", fmt.Errorf("no inputs: %w", ErrShape))
	}
	op := &Flatten{}
	for i, x := range xs {
		s, ok := b.image("flatten", x)
		if !ok {
			return nil
		}
		if i == 0 {
			op.N = s.N
		} else if s.N != op.N {
			return b.fail("flatten", fmt.Errorf("shapes %v and %v: %w", []int(xs[0].Shape()), []int(x.Shape()), ErrShape))
		}
		op.Images = append(op.Images, [3]int{s.C, s.H, s.W})
	}
	op.ID = b.id()
	return b.add("flatten", op, xs...)
}

// Pyramid is spatial pyramid pooling (He et al. 2014, arXiv:1406.4729, section 2.3): for each level
// n, max pooling of the map to n x n bins, with windows of ceil(side/n) pixels and strides of
// floor(side/n); the levels side by side as rows [N, C·Σn²]. It fails where a level does not come
// out as n x n.
func (b *Builder) Pyramid(x *Node, levels []int) *Node {
	s, ok := b.image("pyramid", x)
	if !ok {
		return nil
	}
	var pooled []*Node
	for _, n := range levels {
		if s.H != s.W || PyramidBins(s.H, n) != n {
			return b.fail("pyramid", fmt.Errorf("a %dx%d map has no level of %dx%d: %w", s.H, s.W, n, n, ErrShape))
		}
		pooled = append(pooled, b.MaxPool(x, PoolOpts{Kernel: (s.H + n - 1) / n, Stride: s.H / n}))
	}
	return b.Flatten(pooled...)
}

// PyramidWindows is Pyramid of every window of so many pixels a side, in Eval mode: [N, C·Σn²,
// H-window+1, W-window+1].
func (b *Builder) PyramidWindows(x *Node, window int, levels []int) *Node {
	s, ok := b.image("pyramid", x)
	if !ok {
		return nil
	}
	op := &PyramidWindows{PyramidShape: PyramidShape{ImageShape: s, Window: window, Levels: levels}, ID: b.id()}
	for _, n := range levels {
		if window < 1 || window > min(s.H, s.W) || PyramidBins(window, n) != n {
			return b.fail("pyramid", fmt.Errorf("a window of %d on a %dx%d map has no level of %dx%d: %w", window, s.H, s.W, n, n, ErrShape))
		}
	}
	return b.add("pyramid", op, x)
}

// LinearConv is Linear at every position of a map x [N, C, H, W]: a convolution, unpadded, whose
// filters are the rows of the weights [units, C·kernel²] of a fully connected layer on flattened C
// x kernel x kernel maps. The parameters are those of Linear.
func (b *Builder) LinearConv(name string, x *Node, units, kernel int) *Node {
	s, ok := b.image(name, x)
	if !ok {
		return nil
	}
	if units < 1 || kernel < 1 || kernel > min(s.H, s.W) {
		return b.fail(name, fmt.Errorf("%d units on windows of %d of a %dx%d map: %w", units, kernel, s.H, s.W, ErrShape))
	}
	g := ConvShape{N: s.N, C: s.C, H: s.H, W: s.W, K: units, R: kernel, S: kernel, Stride: 1}
	in, features := b.In(name), s.C*kernel*kernel
	bound := 1 / math.Sqrt(float64(features))
	w := in.view("weight", KindWeight, []int{units, features}, []int{units, s.C, kernel, kernel}, uniform(bound))
	bias := in.param("bias", KindBias, []int{units}, uniform(bound))
	return b.add(name, &Conv{ConvShape: g, Bias: true, Leaf: x == b.input, ID: b.id()}, x, w, bias)
}
