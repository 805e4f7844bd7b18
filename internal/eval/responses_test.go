package eval

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// TestResponsesAreThoseOfAForwardPass trains nothing: it runs a batch through networks with random
// parameters and compares the standard deviation of each batch normalisation's output with the
// closed form, given the batch's own variances.
func TestResponsesAreThoseOfAForwardPass(t *testing.T) {
	for _, name := range []string{"cifar-plain8", "cifar-resnet14"} {
		spec, err := blocks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		spec.InputSize = 8
		const n = 6
		params := graph.NewParamSet(1)
		g, err := blocks.Build(spec, n, graph.Train, params)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 2))
		for _, p := range params.All() {
			for i := range p.Data {
				if strings.Contains(p.Name, "bn") && p.Trainable() {
					p.Data[i] = float32(0.3 + r.NormFloat64()) // γ and β
				}
			}
		}
		tape, err := graph.NewTape(g, params)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, n*g.ImageLen())
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		// A momentum of 1 leaves the batch's own statistics.
		if _, err := tape.Train(x, make([]int32, n), graph.StepOptions{ForwardOnly: true, StatsMomentum: 1}); err != nil {
			t.Fatal(err)
		}
		nodes, err := g.Sorted()
		if err != nil {
			t.Fatal(err)
		}
		var order []float64
		for _, node := range nodes {
			if _, ok := graph.OpOf(node).(*graph.BatchNorm); !ok {
				continue
			}
			values, err := tape.Value(node)
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, std(values))
		}
		m := &Model{Spec: spec, Params: params}
		got, err := m.Responses()
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != spec.Depth()-1 || len(got) != len(order) {
			t.Fatalf("%s: %d responses, %d normalisations, want one for each 3x3 layer, %d", name, len(got), len(order), spec.Depth()-1)
		}
		for i, r := range got {
			// The running variance is the unbiased one: 1/(n·H·W) at the most.
			if math.Abs(r.Std-order[i]) > 1e-3*order[i] {
				t.Errorf("%s %s: %v, in the forward pass %v", name, r.Layer, r.Std, order[i])
			}
		}
		tape.Close()
	}
}

func std(values []float64) float64 {
	var mean, square float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		square += (v - mean) * (v - mean) / float64(len(values))
	}
	return math.Sqrt(square)
}

func TestResponsesAreOf3x3LayersAlone(t *testing.T) {
	spec, err := blocks.Lookup("resnet50")
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(1)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	got, err := (&Model{Spec: spec, Params: params}).Responses()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 16 || got[0].Layer != "layer1.0.bn2" || got[15].Layer != "layer4.2.bn2" {
		t.Errorf("got %v, want the second layer of each of 16 bottlenecks", got)
	}
}
