package blocks

import "resnet/internal/graph"

// net is what a block needs to draw itself, with T a place in the drawing: builderNet makes graph
// nodes of it, tracer a list of layers. Convolutions have "same" padding, (kernel-1)/2, but see
// convOpts.same; those of blocks have no bias (batch normalisation follows each).
type net[T any] interface {
	In(scope string) net[T]
	Conv(name string, x T, o convOpts) T
	BatchNorm(name string, x T) T
	ReLU(x T) T
	Add(a, b T) T
	ShortcutPad(x T, filters, stride int, sides bool) T
	// Excite scales the channels of x by the logistic function of s, values for each: the end of
	// squeeze-and-excitation. ChannelLinear is Linear with the weights of a 1x1 convolution.
	Excite(x, s T) T
	ChannelLinear(name string, x T, units int) T
	MaxPool(name string, x T, o graph.PoolOpts) T
	GlobalAvgPool(x T) T
	Linear(name string, x T, units int) T
	// Classifier is a Linear that gives logits.
	Classifier(name string, x T, classes int) T

	// What the nets of Block Sequence need besides.

	PReLU(name string, x T) T
	LRN(name string, x T, o graph.LRNOpts) T
	AvgPool(name string, x T, o graph.PoolOpts) T
	Flatten(x T) T
	Pyramid(name string, x T, levels []int) T
	Dropout(name string, x T, rate float64) T
	Concat(xs ...T) T
	// Auxiliary draws an auxiliary classifier in the scope name; weight is that of its loss.
	Auxiliary(name string, weight float64, draw func(net[T]) T)

	// What networks of sequences need besides. Their maps are [C, F, T]: frequencies and frames.

	UtteranceNorm(name string, x T, eps float64) T
	ELU(x T) T
	Sigmoid(x T) T
	FrequencyLinear(name string, x T) T
	LSTM(name string, gates T, reverse bool) T
	// FrameClassifier is Classifier at every frame of [C, 1, T].
	FrameClassifier(name string, x T, classes int) T
}

// convOpts are a convolution's choices.
type convOpts struct {
	filters, kernel, stride int
	bias                    bool
	groups                  int // 0 means 1
	// rowsOnly strides rows alone, so that every frame of an utterance keeps its place.
	rowsOnly bool
	// same pads a convolution of stride 2 as TensorFlow does on maps of an even size: one zero less
	// at the beginning of rows and columns.
	same bool
}

// padding is the zeros on each side, and those at the end besides.
func (o convOpts) padding() (pad, end int) {
	if pad = (o.kernel - 1) / 2; o.same && o.stride == 2 && pad > 0 {
		return pad - 1, 1
	}
	return pad, 0
}
