package blocks

import (
	"errors"
	"math"
	"testing"

	"resnet/internal/graph"
)

// TestFeaturesAndMapsLeadToTheLogits multiplies the features of every row with its classifier's
// weights, and takes the means of the maps, by hand.
func TestFeaturesAndMapsLeadToTheLogits(t *testing.T) {
	withMaps := 0
	for _, s := range testRows {
		const n = 2
		params := graph.NewParamSet(3)
		whole, err := Build(s, n, graph.Eval, params)
		if err != nil {
			t.Fatal(err)
		}
		x := noise(n * s.InputChannels * s.InputSize * s.InputSize)
		logits := infer(t, whole, params, x)
		g, err := BuildFeatures(s, n, params)
		if err != nil {
			t.Fatal(err)
		}
		features, channels := infer(t, g, params, x), g.LogitsLen()
		w, b := params.Get(s.Head()+".weight").Data, params.Get(s.Head()+".bias").Data
		for i := range n {
			for k := range s.Classes {
				sum := float64(b[k])
				for c := range channels {
					sum += float64(w[k*channels+c]) * float64(features[i*channels+c])
				}
				near(t, s.Name, "logit", float64(logits[i*s.Classes+k]), sum)
			}
		}
		g, err = BuildMaps(s, n, params)
		if errors.Is(err, ErrSpec) && (s.has(PartFlatten) || s.has(PartPyramid)) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		withMaps++
		maps, area := infer(t, g, params, x), g.LogitsLen()/channels
		for f, mean := range features {
			var sum float64
			for _, v := range maps[f*area:][:area] {
				sum += float64(v)
			}
			near(t, s.Name, "feature", float64(mean), sum/float64(area))
		}
	}
	if withMaps < 5 {
		t.Fatalf("%d rows with maps", withMaps)
	}
}

func near(t *testing.T, net, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-4*(1+math.Abs(want))) {
		t.Fatalf("%s: a %s of %v, by hand %v", net, what, got, want)
	}
}
