package train

import (
	"math"
	"testing"

	"resnet/internal/eval"
)

// TestTheSuggestionIsTheMiddleOfTheFall: on a curve that is flat with noise up to 1e-4, falls
// evenly to 1e-2 and rises from there.
func TestTheSuggestionIsTheMiddleOfTheFall(t *testing.T) {
	var c RateCurve
	for i := range 161 {
		at := -7 + float64(i)/20 // the rate's logarithm
		loss := 2 + 0.001*float64(i%2) - min(max(at+4, 0), 2) + 5*max(at+2, 0)
		c.Points = append(c.Points, RatePoint{Rate: math.Pow(10, at), Smoothed: loss})
	}
	c.suggest()
	if math.Abs(math.Log10(c.Suggestion)+3) > 0.1 || math.Abs(math.Log10(c.Lowest)+2) > 0.06 {
		t.Errorf("suggestion %v, lowest %v; want 1e-3 and 1e-2", c.Suggestion, c.Lowest)
	}
	rising := RateCurve{}
	for i := range 30 {
		rising.Points = append(rising.Points, RatePoint{Rate: float64(i + 1), Smoothed: float64(i)})
	}
	rising.suggest()
	if rising.Suggestion != 0 {
		t.Errorf("of a loss that only rises: %v", rising.Suggestion)
	}
}

// TestAFoundRateIsOneThatTrains: the rates grow evenly, the loss falls and then bursts, nothing is
// saved, and the suggestion lies before the burst.
func TestAFoundRateIsOneThatTrains(t *testing.T) {
	cfg := toyConfig()
	r := newToy(t, cfg, eval.Config{Every: 3}, t.TempDir())
	c, err := FindRate(t.Context(), r.o, RateSearch{From: 1e-5, To: 1e4, Steps: 100})
	must(t, err)
	if n := len(c.Points); n < 40 || !c.Diverged {
		t.Fatalf("%d points, diverged %v", n, c.Diverged)
	}
	for i := 2; i < len(c.Points); i++ {
		a, b := c.Points[i-1].Rate/c.Points[i-2].Rate, c.Points[i].Rate/c.Points[i-1].Rate
		if math.Abs(a/b-1) > 1e-9 {
			t.Fatalf("rates %v, %v, %v", c.Points[i-2].Rate, c.Points[i-1].Rate, c.Points[i].Rate)
		}
	}
	if !(c.Suggestion > 1e-4 && c.Suggestion < 10) || c.Suggestion > c.Lowest {
		t.Errorf("suggestion %v, lowest %v", c.Suggestion, c.Lowest)
	}
	if r.store.saved != nil {
		t.Error("a checkpoint was saved")
	}
	if _, err := FindRate(t.Context(), r.o, RateSearch{From: 1, To: 1, Steps: 100}); err == nil {
		t.Error("a search that does not grow")
	}
}
