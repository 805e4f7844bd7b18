package schedule_test

import "resnet/internal/graph"

// The drawings of later papers that are among the baselines.

// inGroups convolves in groups of 4 and 8 channels, which have a kernel, of 16 and of two inputs
// for six outputs.
func inGroups(b *graph.Builder, x *graph.Node) *graph.Node {
	o := graph.ConvOpts{Filters: 32, Kernel: 3, Stride: 1, Pad: 1}
	x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, o)))
	o.Groups = 8
	y := b.ReLU(b.BatchNorm("bn2", b.Conv("conv2", x, o)))
	o.Groups = 4
	x = b.ReLU(b.Add(b.BatchNorm("bn3", b.Conv("conv3", y, o)), x))
	o.Groups, o.Stride, o.Bias = 2, 2, true
	x = b.ReLU(b.Conv("conv4", x, o))
	o.Groups, o.Filters = 16, 96
	return b.Linear("fc", b.GlobalAvgPool(b.Conv("conv5", x, o)), classes)
}

// excited has two blocks with squeeze-and-excitation.
func excited(b *graph.Builder, x *graph.Node) *graph.Node {
	o := graph.ConvOpts{Filters: 20, Kernel: 3, Stride: 1, Pad: 1}
	x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, o)))
	for _, name := range []string{"a", "b"} {
		f := b.In(name).BatchNorm("bn", b.In(name).Conv("conv", x, o))
		s := b.ReLU(b.In(name).ChannelLinear("fc1", b.GlobalAvgPool(f), 8))
		x = b.ReLU(b.Add(b.Excite(f, b.In(name).ChannelLinear("fc2", s, 20)), x))
	}
	return b.Linear("fc", b.GlobalAvgPool(x), classes)
}

// preActivated has a block whose activation is the shortcut's too, through a projection, and one
// with dropout.
func preActivated(b *graph.Builder, x *graph.Node) *graph.Node {
	o := graph.ConvOpts{Filters: 24, Kernel: 3, Stride: 1, Pad: 1}
	x = b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
	a := b.In("a")
	x = b.ReLU(a.BatchNorm("bn1", x))
	f := b.ReLU(a.BatchNorm("bn2", a.Conv("conv1", x, graph.ConvOpts{Filters: 24, Kernel: 3, Stride: 2, Pad: 1})))
	x = b.Add(a.Conv("conv2", f, o), a.Conv("downsample", x, graph.ConvOpts{Filters: 24, Kernel: 1, Stride: 2}))
	c := b.In("c")
	f = b.ReLU(c.BatchNorm("bn1", x))
	f = b.ReLU(c.BatchNorm("bn2", c.Conv("conv1", f, o)))
	x = b.Add(c.Conv("conv2", c.Dropout("drop", f, 0.3), o), x)
	return b.Linear("fc", b.GlobalAvgPool(b.ReLU(b.BatchNorm("bn1", x))), classes)
}

// averagedDown has the shortcut of ResNet-D.
func averagedDown(b *graph.Builder, x *graph.Node) *graph.Node {
	x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 18, Kernel: 3, Stride: 1, Pad: 1})))
	f := b.BatchNorm("bn2", b.Conv("conv2", x, graph.ConvOpts{Filters: 36, Kernel: 3, Stride: 2, Pad: 1}))
	x = b.AvgPool(x, graph.PoolOpts{Kernel: 2, Stride: 2, Ceil: true, ExcludePad: true})
	x = b.BatchNorm("bn3", b.Conv("down", x, graph.ConvOpts{Filters: 36, Kernel: 1, Stride: 1}))
	return b.Linear("fc", b.GlobalAvgPool(b.ReLU(b.Add(f, x))), classes)
}
