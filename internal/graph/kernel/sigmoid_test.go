package kernel

import (
	"math"
	"testing"
)

func TestSigmoidIsNearTheExactOneAndSoIsItsGradient(t *testing.T) {
	var x []float32
	for v := -40.; v < 40; v += 1.0 / 64 {
		x = append(x, float32(v))
	}
	y, dx := make([]float32, len(x)), make([]float32, len(x))
	Sigmoid(y, x)
	for i := range dx {
		dx[i] = 3
	}
	SigmoidGrad(dx, y, dx)
	for i, v := range x {
		e := math.Exp(-float64(v))
		if want := 1 / (1 + e); math.Abs(float64(y[i])-want) > 3e-7 {
			t.Fatalf("sigmoid(%v) = %v, want %v", v, y[i], want)
		}
		if want := 3 * e / ((1 + e) * (1 + e)); math.Abs(float64(dx[i])-want) > 1e-6 {
			t.Fatalf("the gradient at %v is %v, want %v", v, dx[i], want)
		}
	}
	special := []float32{0, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	Sigmoid(special, special)
	if special[0] != 0.5 || special[1] != 1 || special[2] != 0 || special[3] == special[3] {
		t.Errorf("special values give %v", special)
	}
}
