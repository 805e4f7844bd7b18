package blocks

import (
	"fmt"

	"resnet/internal/graph"
)

// BuildSized is Build for images of any size, [n, InputChannels, height, width]: global average pooling makes the classifier's input the same. It fails with
// ErrSpec for a size out of range.
func BuildSized(s Spec, n, height, width int, mode graph.Mode, params *graph.ParamSet) (*graph.Graph, error) {
	return draw(s, n, height, width, mode, params, graph.Options{}, 0)
}

// BuildDense makes the evaluation graph of the fully convolutional form: the network as it is at InputSize, applied at every position of larger images
// [n, InputChannels, height, width], and its logits averaged over the positions.
//
// The pooling of the last map at InputSize (7x7 of 224x224) becomes an average pooling of that size with stride 1, and the classifier follows at
// each position. It is linear, so the mean over the positions is taken before it. That is not global average pooling of the larger map, in which pixels near
// the border would count as much as those that more windows cover. Convolutions pad the larger image as they do a small one, with zeros on its border alone:
// positions inside see pixels where a crop would have seen zeros.
//
// It fails with ErrSpec for images smaller than InputSize.
func BuildDense(s Spec, n, height, width int, params *graph.ParamSet) (*graph.Graph, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if height < s.InputSize || width < s.InputSize {
		return nil, fmt.Errorf("architecture %q: %w: images of %dx%d; the fully convolutional form takes %d pixels and more on both sides", s.Name, ErrSpec, height, width, s.InputSize)
	}
	return draw(s, n, height, width, graph.Eval, params, graph.Options{}, lastMap(s))
}

// lastMap is the side of the map before global average pooling, at InputSize.
func lastMap(s Spec) int {
	side := 0
	for _, l := range trace(s) {
		if len(l.Output) == 3 {
			side = l.Output[1]
		}
	}
	return side
}

// draw makes the graph of s for batches of n images of height x width. window is that of builderNet.
func draw(s Spec, n, height, width int, mode graph.Mode, params *graph.ParamSet, o graph.Options, window int) (*graph.Graph, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if s.Family == FamilySpeech {
		return nil, fmt.Errorf("architecture %q: %w: it takes sequences, not images", s.Name, ErrSpec)
	}
	if n < 1 {
		return nil, fmt.Errorf("%s: a batch of %d images; at least 1", s.Name, n)
	}
	if min(height, width) < 1 || max(height, width) > maxSize {
		return nil, fmt.Errorf("architecture %q: %w: images of %dx%d; sides of 1 to %d", s.Name, ErrSpec, height, width, maxSize)
	}
	o.BNEps, o.BNMomentum = s.BNEps, s.BNMomentum
	b := graph.NewBuilder(s.Name, mode, params, o)
	x := b.Input(n, s.InputChannels, height, width)
	return b.Finish(forward[*graph.Node](builderNet{b, window}, s, x))
}
