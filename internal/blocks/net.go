package blocks

import "resnet/internal/graph"

// net is what a block needs to draw itself, with T a place in the drawing: builderNet makes graph
// nodes of it, tracer a list of layers. Convolutions have "same" padding, (kernel-1)/2; those of
// blocks have no bias (batch normalisation follows each).
type net[T any] interface {
	In(scope string) net[T]
	Conv(name string, x T, o convOpts) T
	BatchNorm(name string, x T) T
	ReLU(x T) T
	Add(a, b T) T
	ShortcutPad(x T, filters, stride int, sides bool) T
	MaxPool(name string, x T, o graph.PoolOpts) T
	GlobalAvgPool(x T) T
	Linear(name string, x T, units int) T

	// What the nets of Block Sequence need besides.

	PReLU(name string, x T) T
	LRN(name string, x T, o graph.LRNOpts) T
	AvgPool(name string, x T, o graph.PoolOpts) T
	Flatten(x T) T
	Pyramid(name string, x T, levels []int) T
	Dropout(name string, x T, rate float64) T
	Concat(xs ...T) T
	// Auxiliary draws a classifier on the way in the scope name; weight is that of its loss.
	Auxiliary(name string, weight float64, draw func(net[T]) T)
}

// convOpts are a convolution's choices.
type convOpts struct {
	filters, kernel, stride int
	bias                    bool
}
