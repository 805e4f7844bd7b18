package graph

import (
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// PyramidShape is the geometry of spatial pyramid pooling of every window of a map.
type PyramidShape = ref.PyramidShape

// PyramidWindows is spatial pyramid pooling of every window of a map, for the fully convolutional
// form in evaluation: input x [N, C, H, W]; output [N, C·Σn², H-Window+1, W-Window+1] for the
// levels n. It has no derivative; training pools the one map that there is with MaxPool.
type PyramidWindows struct {
	PyramidShape
	ID uint32
	nonDifferentiable
	perImage
}

func (o *PyramidWindows) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: tensor.Shape{o.N, o.C * o.Bins(), o.OutH(), o.OutW()}}
}

// Run32 implements Operator.
func (o *PyramidWindows) Run32(dst []float32, src ...[]float32) {
	ref.PyramidWindows(dst, src[0], o.PyramidShape)
}

func (o *PyramidWindows) run64(dst []float64, src ...[]float64) {
	ref.PyramidWindows(dst, src[0], o.PyramidShape)
}

// PyramidBins is the number of bins on a side that a pyramid's level n has on maps of size pixels:
// n where the level fits.
func PyramidBins(size, n int) int {
	if n < 1 || n > size {
		return 0
	}
	return (size-(size+n-1)/n)/(size/n) + 1
}
