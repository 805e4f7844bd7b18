package blocks

import (
	"slices"
	"strings"
	"testing"

	"resnet/internal/graph"
)

// TestThereIsNoBackwardPassBelowTheLowestTrainedLayer: of the gradients of convolutions, those are
// left that the trained ones need.
func TestThereIsNoBackwardPassBelowTheLowestTrainedLayer(t *testing.T) {
	s := mustLookup(t, "resnet20")
	for _, c := range []struct {
		frozen         []string
		weights, input int // gradients of convolutions with respect to each
	}{
		{nil, 19, 18}, // the first convolution reads the images
		{[]string{"conv1.", "bn1.", "layer1.", "layer2."}, 6, 5},
		{[]string{"conv1.", "bn1.", "layer1.", "layer2.", "layer3."}, 0, 0},
	} {
		g, err := BuildFor(s, 2, graph.NewParamSet(1), graph.Options{Frozen: func(name string) bool {
			return slices.ContainsFunc(c.frozen, func(p string) bool { return strings.HasPrefix(name, p) })
		}})
		if err != nil {
			t.Fatal(err)
		}
		seen, weights, input := map[*graph.Node]bool{}, 0, 0
		var visit func(n *graph.Node)
		visit = func(n *graph.Node) {
			if n == nil || seen[n] {
				return
			}
			seen[n] = true
			switch graph.OpOf(n).(type) {
			case *graph.ConvWeightGrad:
				weights++
			case *graph.ConvInputGrad:
				input++
			}
			if n.Op() != nil {
				for _, in := range graph.Children(n) {
					visit(in)
				}
			}
		}
		for _, p := range g.Params {
			visit(p.Grad)
		}
		if weights != c.weights || input != c.input {
			t.Errorf("%v frozen: %d gradients of weights and %d of inputs, want %d and %d", c.frozen, weights, input, c.weights, c.input)
		}
	}
}
