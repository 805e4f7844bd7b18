package blocks

import (
	"fmt"

	"resnet/internal/graph"
)

// BuildSized is Build for images of any size, [n, InputChannels, height, width]: global average
// pooling makes the classifier's input the same. It fails with ErrSpec for a size out of range, and
// for a net whose fully connected layers stand on the map itself for every size but its own: see
// BuildDense.
func BuildSized(s Spec, n, height, width int, mode graph.Mode, params *graph.ParamSet) (*graph.Graph, error) {
	return draw(s, n, height, width, mode, params, graph.Options{}, variant{})
}

// BuildDense makes the evaluation graph of the fully convolutional form: the network as it is at
// InputSize, applied at every position of larger images [n, InputChannels, height, width], and its
// logits averaged over the positions.
//
// The pooling of the last map at InputSize (7x7 of 224x224) becomes an average pooling of that size
// with stride 1, and the classifier follows at each position. It is linear, so the mean over the
// positions is taken before it. That is not global average pooling of the larger map, in which
// pixels near the border would count as much as those that more windows cover. Convolutions pad the
// larger image as they do a small one, with zeros on its border alone: positions inside see pixels
// where a crop would have seen zeros.
//
// Fully connected layers on the map itself become convolutions, the first one of the map's size at
// InputSize, the others 1x1 (Simonyan and Zisserman 2015, section 3.2); spatial pyramid pooling is
// applied to every window of that size (He et al. 2015, section 4.1). Their logits are averaged at
// the end.
//
// It fails with ErrSpec for images smaller than InputSize.
func BuildDense(s Spec, n, height, width int, params *graph.ParamSet) (*graph.Graph, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if height < s.InputSize || width < s.InputSize {
		return nil, fmt.Errorf("architecture %q: %w: images of %dx%d; the fully convolutional form takes %d pixels and more on both sides", s.Name, ErrSpec, height, width, s.InputSize)
	}
	return draw(s, n, height, width, graph.Eval, params, graph.Options{}, variant{dense: &dense{window: lastMap(s)}})
}

// dense is the state of a drawing of the fully convolutional form.
type dense struct {
	window int         // side of the map before the classifier, at InputSize
	flat   *graph.Node // the map that a fully connected layer stands on
}

// linear draws a fully connected layer at every position.
func (d *dense) linear(b *graph.Builder, name string, x *graph.Node, units int) *graph.Node {
	if x == d.flat {
		return b.LinearConv(name, x, units, d.window)
	}
	return b.LinearConv(name, x, units, 1)
}

// lastMap is the side of the last map before the classifier, at InputSize.
func lastMap(s Spec) int {
	side := 0
	for _, l := range trace(s) {
		if len(l.Output) == 3 && !l.Training {
			side = l.Output[1]
		}
	}
	return side
}

// variant is another form of a net than the table's; at most one of its fields is set.
type variant struct {
	dense *dense
	tap   *tap
}

// net draws the variant with b.
func (v variant) net(b *graph.Builder) net[*graph.Node] {
	n := builderNet{b, v.dense}
	if v.tap != nil {
		return tapNet{n, v.tap}
	}
	return n
}

// draw makes the graph of s for batches of n images of height x width.
func draw(s Spec, n, height, width int, mode graph.Mode, params *graph.ParamSet, o graph.Options, v variant) (*graph.Graph, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if s.Family == FamilySpeech {
		return nil, fmt.Errorf("architecture %q: %w: it takes sequences, not images", s.Name, ErrSpec)
	}
	if n < 1 || n > graph.MaxBatch {
		return nil, fmt.Errorf("%s: a batch of %d images; 1 to %d", s.Name, n, graph.MaxBatch)
	}
	if min(height, width) < 1 || max(height, width) > maxSize {
		return nil, fmt.Errorf("architecture %q: %w: images of %dx%d; sides of 1 to %d", s.Name, ErrSpec, height, width, maxSize)
	}
	if v.dense == nil && s.has(PartFlatten) && (height != s.InputSize || width != s.InputSize) {
		return nil, fmt.Errorf("architecture %q: %w: images of %dx%d; its fully connected layers fix them to %dx%d, and larger ones take the fully convolutional form (--crops full)",
			s.Name, ErrSpec, height, width, s.InputSize, s.InputSize)
	}
	o = s.options(o, params)
	if mode == graph.Eval && v.tap == nil && s.has(PartAux) {
		// Evaluation leaves the auxiliary classifiers out, but their parameters belong to the net:
		// a drawing that nobody runs makes them.
		b := graph.NewBuilder(s.Name, graph.Train, params, o)
		forward[*graph.Node](builderNet{b: b}, s, b.Input(2, s.InputChannels, s.InputSize, s.InputSize))
		if err := b.Err(); err != nil {
			return nil, err
		}
	}
	b := graph.NewBuilder(s.Name, mode, params, o)
	logits := forward(dropPaths(v.net(b), b, s), s, b.Input(n, s.InputChannels, height, width))
	if logits != nil && len(logits.Shape()) == 4 {
		logits = b.GlobalAvgPool(logits) // the mean over the positions
	}
	return b.Finish(logits)
}

// options are o with what a drawing takes from the architecture.
func (s Spec) options(o graph.Options, params *graph.ParamSet) graph.Options {
	o.BNEps, o.BNMomentum, o.DropoutSeed = s.BNEps, s.BNMomentum, params.Seed
	if s.has(PartPReLU) {
		o.Slope = graph.PReLUSlope
	}
	o.Glorot = s.Activation == Sigmoid
	return o
}
