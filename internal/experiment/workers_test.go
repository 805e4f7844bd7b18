package experiment

import (
	"reflect"
	"testing"
)

// TestWorkersStayOnNodesOfMemory where nodes and threads allow it.
func TestWorkersStayOnNodesOfMemory(t *testing.T) {
	a, b, c, d := []int{0, 1, 8, 9}, []int{2, 3}, []int{4, 5, 6}, []int{7, 10}
	ab, cd := []int{0, 1, 8, 9, 2, 3}, []int{4, 5, 6, 7, 10}
	for name, f := range map[string]struct {
		nodes   [][]int
		threads []int
		want    [][]int
	}{
		"the system does not tell":  {nil, []int{1, 1}, nil},
		"one node":                  {[][]int{a}, []int{2, 2}, nil},
		"one worker":                {[][]int{a, b}, []int{6}, nil},
		"a worker a node":           {[][]int{a, b}, []int{2, 2}, [][]int{a, b}},
		"two a node":                {[][]int{a, b}, []int{2, 2, 1, 1}, [][]int{a, a, b, b}},
		"two nodes a worker":        {[][]int{a, b, c, d}, []int{6, 5}, [][]int{ab, cd}},
		"more threads than a node":  {[][]int{a, b}, []int{3, 3}, nil},
		"more than two nodes":       {[][]int{a, b, c, d}, []int{6, 6}, nil},
		"more threads of two there": {[][]int{a, b}, []int{1, 1, 1, 2}, nil},
		"three nodes":               {[][]int{a, b, c}, []int{2, 2, 2, 2}, [][]int{a, a, b, c}},
	} {
		if got := placeWorkers(f.nodes, f.threads); !reflect.DeepEqual(got, f.want) {
			t.Errorf("%s: %v, want %v", name, got, f.want)
		}
	}
}
