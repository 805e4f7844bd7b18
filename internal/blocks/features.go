package blocks

import (
	"fmt"

	"resnet/internal/graph"
)

// BuildFeatures makes the evaluation graph of the net up to its classifier, for batches of n images
// of its own size. In place of logits it gives the classifier's input, [n, features]: for a net
// with global average pooling the means of the last map's channels. The classifier's parameters
// need not be there. It fails as Build does.
func BuildFeatures(s Spec, n int, params *graph.ParamSet) (*graph.Graph, error) {
	return draw(s, n, s.InputSize, s.InputSize, graph.Eval, params, graph.Options{}, variant{tap: &tap{}})
}

// BuildMaps is BuildFeatures without the pooling: it gives the last map, [n, C·H·W], channel by
// channel and row by row, whose means would be the features. H and W are equal, and C is the number
// of columns of the classifier. It fails with ErrSpec for a net whose classifier does not stand on
// the global average of a map.
func BuildMaps(s Spec, n int, params *graph.ParamSet) (*graph.Graph, error) {
	t := &tap{maps: true}
	g, err := draw(s, n, s.InputSize, s.InputSize, graph.Eval, params, graph.Options{}, variant{tap: t})
	if err == nil && t.missing {
		return nil, fmt.Errorf("architecture %q: %w: its classifier does not stand on the global average of a map", s.Name, ErrSpec)
	}
	return g, err
}

// tap is where a drawing ends before its classifier: at the classifier's input or, for maps, before
// the pooling that made it.
type tap struct {
	maps    bool
	pooled  map[*graph.Node]*graph.Node // the map that a mean is of
	missing bool                        // the classifier's input is no mean of a map
}

// tapNet draws into a graph without the classifier.
type tapNet struct {
	builderNet
	t *tap
}

func (n tapNet) In(scope string) net[*graph.Node] {
	n.b = n.b.In(scope)
	return n
}

func (n tapNet) GlobalAvgPool(x *graph.Node) *graph.Node {
	y := n.b.GlobalAvgPool(x)
	if n.t.pooled == nil {
		n.t.pooled = map[*graph.Node]*graph.Node{}
	}
	n.t.pooled[y] = x
	return y
}

func (n tapNet) Classifier(_ string, x *graph.Node, _ int) *graph.Node {
	if !n.t.maps {
		return x
	}
	m := n.t.pooled[x]
	if m == nil {
		n.t.missing = true
		return x
	}
	return n.b.Flatten(m)
}
