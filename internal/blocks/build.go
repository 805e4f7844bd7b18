package blocks

import (
	"resnet/internal/graph"
)

// Forward draws the net s on input x [N, InputChannels, InputSize, InputSize] and returns its logits [N, Classes].
// Errors stick to the Builder.
func Forward(b *graph.Builder, s Spec, x *graph.Node) *graph.Node {
	return forward[*graph.Node](builderNet{b: b}, s, x)
}

// Build makes the graph of s for batches of n images. Parameters missing in params are created and initialised as
// He et al. 2015 (arXiv:1502.01852) do; those present are reused, so graphs for training and evaluation share them.
// It fails with ErrSpec if s cannot be built, and with the graph's error if params holds other shapes.
func Build(s Spec, n int, mode graph.Mode, params *graph.ParamSet) (*graph.Graph, error) {
	return build(s, n, mode, params, graph.Options{})
}

func build(s Spec, n int, mode graph.Mode, params *graph.ParamSet, o graph.Options) (*graph.Graph, error) {
	return draw(s, n, s.InputSize, s.InputSize, mode, params, o, 0)
}

// builderNet draws into a graph.
type builderNet struct {
	b *graph.Builder
	// window is the side of the average pooling before the classifier in the dense form; 0 means the whole map.
	window int
}

func (n builderNet) In(scope string) net[*graph.Node] { return builderNet{n.b.In(scope), n.window} }

func (n builderNet) Conv(name string, x *graph.Node, filters, kernel, stride int) *graph.Node {
	return n.b.Conv(name, x, graph.ConvOpts{Filters: filters, Kernel: kernel, Stride: stride, Pad: (kernel - 1) / 2})
}

func (n builderNet) BatchNorm(name string, x *graph.Node) *graph.Node { return n.b.BatchNorm(name, x) }

func (n builderNet) ReLU(x *graph.Node) *graph.Node { return n.b.ReLU(x) }

func (n builderNet) Add(a, b *graph.Node) *graph.Node { return n.b.Add(a, b) }

func (n builderNet) ShortcutPad(x *graph.Node, filters, stride int, sides bool) *graph.Node {
	return n.b.ShortcutPad(x, filters, stride, sides)
}

func (n builderNet) MaxPool(x *graph.Node, kernel, stride, pad int) *graph.Node {
	return n.b.MaxPool(x, graph.PoolOpts{Kernel: kernel, Stride: stride, Pad: pad})
}

func (n builderNet) GlobalAvgPool(x *graph.Node) *graph.Node {
	if n.window > 0 {
		x = n.b.AvgPool(x, graph.PoolOpts{Kernel: n.window, Stride: 1})
	}
	return n.b.GlobalAvgPool(x)
}

func (n builderNet) Linear(name string, x *graph.Node, classes int) *graph.Node {
	return n.b.Linear(name, x, classes)
}
