package kernel

import (
	"math"
	"testing"
)

// TestSigmoidIsNearTheExactOneAndSoIsItsGradient on every implementation, and the tangent.
func TestSigmoidIsNearTheExactOneAndSoIsItsGradient(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		var x []float32
		for v := -40.; v < 40; v += 1.0 / 64 {
			x = append(x, float32(v))
		}
		y, dx, tangent := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
		Sigmoid(y, x)
		TanhOf(tangent, x)
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
			if want := math.Tanh(float64(v)); math.Abs(float64(tangent[i])-want) > 3e-7 {
				t.Fatalf("tanh(%v) = %v, want %v", v, tangent[i], want)
			}
		}
		for place := range 19 {
			for _, c := range []struct{ x, sigmoid, tanh float32 }{
				{0, 0.5, 0}, {float32(math.Inf(1)), 1, 1}, {float32(math.Inf(-1)), 0, -1}, {float32(math.NaN()), float32(math.NaN()), float32(math.NaN())},
			} {
				y, z := make([]float32, 19), make([]float32, 19)
				y[place], z[place] = c.x, c.x
				Sigmoid(y, y)
				TanhOf(z, z)
				for i, got := range []float32{y[place], z[place]} {
					if want := []float32{c.sigmoid, c.tanh}[i]; got != want && !(got != got && want != want) {
						t.Errorf("place %d: of %v %v, want %v", place, c.x, got, want)
					}
				}
			}
		}
	})
}
