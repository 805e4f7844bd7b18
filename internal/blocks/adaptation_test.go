package blocks

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"resnet/internal/graph"
)

func TestTheNetworkBehindALayerHasNoDropout(t *testing.T) {
	spec := smallSpeech(speechRows[0])
	spec.Speech.Dropout = 0.5
	if g, err := BuildSequence(spec, 2, 6, graph.Train, graph.NewParamSet(2)); err != nil || g.Dropout == nil {
		t.Fatalf("in training it has (%v)", err)
	}
	if g, err := BuildAdaptation(spec, 2, 6, graph.NewParamSet(2)); err != nil || g.Dropout != nil {
		t.Errorf("dropout before labels of the network's own (%v)", err)
	}
}

// Gradients reach the layer through the whole frozen network: compared with central differences of
// the loss in float64.
func TestGradientsReachTheLayerBeforeAFrozenNetwork(t *testing.T) {
	for _, output := range []string{OutputFrame, OutputUtterance} {
		spec := smallSpeech(speechRows[0])
		spec.Depths, spec.Speech.Output = []int{1, 1}, output
		params := graph.NewParamSet(2)
		g, err := buildAdaptation(spec, 2, 6, params, graph.Options{Dtype: tensor.Float64})
		if err != nil {
			t.Fatal(err)
		}
		copy(g.Sequences.Lengths, []int32{6, 4})
		m, err := graph.NewTape(g, params)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 1))
		x := make([]float32, 2*g.ImageLen())
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		labels := make([]int32, g.LabelsLen())
		for i := range labels {
			labels[i] = int32(r.IntN(spec.Classes+1)) - 1
		}
		loss := func() float64 {
			result, err := m.Train(x, labels, graph.StepOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return result.Loss
		}
		for _, name := range []string{AdaptationWeight, AdaptationBias} {
			p := params.Get(name)
			for range 6 {
				k := r.IntN(len(p.Data))
				loss()
				got, at := float64(p.Grad[k]), p.Data[k]
				const h = 1.0 / 1024
				p.Data[k] = at + h
				up := loss()
				p.Data[k] = at - h
				down := loss()
				p.Data[k] = at
				// A difference of a curved function is off by h² times its third derivative.
				if want := (up - down) / (2 * h); !(math.Abs(got-want) <= 1e-4*max(1, math.Abs(want))) {
					t.Errorf("%s, %s[%d]: gradient %g, difference %g", output, name, k, got, want)
				}
			}
		}
	}
	images, _ := Lookup("resnet20")
	if _, err := BuildAdaptation(images, 1, 4, graph.NewParamSet(1)); !errors.Is(err, ErrSpec) {
		t.Errorf("a network of images: %v", err)
	}
}
