package kernel

import (
	"math"
	"testing"
)

func TestELUIsNearTheExactOne(t *testing.T) {
	worst := 0.
	for x := -100.; x < 3; x += 1e-4 {
		y := []float32{float32(x)}
		ELU(y, y, 0.7)
		want := float64(float32(x))
		if want <= 0 {
			want = 0.7 * math.Expm1(want)
		}
		worst = max(worst, math.Abs(float64(y[0])-want))
	}
	if worst > 2e-7 {
		t.Errorf("%.2e away, at most 2e-7", worst)
	}
	y := []float32{0, float32(math.Inf(-1)), float32(math.NaN()), float32(math.Inf(1)), -1e-30}
	ELU(y, y, 1)
	if y[0] != 0 || y[1] != -1 || y[2] == y[2] || !math.IsInf(float64(y[3]), 1) || !(math.Abs(float64(y[4])) <= 1e-7) {
		t.Errorf("special values give %v", y)
	}
	d := []float32{2, 2, 2}
	ELUGrad(d, []float32{1, -0.5, 0}, d, 1)
	if d[0] != 2 || d[1] != 1 || d[2] != 2 {
		t.Errorf("gradient %v", d)
	}
}

func TestLogisticAndTanhAreNearTheExactOnes(t *testing.T) {
	for x := -50.; x < 50; x += 1e-3 {
		v := float32(x)
		if d := math.Abs(float64(Logistic(v)) - 1/(1+math.Exp(-float64(v)))); d > 3e-7 {
			t.Fatalf("logistic(%v) is %.2e away", v, d)
		}
		if d := math.Abs(float64(Tanh(v)) - math.Tanh(float64(v))); d > 3e-7 {
			t.Fatalf("tanh(%v) is %.2e away", v, d)
		}
	}
	nan := float32(math.NaN())
	if v := Logistic(nan); v == v {
		t.Errorf("logistic(NaN) is %v", v)
	}
	if v := Tanh(nan); v == v {
		t.Errorf("tanh(NaN) is %v", v)
	}
}
