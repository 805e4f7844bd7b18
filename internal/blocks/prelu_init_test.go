package blocks

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"resnet/internal/graph"
)

// TestPReLUNetsAreInitialisedForTheirSlope: the convolutions of a PReLU-net have the variance of
// eq. 15 of He et al. 2015 with a = 0.25, those of a residual network that of eq. 10.
func TestPReLUNetsAreInitialisedForTheirSlope(t *testing.T) {
	for name, a := range map[string]float64{"tiny-prelu-net": 0.25, "resnet20": 0} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		params := graph.NewParamSet(3)
		if _, err := Build(s, 2, graph.Train, params); err != nil {
			t.Fatal(err)
		}
		// Every value is a draw keyed by seed and name, times √(2/((1+a²)·n)).
		for _, p := range params.All() {
			if p.Kind != graph.KindWeight || len(p.Shape) != 4 {
				continue
			}
			key := fnv.New64a()
			key.Write([]byte(p.Name))
			r := rand.New(rand.NewPCG(3, key.Sum64()))
			std := math.Sqrt(2 / ((1 + a*a) * float64(p.Shape[1]*p.Shape[2]*p.Shape[3])))
			for i, w := range p.Data[:9] {
				if want := float32(std * r.NormFloat64()); w != want {
					t.Errorf("%s: %s[%d] is %v, want %v", name, p.Name, i, w, want)
				}
			}
		}
	}
}
