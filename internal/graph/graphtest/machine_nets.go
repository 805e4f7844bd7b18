package graphtest

import (
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"resnet/internal/graph"
)

// machineNet is a network of RunMachine. It has no ReLU and no max pooling: at their kinks rounding
// decides a visible part of the gradients.
type machineNet struct {
	name    string
	frozen  func(name string) bool
	targets graph.Targets
	finish  func(b *graph.Builder) (*graph.Graph, error)
	// breaks is the layer whose weights become infinite, and named is what Diagnose may then say:
	// the first tensor that a machine looks at.
	breaks string
	named  []string
}

func (n machineNet) draw(t *testing.T, mode graph.Mode, dtype tensor.Dtype, params *graph.ParamSet) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder(n.name, mode, params, graph.Options{Dtype: dtype, DropoutSeed: 5, Frozen: n.frozen, Targets: n.targets})
	g, err := n.finish(b)
	if err != nil {
		t.Fatal(err)
	}
	if g.Sequences != nil {
		copy(g.Sequences.Lengths, []int32{7, 3, 9, 2})
	}
	return g
}

var machineNets = []machineNet{
	{name: "images", finish: images, breaks: "conv2", named: []string{"conv2.weight", "bn2"}},
	// An auxiliary classifier of which nothing is trained has a loss all the same.
	{
		name: "frozen", finish: images, breaks: "conv2", named: []string{"conv2.weight", "bn2"},
		frozen: func(name string) bool { return !strings.HasPrefix(name, "fc") },
	},
	{
		name: "frozen normalisation", finish: images, breaks: "conv2", named: []string{"conv2.weight", "bn2"},
		frozen: func(name string) bool { return strings.HasPrefix(name, "bn") },
	},
	{
		name: "frozen convolution", finish: images, breaks: "conv2", named: []string{"conv2.weight", "bn2"},
		frozen: func(name string) bool {
			return strings.HasPrefix(name, "conv2") || name == "bn1.bias" || name == "aux2.weight"
		},
	},
	{name: "soft targets", finish: images, targets: graph.SoftTargets, breaks: "conv2", named: []string{"conv2.weight", "bn2"}},
	{name: "binary targets", finish: images, targets: graph.BinaryTargets, breaks: "conv2", named: []string{"conv2.weight", "bn2"}},
	{name: "frames", finish: frames, breaks: "classifier", named: []string{"classifier.weight", "logits"}},
	{name: "utterances", finish: utterances, breaks: "classifier", named: []string{"classifier.weight", "logits"}},
}

// images has batch normalisation, a residual join whose branch is dropped, dropout and auxiliary
// classifiers.
func images(b *graph.Builder) (*graph.Graph, error) {
	conv := func(name string, x *graph.Node, filters int) *graph.Node {
		return b.Conv(name, x, graph.ConvOpts{Filters: filters, Kernel: 3, Stride: 1, Pad: 1, Bias: name == "conv1"})
	}
	x := b.ELU(b.BatchNorm("bn1", conv("conv1", b.Input(5, 3, 6, 7), 18)), 1)
	b.Auxiliary(b.Linear("aux1", b.GlobalAvgPool(x), 4), 0.3)
	y := b.DropPath(b.BatchNorm("bn2", conv("conv2", x, 18)), 0.3)
	x = b.AvgPool(b.Sigmoid(b.Add(y, x)), graph.PoolOpts{Kernel: 2, Stride: 2})
	b.Auxiliary(b.Linear("aux2", b.Flatten(x), 4), 0.7)
	return b.Finish(b.Linear("fc", b.Dropout("drop", b.GlobalAvgPool(x), 0.4), 4))
}

// frames tells frames of utterances apart.
func frames(b *graph.Builder) (*graph.Graph, error) { return b.FinishFrames(recurrent(b)) }

// utterances tells whole utterances apart.
func utterances(b *graph.Builder) (*graph.Graph, error) {
	return b.Finish(b.UtteranceMean(recurrent(b)))
}

func recurrent(b *graph.Builder) *graph.Node {
	wide := func(name string, x *graph.Node, filters int) *graph.Node {
		return b.Conv(name, x, graph.ConvOpts{Filters: filters, Kernel: 1, Stride: 1})
	}
	x := b.Conv("conv1", b.Input(4, 1, 5, 9), graph.ConvOpts{Filters: 6, Kernel: 3, Stride: 1, Pad: 1})
	x = b.FrequencyLinear("pooler", b.ELU(b.UtteranceNorm("bn1", x, 1e-5), 1))
	x = b.LSTM("lstm", b.UtteranceNorm("bn2", wide("gates", b.Dropout("drop", x, 0.3), 12), 1e-5), true)
	return b.ChannelBias("bias", wide("classifier", x, 5))
}
