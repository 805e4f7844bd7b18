package schedule

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestLossOfManyClassesIsNearTheExactOne: float32's exponentials move neither loss nor gradient by
// more than float32 does, for logits close together and far apart, and the loss is the same without
// a gradient.
func TestLossOfManyClassesIsNearTheExactOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	for _, classes := range []int{1, 15, 16, 2042} {
		for _, width := range []float64{0, 0.1, 3, 60} {
			logits, want := make([]float32, classes), make([]float32, classes)
			got, e := make([]float32, classes), make([]float32, classes)
			for i := range logits {
				logits[i] = float32(width * rng.NormFloat64())
			}
			label := rng.IntN(classes)
			exact, near := softmaxLoss(want, logits, label, 7), manyClasses(got, logits, e, label, 7)
			if math.Abs(near-exact) > 3e-7*max(1, math.Abs(exact)) {
				t.Errorf("%d classes, width %g: loss %.9g, want %.9g", classes, width, near, exact)
			}
			if alone := manyClasses(nil, logits, e, label, 7); alone != near {
				t.Errorf("%d classes, width %g: %g without the gradient, %g with it", classes, width, alone, near)
			}
			for i := range want {
				if d := math.Abs(float64(got[i] - want[i])); d > 1e-6*math.Abs(float64(want[i]))+1e-8 {
					t.Fatalf("%d classes, width %g: gradient %d is %g, want %g", classes, width, i, got[i], want[i])
				}
			}
		}
	}
	nan := []float32{0, float32(math.NaN()), 1}
	if loss := manyClasses(nil, nan, make([]float32, 3), 0, 1); !math.IsNaN(loss) {
		t.Errorf("a NaN among the logits gives a loss of %g", loss)
	}
}
