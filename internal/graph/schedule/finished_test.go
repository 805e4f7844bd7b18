package schedule_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// TestAGradientIsCompleteWhenItIsToldOf: what is told of does not change any more, each parameter
// at most once, and in a second call without a listener nobody is told.
func TestAGradientIsCompleteWhenItIsToldOf(t *testing.T) {
	for name, f := range nets {
		for what, o := range map[string]schedule.Options{"plain": {Threads: 2}, "in rounds": inRounds(2)} {
			t.Run(fmt.Sprint(name, "/", what), func(t *testing.T) {
				n := draw(t, f, 5, 1)
				m, err := schedule.Compile(n.train, o)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				told := map[*graph.Param][]float32{}
				train(t, m, n, graph.StepOptions{Finished: func(p *graph.Param) {
					if told[p] != nil {
						t.Errorf("%s is told of twice", p.Name)
					}
					told[p] = slices.Clone(p.Grad)
				}})
				trained := 0
				for _, p := range n.params.All() {
					if p.Trainable() {
						trained++
					}
					for i, x := range told[p] {
						if math.Float32bits(x) != math.Float32bits(p.Grad[i]) {
							t.Errorf("the gradient of %s changes after it was told of", p.Name)
							break
						}
					}
				}
				if 2*len(told) < trained {
					t.Errorf("%d of %d parameters were told of", len(told), trained)
				}
				before := len(told)
				train(t, m, n, graph.StepOptions{})
				if len(told) != before {
					t.Error("a listener of a former call is told")
				}
			})
		}
	}
}
