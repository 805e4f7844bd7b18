package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestELUIsNearTheExactOne compares every implementation with the exact function in float64 on
// both sides of 0 and of the end of float32's exponents, and at special values in each place of a
// register.
func TestELUIsNearTheExactOne(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, isa := range Available() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		var x []float32
		for v := -100.; v < 3; v += 1e-3 {
			x = append(x, float32(v))
		}
		y := make([]float32, len(x))
		ELU(y, x, 0.7)
		worst := 0.
		for i, v := range x {
			want := float64(v)
			if want <= 0 {
				want = 0.7 * math.Expm1(want)
			}
			worst = max(worst, math.Abs(float64(y[i])-want))
		}
		if !(worst <= 2e-7) {
			t.Errorf("%s: %.2e away, at most 2e-7", isa, worst)
		}
		for place := range 19 { // the last three are behind the vectors
			for v, want := range map[float32]float64{0: 0, -inf: -1, inf: math.Inf(1), -1e-30: 0, -87.5: -1, 3e38: float64(float32(3e38)), -3e38: -1} {
				z := make([]float32, 19)
				z[place] = v
				ELU(z, z, 1)
				if d := math.Abs(float64(z[place]) - want); d > 1e-7 {
					t.Errorf("%s, place %d: ELU(%g) is %g, want %g", isa, place, v, z[place], want)
				}
			}
			z := make([]float32, 19)
			z[place] = nan
			ELU(z, z, 1)
			for i, v := range z {
				if math.IsNaN(float64(v)) != (i == place) {
					t.Errorf("%s: a NaN in place %d gives %g in place %d", isa, place, v, i)
				}
			}
		}
	}
}

// The gradient passes where the output is positive or a NaN and is scaled elsewhere, in place, too.
func TestELUGradientScalesBelowZero(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	for _, isa := range Available() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 51; n++ {
			y, d, want := make([]float32, n), make([]float32, n), make([]float32, n)
			for i := range y {
				y[i], d[i] = []float32{1, -0.5, 0, float32(math.NaN()), 7}[i%5], float32(i+1)
				want[i] = d[i] * []float32{1, 0.25, 0.75, 1, 1}[i%5]
			}
			ELUGrad(d, y, d, 0.75)
			for i := range d {
				if d[i] != want[i] {
					t.Errorf("%s: of %d, value %d is %g, want %g", isa, n, i, d[i], want[i])
				}
			}
		}
	}
}

// The unit has the same bits on every CPU.
func TestELUHasTheSameBitsEverywhere(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(17, 3))
		for range 200 {
			x, y := newArena(rng, 160), newArena(rng, 160)
			for i := range x.data() {
				x.data()[i] *= 90
			}
			want := y.copy()
			ELU(y.data(), x.data(), 0.3)
			reference(func() { ELU(want.data(), x.data(), 0.3) })
			for i, v := range y.data() {
				if w := want.data()[i]; math.Float32bits(v) != math.Float32bits(w) {
					t.Fatalf("ELU(%g) is %g, plain Go has %g", x.data()[i], v, w)
				}
			}
			y.checkGuards(t)
		}
	})
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
