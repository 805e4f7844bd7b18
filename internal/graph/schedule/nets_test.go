package schedule_test

import "resnet/internal/graph"

// nets are drawings for the comparison with the oracle: between them they use every operator, fused
// or not.
var nets = map[string]func(b *graph.Builder, x *graph.Node) *graph.Node{
	"every activation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Conv("conv1", x, graph.ConvOpts{Filters: 6, Kernel: 3, Stride: 1, Pad: 1, Bias: true})
		x = b.PReLU("act1", x)
		x = b.Conv("conv2", x, graph.ConvOpts{Filters: 9, Kernel: 2, Stride: 2, Pad: 0})
		x = b.ELU(b.BatchNorm("bn2", x), 0.7)
		y := b.Sigmoid(b.Conv("conv3", x, graph.ConvOpts{Filters: 5, Kernel: 1, Stride: 1}))
		return b.Linear("fc", b.GlobalAvgPool(b.Concat(x, y)), classes)
	},
	"every pool": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 20, Kernel: 5, Stride: 1, Pad: 2})))
		x = b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 2, Pad: 1})
		x = b.ReLU(b.Conv("conv2", x, graph.ConvOpts{Filters: 8, Kernel: 3, Stride: 1, Pad: 1}))
		x = b.AvgPool(x, graph.PoolOpts{Kernel: 2, Stride: 2, Ceil: true})
		return b.Linear("fc", b.Dropout("drop", b.GlobalAvgPool(x), 0.4), classes)
	},
	"auxiliary classifiers and local response normalisation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.Conv("conv1", x, graph.ConvOpts{Filters: 18, Kernel: 3, Stride: 1, Pad: 1, Bias: true}))
		x = b.MaxPool(b.LRN("norm", x, graph.LRNOpts{Size: 5, Alpha: 0.5, Beta: 0.75, Bias: 1}), graph.PoolOpts{Kernel: 3, Stride: 2, Ceil: true})
		b.Auxiliary(b.Linear("aux1", b.Flatten(x), classes), 0.3)
		x = b.Concat(x, b.ReLU(b.Conv("conv2", x, graph.ConvOpts{Filters: 4, Kernel: 1, Stride: 1})), b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1}))
		b.Auxiliary(b.Linear("aux2", b.GlobalAvgPool(x), classes), 0.6)
		return b.Linear("fc", b.Dropout("drop", b.GlobalAvgPool(x), 0.4), classes)
	},
	"pyramid pooling and fully connected layers": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.PReLU("act1", b.Conv("conv1", x, graph.ConvOpts{Filters: 5, Kernel: 3, Stride: 2, Pad: 1, Bias: true}))
		x = b.Flatten(x, b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 2}), b.MaxPool(x, graph.PoolOpts{Kernel: 5, Stride: 5}))
		x = b.PReLU("act2", b.Linear("fc1", x, 19))
		return b.Linear("fc2", b.Dropout("drop", x, 0.5), classes)
	},
	"pre-activation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
		for _, name := range []string{"a", "b"} {
			f := b.ReLU(b.In(name).BatchNorm("bn1", x))
			f = b.In(name).Conv("conv1", f, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
			f = b.ReLU(b.In(name).BatchNorm("bn2", f))
			f = b.In(name).Conv("conv2", f, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
			x = b.Add(f, x)
		}
		return b.Linear("fc", b.GlobalAvgPool(b.ReLU(b.BatchNorm("bn", x))), classes)
	},
	"without normalisation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1}))
		y := b.Conv("conv2", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
		x = b.ReLU(b.Add(y, x))
		x = b.Add(b.Conv("conv3", x, graph.ConvOpts{Filters: 20, Kernel: 3, Stride: 2, Pad: 1}), b.ShortcutPad(x, 20, 2, true))
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
	"normalised twice": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.BatchNorm("bn0", x)
		x = b.Conv("conv1", x, graph.ConvOpts{Filters: 17, Kernel: 3, Stride: 1, Pad: 1})
		y, z := b.BatchNorm("bn1", x), b.BatchNorm("bn2", x)
		return b.Linear("fc", b.GlobalAvgPool(b.Add(b.ReLU(y), z)), classes)
	},
	"rectified twice": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 6, Kernel: 3, Stride: 1, Pad: 1}))))
		x = b.ReLU(b.ReLU(b.Conv("conv2", x, graph.ConvOpts{Filters: 6, Kernel: 3, Stride: 1, Pad: 1})))
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
	"no linear layer": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 18, Kernel: 3, Stride: 2, Pad: 1})))
		return b.GlobalAvgPool(b.Conv("conv2", x, graph.ConvOpts{Filters: classes, Kernel: 1, Stride: 1}))
	},
	"normalised logits": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: classes, Kernel: 3, Stride: 1, Pad: 1}))
		return b.GlobalAvgPool(b.ReLU(x))
	},
	"two linear layers": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.Linear("fc1", b.GlobalAvgPool(b.Conv("conv1", x, graph.ConvOpts{Filters: 18, Kernel: 3, Stride: 1, Pad: 1})), 21))
		y := b.Linear("fc2", x, classes)
		return b.Add(y, b.ReLU(b.Linear("fc3", x, classes)))
	},
	"three readers": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})))
		y := b.Conv("a", x, graph.ConvOpts{Filters: 5, Kernel: 3, Stride: 1, Pad: 1})
		z := b.Conv("b", x, graph.ConvOpts{Filters: 5, Kernel: 1, Stride: 1})
		w := b.BatchNorm("bn2", b.Conv("c", x, graph.ConvOpts{Filters: 5, Kernel: 5, Stride: 1, Pad: 2}))
		return b.Linear("fc", b.GlobalAvgPool(b.ReLU(b.Add(b.Add(y, z), w))), classes)
	},
	"five readers": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})))
		y := b.Conv("a", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
		y = b.Add(b.Add(x, y), b.Add(b.ReLU(x), b.BatchNorm("bn2", x)))
		return b.Linear("fc", b.GlobalAvgPool(b.Add(y, b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1}))), classes)
	},
	"raw and normalised": func(b *graph.Builder, x *graph.Node) *graph.Node {
		z := b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
		y := b.BatchNorm("bn1", z)
		u := b.Conv("conv2", z, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
		v := b.Conv("conv3", y, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
		w := b.ReLU(y)
		return b.Linear("fc", b.GlobalAvgPool(b.Add(b.Add(u, v), b.Add(w, z))), classes)
	},
	"two normalisations, four convolutions": func(b *graph.Builder, x *graph.Node) *graph.Node {
		o := graph.ConvOpts{Filters: 17, Kernel: 3, Stride: 1, Pad: 1}
		z := b.Conv("conv1", x, o)
		y, w := b.ReLU(b.BatchNorm("bn1", z)), b.ReLU(b.BatchNorm("bn2", z))
		y, w = b.Add(b.Conv("conv2", y, o), b.Conv("conv3", w, o)), b.Add(b.Conv("conv4", w, o), z)
		return b.Linear("fc", b.GlobalAvgPool(b.ReLU(b.Add(y, w))), classes)
	},
	"normalised after normalisation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.BatchNorm("bn0", b.ReLU(x)))
		x = b.Conv("conv1", b.BatchNorm("bn2", b.BatchNorm("bn1", x)), graph.ConvOpts{Filters: 4, Kernel: 3, Stride: 1, Pad: 1})
		x = b.BatchNorm("bn4", b.ReLU(b.BatchNorm("bn3", x)))
		return b.Linear("fc", b.GlobalAvgPool(b.Sigmoid(x)), classes)
	},
	"sums of the same": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Add(x, x)
		x = b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
		x = b.ReLU(b.Add(b.BatchNorm("bn1", x), b.BatchNorm("bn2", x)))
		x = b.Conv("conv2", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1})
		x = b.Add(x, x)
		return b.Linear("fc", b.GlobalAvgPool(b.ReLU(b.BatchNorm("bn3", x))), classes)
	},
	"wide padding": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 1, Stride: 1, Pad: 1})))
		x = b.ReLU(b.Conv("conv2", x, graph.ConvOpts{Filters: 6, Kernel: 3, Stride: 2, Pad: 3}))
		return b.Linear("fc", b.GlobalAvgPool(b.Conv("conv3", x, graph.ConvOpts{Filters: 6, Kernel: 2, Stride: 3, Pad: 1})), classes)
	},
	"shortcuts of recipes": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.BatchNorm("bn1", b.ShortcutPad(x, 10, 1, false)))
		y := b.BatchNorm("bn2", b.Conv("conv2", x, graph.ConvOpts{Filters: 37, Kernel: 3, Stride: 2, Pad: 1}))
		x = b.ReLU(b.Add(b.BatchNorm("bn3", b.ShortcutPad(x, 37, 2, true)), y))
		y = b.BatchNorm("bn4", b.Conv("conv4", x, graph.ConvOpts{Filters: 37, Kernel: 1, Stride: 1}))
		y = b.Concat(y, b.ReLU(b.BatchNorm("bn5", x)), b.Dropout("drop", b.BatchNorm("bn6", x), 0.3))
		return b.Linear("fc", b.GlobalAvgPool(y), classes)
	},
	"a branch through another": func(b *graph.Builder, x *graph.Node) *graph.Node {
		o := graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1}
		x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, o)))
		y := b.ReLU(b.BatchNorm("bn2", b.Conv("conv2", x, o)))
		z := b.ReLU(b.Add(b.BatchNorm("bn3", b.Conv("conv3", y, o)), x))
		w := b.ReLU(b.Add(b.Add(b.Conv("conv4", z, o), y), x))
		return b.Linear("fc", b.GlobalAvgPool(b.Add(w, b.Conv("conv5", z, o))), classes)
	},
	"rectified branches": func(b *graph.Builder, x *graph.Node) *graph.Node {
		o := graph.ConvOpts{Filters: 6, Kernel: 3, Stride: 1, Pad: 1}
		y, z := b.Conv("conv1", x, o), b.BatchNorm("bn2", b.Conv("conv2", x, o))
		x = b.Conv("conv3", b.Add(b.ReLU(b.BatchNorm("bn1", y)), b.ReLU(z)), o)
		x = b.Conv("conv4", b.Add(b.ReLU(x), z), o)
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
	// Weight gradients so large that several units share an accumulator, and with it the sums of a
	// normalisation.
	"shared accumulators": func(b *graph.Builder, x *graph.Node) *graph.Node {
		o := graph.ConvOpts{Filters: 84, Kernel: 3, Stride: 3, Pad: 1}
		x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, o)))
		o.Stride = 1
		y := b.ReLU(b.BatchNorm("bn2", b.Conv("conv2", x, o)))
		x = b.Add(b.BatchNorm("bn3", b.Conv("conv3", y, o)), x)
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
}
