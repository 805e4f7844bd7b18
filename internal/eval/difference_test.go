package eval

import (
	"math"
	"testing"
)

// TestNoiseIsTwoStandardErrors has values computed by hand.
func TestNoiseIsTwoStandardErrors(t *testing.T) {
	for name, c := range map[string]struct {
		a, b          Sample
		points, noise float64
		sign          int
		text          string
	}{
		// 2 √(20·80/1000 + 50·50/1000) = 2 √4.1
		"images alone": {Sample{Error: 20, Runs: 1, Images: 1000}, Sample{Error: 50, Runs: 1, Images: 1000}, -30, 4.049691346263317, -1, "30.00 points, noise 4.05"},
		// 2 √(19.5·80.5/1000 + 18.6·81.4/1000) = 2 √3.08379
		"the tour's": {Sample{Error: 19.5, Runs: 1, Images: 1000}, Sample{Error: 18.6, Runs: 1, Images: 1000}, 0.9, 3.5121446439462027, 0, "0.90 points, noise 3.51"},
		// 2 √(10·90/100 + 10·90/400) = 2 √11.25
		"other numbers of images": {Sample{Error: 10, Runs: 1, Images: 100}, Sample{Error: 10, Runs: 1, Images: 400}, 0, 6.708203932499369, 0, "0.00 points, noise 6.71"},
		// 2 √(9/2 + 16/4) = 2 √8.5 is more than 2 √(1600/10⁶ + 2400/10⁶)
		"seeds": {Sample{Error: 60, Std: 4, Runs: 4, Images: 1e6}, Sample{Error: 20, Std: 3, Runs: 2, Images: 1e6}, 40, 5.830951894845301, 1, "40.00 points, noise 5.83"},
		// 2 √(50·50/100 + 50·50/100) = 2 √50 is more than 2 √(1/4 + 1/4)
		"images beyond seeds": {Sample{Error: 50, Std: 1, Runs: 4, Images: 100}, Sample{Error: 50, Std: 1, Runs: 4, Images: 100}, 0, 14.142135623730951, 0, "0.00 points, noise 14.14"},
		// One run spreads as the others do: 2 √(9/1 + 9/4) = 2 √11.25
		"one run against four": {Sample{Error: 20, Runs: 1, Images: 1e6}, Sample{Error: 10, Std: 3, Runs: 4, Images: 1e6}, 10, 6.708203932499369, 1, "10.00 points, noise 6.71"},
		"four runs against one": {
			Sample{Error: 10, Std: 3, Runs: 4, Images: 1e6},
			Sample{Error: 20, Runs: 1, Images: 1e6},
			-10, 6.708203932499369, -1,
			"10.00 points, noise 6.71",
		},
		"no number of images":      {Sample{Error: 10, Runs: 1}, Sample{Error: 90, Runs: 1, Images: 100}, -80, math.Inf(1), 0, "80.00 points, noise unknown"},
		"nor of the second's":      {Sample{Error: 90, Runs: 1, Images: 100}, Sample{Error: 10, Runs: 1}, 80, math.Inf(1), 0, "80.00 points, noise unknown"},
		"a perfect one of unknown": {Sample{Error: 10, Runs: 1, Images: 100}, Sample{Error: 0, Runs: 1}, 10, math.Inf(1), 0, "10.00 points, noise unknown"},
		// 2 √(25·75/300 + 0) = 5: a difference of the noise's size is none.
		"no more than the noise": {Sample{Error: 25, Runs: 1, Images: 300}, Sample{Error: 20, Runs: 0, Images: math.MaxInt}, 5, 5, 0, "5.00 points, noise 5.00"},
	} {
		d := Compare(c.a, c.b)
		if math.Abs(d.Points-c.points) > 1e-12 || math.Abs(d.Noise-c.noise) > 1e-12 || d.Sign() != c.sign || d.String() != c.text {
			t.Errorf("%s: %v (%+v, sign %d), want %v, noise %v, sign %d, %q", name, d, d, d.Sign(), c.points, c.noise, c.sign, c.text)
		}
		if back := Compare(c.b, c.a); back.Points != -d.Points || back.Noise != d.Noise && !math.IsInf(d.Noise, 1) || back.Sign() != -c.sign {
			t.Errorf("%s: the other way round %+v, want the opposite of %+v", name, back, d)
		}
	}
}

func TestSampleHasItsSpreadWhereThereAreSeveralRuns(t *testing.T) {
	for want, s := range map[string]Sample{"8.75": {Error: 8.75, Runs: 1}, "6.61 ± 0.16": {Error: 6.61, Std: 0.16, Runs: 5}} {
		if s.String() != want {
			t.Errorf("%q, want %q", s, want)
		}
	}
}
