package conv

import (
	"fmt"

	"resnet/internal/graph/kernel"
)

const block = 16

func blocks(c int) int { return (c + block - 1) / block }

// Shape is the geometry of a convolution, without the batch.
type Shape struct {
	C, K, H, W, R, S, Stride, PadH, PadW int
	StrideW                              int // of columns; 0 means Stride
	End                                  int // zeros at the end besides PadH and PadW
	// Groups divide the channels: an output sees those of its own group alone. 0 means 1.
	Groups int
}

// GroupChannels is the number of input channels that an output sees.
func (s Shape) GroupChannels() int { return s.C / max(1, s.Groups) }

// ColStride is the stride of columns.
func (s Shape) ColStride() int {
	if s.StrideW > 0 {
		return s.StrideW
	}
	return s.Stride
}

// OH is the number of output rows.
func (s Shape) OH() int { return (s.H+2*s.PadH+s.End-s.R)/s.Stride + 1 }

// OW is the number of output columns.
func (s Shape) OW() int { return (s.W+2*s.PadW+s.End-s.S)/s.ColStride() + 1 }

// MACs is the number of multiply-adds of one image by the direct method.
func (s Shape) MACs() int64 {
	return int64(s.GroupChannels()) * int64(s.K) * int64(s.R) * int64(s.S) * int64(s.OH()) * int64(s.OW())
}

// Operations are those of one pass over so many images by the direct method, two for each
// multiply-add.
func (s Shape) Operations(images int) int64 { return 2 * s.MACs() * int64(images) }

// InLen is the number of float32 values of one blocked input image; OutLen of one output image.
func (s Shape) InLen() int { return blocks(s.C) * s.H * s.W * block }

// OutLen is the number of float32 values of one blocked output image.
func (s Shape) OutLen() int { return blocks(s.K) * s.OH() * s.OW() * block }

// WeightLen is the number of weights in [K, C, R, S].
func (s Shape) WeightLen() int { return s.K * s.GroupChannels() * s.R * s.S }

// String is the shape as bench and messages show it: "16->32 32x32 kernel 3x3 stride 2", in groups
// with ", 4 groups".
func (s Shape) String() string {
	if groups := s.Groups; groups > 1 {
		s.Groups = 0
		return fmt.Sprintf("%s, %d groups", s.String(), groups)
	}
	if s.ColStride() != s.Stride {
		return fmt.Sprintf("%d->%d %dx%d kernel %dx%d stride %dx%d", s.C, s.K, s.H, s.W, s.R, s.S, s.Stride, s.ColStride())
	}
	return fmt.Sprintf("%d->%d %dx%d kernel %dx%d stride %d", s.C, s.K, s.H, s.W, s.R, s.S, s.Stride)
}

// Supported reports whether the kernels take this shape: padding smaller than the kernel and not
// both empty.
func (s Shape) Supported() bool {
	g := max(1, s.Groups)
	return s.PadH+s.End < s.R && s.PadW+s.End < s.S && s.OH() > 0 && s.OW() > 0 && s.C%g == 0 && s.K%g == 0
}

// Algorithm is a way to compute a convolution.
type Algorithm uint8

// The algorithms.
const (
	Direct Algorithm = iota
	Winograd
	Grouped // direct, each group by itself: the only one of groups
	BF16    // direct, of bfloat16 values with float32 sums
)

// String is "direct", "winograd", "grouped" or "bfloat16".
func (a Algorithm) String() string {
	return [...]string{"direct", "winograd", "grouped", "bfloat16"}[a]
}

// CanWinograd reports whether F(4×4, 3×3) applies.
func (s Shape) CanWinograd() bool {
	return s.R == 3 && s.S == 3 && s.Stride == 1 && s.ColStride() == 1 && s.PadH <= 2 && s.PadW <= 2 && s.End == 0 && s.Groups <= 1 && s.Supported()
}

// Work is one worker's argument structs and buffers, of the largest Need among the convolutions
// that it runs.
type Work struct {
	tile   kernel.Tile
	grad   kernel.GradTile
	group  kernel.GroupTile
	groupG kernel.GroupGrad
	trans  kernel.Transform
	Affine kernel.Affine
	v, m   []float32
	edge   []float32
	out    []float32 // some pixels of one block of a result
	taps   []int

	bf16Tile   kernel.BF16Tile
	bf16Grad   kernel.BF16Grad
	joined     kernel.Joined
	transposed kernel.Transposed
	gathered   kernel.Gathered
	mixed      kernel.Mixed
	bf16       []kernel.BFloat16 // rounded images
	at         []int
}

// Need is the scratch that a convolution wants of a Work, in float32 values, and in values of
// bfloat16.
type Need struct{ V, M, Edge, Out, BF16 int }

// Max returns the larger of each need.
func (n Need) Max(o Need) Need {
	return Need{max(n.V, o.V), max(n.M, o.M), max(n.Edge, o.Edge), max(n.Out, o.Out), max(n.BF16, o.BF16)}
}

// Bytes is the memory of a Work that satisfies the need.
func (n Need) Bytes() int64 { return 4*int64(n.V+n.M+n.Edge+n.Out) + 2*int64(n.BF16) }

// NewWork allocates scratch.
func NewWork(n Need) *Work {
	return &Work{
		v: kernel.Alloc(n.V), m: kernel.Alloc(n.M), edge: kernel.Alloc(n.Edge), out: kernel.Alloc(n.Out), taps: make([]int, 0, 128),
		bf16: kernel.BFloat16s(kernel.Alloc((n.BF16 + 1) / 2)), at: make([]int, 0, 128),
	}
}
