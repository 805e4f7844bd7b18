package blocks

// expansion is the ratio of a bottleneck's output channels to the channels of its 3x3 convolution
// (Table 1).
const expansion = 4

// blockSpec is one block's place in a net: x [N, In, H, W] becomes [N, Out, H/Stride, W/Stride],
// rounded up.
type blockSpec struct {
	In, Width, Out int
	Stride         int
	Shortcut       Shortcut
	PadEnd         bool
	StrideIn3x3    bool
	Variant
	First bool // of the net
}

// basic is the block of two 3x3 convolutions, Fig. 2 and eq. (1) and (2): y = relu(F(x) + S(x)),
// without shortcut y = relu(F(x)).
func basic[T any](b net[T], x T, s blockSpec) T {
	f := b.Conv("conv1", x, convOpts{filters: s.Width, kernel: 3, stride: s.Stride})
	f = b.ReLU(b.BatchNorm("bn1", f))
	f = b.Conv("conv2", f, convOpts{filters: s.Out, kernel: 3, stride: 1})
	f = excite(b, b.BatchNorm("bn2", f), s)
	return b.ReLU(join(b, f, x, s)) // after the addition
}

// bottleneck is the block of 1x1, 3x3 and 1x1 convolutions, Fig. 5 right. It strides in the first
// 1x1 as the paper's models do, or in the 3x3 (v1.5).
func bottleneck[T any](b net[T], x T, s blockSpec) T {
	first, middle := s.Stride, 1
	if s.StrideIn3x3 {
		first, middle = 1, s.Stride
	}
	width := s.inner(s.Width)
	f := b.Conv("conv1", x, convOpts{filters: width, kernel: 1, stride: first})
	f = b.ReLU(b.BatchNorm("bn1", f))
	f = b.Conv("conv2", f, convOpts{filters: width, kernel: 3, stride: middle, groups: s.Groups})
	f = b.ReLU(b.BatchNorm("bn2", f))
	f = b.Conv("conv3", f, convOpts{filters: s.Out, kernel: 1, stride: 1})
	f = excite(b, b.BatchNorm("bn3", f), s)
	return b.ReLU(join(b, f, x, s))
}

// join adds the shortcut of x to f, or returns f alone in a plain net.
func join[T any](b net[T], f, x T, s blockSpec) T {
	changes := s.Stride != 1 || s.In != s.Out
	switch {
	case s.Shortcut == None:
		return f
	case s.Shortcut == OptionC, s.Shortcut == OptionB && changes:
		return b.Add(f, project(b.In("downsample"), x, s))
	case changes: // option A
		return b.Add(f, b.In("shortcut").ShortcutPad(x, s.Out, s.Stride, !s.PadEnd))
	default:
		return b.Add(f, x)
	}
}

// project is the learned shortcut W_s x of eq. (2): a 1x1 convolution, then batch normalisation as
// after every convolution.
func project[T any](b net[T], x T, s blockSpec) T {
	if s.AvgDown {
		return averageDown(b, x, s)
	}
	return b.BatchNorm("1", b.Conv("0", x, convOpts{filters: s.Out, kernel: 1, stride: s.Stride}))
}

// blockFunc is the drawing of a kind of block.
func blockFunc[T any](k Block) func(net[T], T, blockSpec) T {
	switch k {
	case Bottleneck:
		return bottleneck[T]
	case PreBasic:
		return preBasic[T]
	case PreBottleneck:
		return preBottleneck[T]
	default: // Basic: Spec.Validate admits no other
		return basic[T]
	}
}
