package ref

// ImageShape is the shape [N, C, H, W] of a batch of images or feature maps.
type ImageShape struct{ N, C, H, W int }

// Len is the number of elements.
func (s ImageShape) Len() int { return s.N * s.C * s.H * s.W }

// Area is the number of pixels of a plane, H*W.
func (s ImageShape) Area() int { return s.H * s.W }

// ConvShape is the geometry of a convolution of x [N, C, H, W] with w [K, C, R, S] to y [N, K,
// OutH, OutW].
type ConvShape struct {
	N, C, H, W int
	K, R, S    int
	Stride     int // of rows, and of columns unless StrideW says otherwise
	StrideW    int // of columns; 0 means Stride
	PadH, PadW int // zeros on each side
	// End is rows and columns of zeros at the end of x besides.
	End int
	// Groups divide the channels: an output sees those of its own group alone, and w is [K,
	// C/Groups, R, S]. 0 means 1.
	Groups int
}

// GroupChannels is the number of input channels that an output sees.
func (s ConvShape) GroupChannels() int { return s.C / max(1, s.Groups) }

// firstChannel is the first input channel that output k sees.
func (s ConvShape) firstChannel(k int) int {
	if s.Groups <= 1 {
		return 0
	}
	return k / (s.K / s.Groups) * s.GroupChannels()
}

// OutH is the height of the output, floor((H + 2P + E - R) / U) + 1.
func (s ConvShape) OutH() int { return (s.H+2*s.PadH+s.End-s.R)/s.Stride + 1 }

// OutW is the width of the output, floor((W + 2P + E - S) / U) + 1.
func (s ConvShape) OutW() int { return (s.W+2*s.PadW+s.End-s.S)/s.ColStride() + 1 }

// ColStride is the stride of columns.
func (s ConvShape) ColStride() int {
	if s.StrideW > 0 {
		return s.StrideW
	}
	return s.Stride
}

// PoolShape is the geometry of a pooling of x [N, C, H, W] to y [N, C, OutH, OutW] over square
// windows.
type PoolShape struct {
	N, C, H, W          int
	Kernel, Stride, Pad int
	// Ceil rounds the output size up, so that a last, partial window sees the border; it must start
	// inside the image or its leading padding, as in PyTorch.
	Ceil bool
}

// OutH is the height of the output.
func (s PoolShape) OutH() int { return s.out(s.H) }

// OutW is the width of the output.
func (s PoolShape) OutW() int { return s.out(s.W) }

func (s PoolShape) out(size int) int {
	span := size + 2*s.Pad - s.Kernel
	if !s.Ceil {
		return span/s.Stride + 1
	}
	o := (span+s.Stride-1)/s.Stride + 1
	if (o-1)*s.Stride >= size+s.Pad {
		o--
	}
	return o
}

// window returns the part [lo, hi) of an axis that output o covers, and the length of the window
// including padding, which ends with the padding on the far side.
func (s PoolShape) window(o, size int) (lo, hi, padded int) {
	lo = o*s.Stride - s.Pad
	hi = min(lo+s.Kernel, size+s.Pad)
	padded = hi - lo
	return max(lo, 0), min(hi, size), padded
}

// ShortcutShape is the geometry of the parameter-free shortcut (option A): x [N, C, H, W] to y [N,
// K, OutH, OutW].
type ShortcutShape struct {
	N, C, H, W int
	K          int
	Stride     int
	// Sides puts half of the zero channels (rounded down) before the channels of x and the rest
	// after; otherwise all follow.
	Sides bool
}

// OutH is the height of the output, ceil(H / U): rows 0, U, 2U, ... are kept.
func (s ShortcutShape) OutH() int { return (s.H + s.Stride - 1) / s.Stride }

// OutW is the width of the output, ceil(W / U).
func (s ShortcutShape) OutW() int { return (s.W + s.Stride - 1) / s.Stride }

// Before is the number of zero channels before those of x.
func (s ShortcutShape) Before() int {
	if s.Sides {
		return (s.K - s.C) / 2
	}
	return 0
}
