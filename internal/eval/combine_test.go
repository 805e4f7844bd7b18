package eval

import (
	"math"
	"testing"
)

// TestAViewThatIsNotFiniteIsNotAveragedAway: the probability of a logit of -Inf is 0, so that a
// mean of probabilities would hide it.
func TestAViewThatIsNotFiniteIsNotAveragedAway(t *testing.T) {
	for _, bad := range []float64{math.Inf(-1), math.Inf(1), math.NaN()} {
		for _, combine := range []Combine{CombineSoftmax, CombineLogits} {
			dst := make([]float32, 3)
			newMean(combine, 3).scores(dst, [][]float32{{1, 2, 3}, {4, float32(bad), 5}})
			if dst[0] != 4 || dst[1]-dst[1] == 0 || dst[2] != 5 {
				t.Errorf("%s, %v: scores %v, want the view that is not finite", combine, bad, dst)
			}
		}
	}
}
