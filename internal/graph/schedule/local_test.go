package schedule_test

import (
	"fmt"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// TestUnitsLargerThanAGroup evaluates and trains images so large that a unit's go through a
// convolution in several groups.
func TestUnitsLargerThanAGroup(t *testing.T) {
	const n = 50
	f := nets["pre-activation"]
	make32 := func(mode graph.Mode, params *graph.ParamSet) *graph.Graph {
		b := graph.NewBuilder("large", mode, params, graph.Options{})
		g, err := b.Finish(f(b, b.Input(n, 3, 32, 32)))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	onSomeInput(t, func(seed uint64) (found []string) {
		slow, fast := graph.NewParamSet(1), graph.NewParamSet(1)
		tape, err := graph.NewTape(make32(graph.Train, slow), slow)
		if err != nil {
			t.Fatal(err)
		}
		tapeEval, err := graph.NewTape(make32(graph.Eval, slow), slow)
		if err != nil {
			t.Fatal(err)
		}
		x, labels := batch(n, 3*32*32, seed)
		m, e := compile(t, make32(graph.Train, fast), schedule.Options{Threads: 2}), compile(t, make32(graph.Eval, fast), schedule.Options{Threads: 2})
		got := train(t, m, net{params: fast, x: x, labels: labels}, graph.StepOptions{})
		found = differences("training", got, train(t, tape, net{params: slow, x: x, labels: labels}, graph.StepOptions{}), 1e-4)
		for _, k := range []int{n, n - 3, 1} {
			want, err := tapeEval.Infer(x[:k*3*32*32], k)
			if err != nil {
				t.Fatal(err)
			}
			logits, err := e.Infer(x[:k*3*32*32], k)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, differences(fmt.Sprintf("%d images", k),
				map[string][]float32{"logits": logits}, map[string][]float32{"logits": want}, 1e-4)...)
		}
		return found
	})
}
