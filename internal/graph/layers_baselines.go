package graph

import (
	"fmt"
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

// Flatten makes a row of each image, and puts those of several images [N, C, H, W] side by side: [N, Σ C·H·W].
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
