package eval

import (
	"errors"
	"math"
	"testing"

	"resnet/internal/blocks"
)

// TestTheMeanOfAnActivationMapIsTheLogit but for the bias.
func TestTheMeanOfAnActivationMapIsTheLogit(t *testing.T) {
	m := tiny(t, "tiny-imagenet-stem", 3)
	p, cuts := cutsOf(t, m, CropsOne)
	logits, maps := NewScorer(m, p, ScorerOptions{Factory: tape}), NewScorer(m, p, ScorerOptions{Factory: tape, Form: Maps})
	defer logits.Close()
	defer maps.Close()
	for _, c := range cuts[:3] {
		z, err := logits.Scores(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		v, err := maps.Scores(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for k := range z {
			cam, n, err := m.ActivationMap(v, k)
			if err != nil || n*n != len(cam) || n < 2 {
				t.Fatalf("%d values, side %d, %v", len(cam), n, err)
			}
			sum := float64(m.Params.Get("fc.bias").Data[k])
			for _, x := range cam {
				sum += float64(x) / float64(len(cam))
			}
			if math.Abs(sum-float64(z[k])) > 1e-4*(1+math.Abs(sum)) {
				t.Fatalf("class %d: the mean of the map and the bias are %v, the logit %v", k, sum, z[k])
			}
		}
		for _, k := range []int{-1, len(z)} {
			if _, _, err := m.ActivationMap(v, k); !errors.Is(err, blocks.ErrSpec) {
				t.Errorf("class %d: %v", k, err)
			}
		}
	}
}
