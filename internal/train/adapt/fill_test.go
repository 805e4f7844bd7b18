package adapt

import (
	"slices"
	"testing"

	"resnet/internal/datasets"
)

// TestPlacesLeftOverHaveNoLabel: as class 0 they would train the layer, too.
func TestPlacesLeftOverHaveNoLabel(t *testing.T) {
	stale := func() ([]float32, []int32) {
		return slices.Repeat([]float32{9}, 6), slices.Repeat([]int32{7}, 6)
	}
	for name, c := range map[string]struct {
		b      *datasets.Batch
		own    map[int][]int32
		labels []int32
		n      int
	}{
		"of the batch":          {&datasets.Batch{N: 2, X: []float32{1, 2, 3, 4}, Labels: []int32{3, -1, 0, 2}}, nil, []int32{3, -1, 0, 2, -1, -1}, 3},
		"of utterances by name": {&datasets.Batch{N: 2, X: []float32{1, 2, 3, 4}, Index: []int{5, 1}}, map[int][]int32{1: {4}, 5: {0, 1}}, []int32{0, 1, 4, -1, -1, -1}, 3},
		"of another utterance":  {&datasets.Batch{N: 2, X: []float32{1, 2, 3, 4}, Index: []int{5, 1}}, map[int][]int32{2: {4}}, []int32{-1, -1, -1, -1, -1, -1}, 0},
	} {
		x, labels := stale()
		if n := Fill(x, labels, 3, c.b, c.own); n != c.n || !slices.Equal(labels, c.labels) || !slices.Equal(x, []float32{1, 2, 3, 4, 0, 0}) {
			t.Errorf("%s: %d labels %v of %v, want %d %v", name, n, labels, x, c.n, c.labels)
		}
	}
}
