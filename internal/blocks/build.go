package blocks

import (
	"resnet/internal/graph"
)

// Forward draws the net s on input x [N, InputChannels, InputSize, InputSize] and returns its
// logits [N, Classes]. Errors stick to the Builder.
func Forward(b *graph.Builder, s Spec, x *graph.Node) *graph.Node {
	return forward[*graph.Node](builderNet{b: b}, s, x)
}

// Build makes the graph of s for batches of n images. Parameters missing in params are created and
// initialised as He et al. 2015 (arXiv:1502.01852) do; those present are reused, so graphs for
// training and evaluation share them. It fails with ErrSpec if s cannot be built, and with the
// graph's error if params holds other shapes.
func Build(s Spec, n int, mode graph.Mode, params *graph.ParamSet) (*graph.Graph, error) {
	return build(s, n, mode, params, graph.Options{})
}

func build(s Spec, n int, mode graph.Mode, params *graph.ParamSet, o graph.Options) (*graph.Graph, error) {
	return draw(s, n, s.InputSize, s.InputSize, mode, params, o, variant{})
}

// builderNet draws into a graph.
type builderNet struct {
	b *graph.Builder
	// dense is there for the fully convolutional form; nil otherwise.
	dense *dense
}

func (n builderNet) In(scope string) net[*graph.Node] { return builderNet{n.b.In(scope), n.dense} }

func (n builderNet) Conv(name string, x *graph.Node, o convOpts) *graph.Node {
	c := graph.ConvOpts{Filters: o.filters, Kernel: o.kernel, Stride: o.stride, Bias: o.bias, Groups: o.groups}
	c.Pad, c.End = o.padding()
	if o.rowsOnly {
		c.StrideW = 1
	}
	return n.b.Conv(name, x, c)
}

func (n builderNet) BatchNorm(name string, x *graph.Node) *graph.Node { return n.b.BatchNorm(name, x) }

func (n builderNet) ReLU(x *graph.Node) *graph.Node { return n.b.ReLU(x) }

func (n builderNet) Add(a, b *graph.Node) *graph.Node { return n.b.Add(a, b) }

func (n builderNet) ShortcutPad(x *graph.Node, filters, stride int, sides bool) *graph.Node {
	return n.b.ShortcutPad(x, filters, stride, sides)
}

func (n builderNet) Excite(x, s *graph.Node) *graph.Node { return n.b.Excite(x, s) }

func (n builderNet) ChannelLinear(name string, x *graph.Node, units int) *graph.Node {
	return n.b.ChannelLinear(name, x, units)
}

func (n builderNet) MaxPool(_ string, x *graph.Node, o graph.PoolOpts) *graph.Node {
	return n.b.MaxPool(x, o)
}

func (n builderNet) AvgPool(_ string, x *graph.Node, o graph.PoolOpts) *graph.Node {
	return n.b.AvgPool(x, o)
}

func (n builderNet) GlobalAvgPool(x *graph.Node) *graph.Node {
	if n.dense != nil {
		x = n.b.AvgPool(x, graph.PoolOpts{Kernel: n.dense.window, Stride: 1})
	}
	return n.b.GlobalAvgPool(x)
}

func (n builderNet) Linear(name string, x *graph.Node, units int) *graph.Node {
	if n.dense != nil && x != nil && len(x.Shape()) == 4 {
		return n.dense.linear(n.b, name, x, units)
	}
	return n.b.Linear(name, x, units)
}

func (n builderNet) Classifier(name string, x *graph.Node, classes int) *graph.Node {
	y := n.Linear(name, x, classes)
	n.b.MarkHead(name)
	return y
}

func (n builderNet) PReLU(name string, x *graph.Node) *graph.Node { return n.b.PReLU(name, x) }

func (n builderNet) LRN(_ string, x *graph.Node, o graph.LRNOpts) *graph.Node {
	return n.b.LRN("lrn", x, o)
}

func (n builderNet) Flatten(x *graph.Node) *graph.Node {
	if n.dense != nil {
		n.dense.flat = x
		return x
	}
	return n.b.Flatten(x)
}

func (n builderNet) Pyramid(_ string, x *graph.Node, levels []int) *graph.Node {
	if n.dense != nil {
		return n.b.PyramidWindows(x, n.dense.window, levels)
	}
	return n.b.Pyramid(x, levels)
}

func (n builderNet) Dropout(name string, x *graph.Node, rate float64) *graph.Node {
	return n.b.Dropout(name, x, rate)
}

func (n builderNet) Concat(xs ...*graph.Node) *graph.Node { return n.b.Concat(xs...) }

func (n builderNet) Auxiliary(name string, weight float64, draw func(net[*graph.Node]) *graph.Node) {
	if n.b.Mode() == graph.Train {
		n.b.Auxiliary(draw(builderNet{b: n.b.In(name)}), weight)
	}
}

func (n builderNet) UtteranceNorm(name string, x *graph.Node, eps float64) *graph.Node {
	return n.b.UtteranceNorm(name, x, eps)
}

func (n builderNet) ELU(x *graph.Node) *graph.Node { return n.b.ELU(x, 1) }

func (n builderNet) Sigmoid(x *graph.Node) *graph.Node { return n.b.Sigmoid(x) }

func (n builderNet) FrequencyLinear(name string, x *graph.Node) *graph.Node {
	return n.b.FrequencyLinear(name, x)
}

func (n builderNet) LSTM(name string, gates *graph.Node, reverse bool) *graph.Node {
	return n.b.LSTM(name, gates, reverse)
}

func (n builderNet) FrameClassifier(name string, x *graph.Node, classes int) *graph.Node {
	y := n.b.ChannelBias(name, n.Conv(name, x, convOpts{filters: classes, kernel: 1, stride: 1}))
	n.b.MarkHead(name)
	return y
}
