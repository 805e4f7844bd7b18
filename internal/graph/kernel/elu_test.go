package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
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

// The functions have the same bits on every CPU, in place too.
func TestActivationsHaveTheSameBitsEverywhere(t *testing.T) {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-30, -1e-30, 3e38, -3e38, -87, 87, -43.5, 43.5}
	for name, f := range map[string]func(y, x []float32){
		"ELU":          func(y, x []float32) { ELU(y, x, 0.3) },
		"sigmoid":      Sigmoid,
		"tanh":         TanhOf,
		"exponential":  func(y, x []float32) { ExpBelow(y, x, slices.Max(x)) },
		"sigmoid grad": func(y, x []float32) { SigmoidGrad(y, x, y) },
	} {
		forEachImplementation(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(17, 3))
			for n := 150; n < 350; n++ { // some values are behind the vectors
				x, y := newArena(rng, n), newArena(rng, n)
				for i := range x.data() {
					x.data()[i] *= []float32{1, 30, 90}[i%3]
				}
				if name != "exponential" {
					copy(x.data()[n-145+n%100:], special)
				}
				want := y.copy()
				f(y.data(), x.data())
				reference(func() { f(want.data(), x.data()) })
				same := func(how string, got []float32) {
					t.Helper()
					for i, v := range got {
						if w := want.data()[i]; math.Float32bits(v) != math.Float32bits(w) {
							t.Fatalf("%s, %s of %g is %g, plain Go has %g", how, name, x.data()[i], v, w)
						}
					}
				}
				same("apart", y.data())
				y.checkGuards(t)
				if name != "sigmoid grad" {
					z := x.copy()
					f(z.data(), z.data())
					same("in place", z.data())
				}
			}
		})
	}
}

// TestExponentialsAreNearTheExactOnes in units of the last place, on every implementation: of all
// numbers in steps, and of the ends.
func TestExponentialsAreNearTheExactOnes(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		x := make([]float32, 0, 1<<17)
		for v := float32(-87); v < 0; v += 87. / (1 << 17) {
			x = append(x, v)
		}
		x = append(x, 0, -1e-30, -87)
		y := make([]float32, len(x))
		ExpBelow(y, x, 0)
		worst := 0.
		for i, v := range x {
			want := math.Exp(float64(v))
			_, exponent := math.Frexp(want) // want is in [2^(exponent-1), 2^exponent)
			worst = max(worst, math.Abs(float64(y[i])-want)/math.Ldexp(1, exponent-24))
		}
		if !(worst <= 3) {
			t.Errorf("%.2f units in the last place away, at most 3", worst)
		}
		t.Logf("%.3f units", worst)
		// The difference is taken first; far below nothing is left, and a NaN stays.
		nan, inf := float32(math.NaN()), float32(math.Inf(-1))
		for place := range 19 {
			for v, want := range map[float32]float64{100: 1, 99: 1 / math.E, 12.9: 0, inf: 0} {
				z := make([]float32, 19)
				z[place] = v
				ExpBelow(z, z, 100)
				if math.Abs(float64(z[place])-want) > 1e-7 {
					t.Errorf("place %d: exp(%g - 100) is %g, want %g", place, v, z[place], want)
				}
			}
			z := make([]float32, 19)
			z[place] = nan
			ExpBelow(z, z, 0)
			for i, v := range z {
				if math.IsNaN(float64(v)) != (i == place) {
					t.Errorf("a NaN in place %d gives %g in place %d", place, v, i)
				}
			}
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
