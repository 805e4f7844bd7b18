package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestResponse(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	for _, isa := range Available() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(31, 1))
		for n := 16; n <= 80; n += 16 {
			x, s, d, y, g, part := newArena(rng, n), newArena(rng, n), newArena(rng, n), newArena(rng, n), newArena(rng, n), newArena(rng, n)
			var wantY, wantG, wantT []float32
			for i := range n {
				s.data()[i] *= s.data()[i]
				scale := 1.5 + float64(s.data()[i])
				wantY = append(wantY, float32(float64(x.data()[i])*math.Pow(scale, -0.75)))
				wantG = append(wantG, float32(float64(d.data()[i])*math.Pow(scale, -0.75)))
				wantT = append(wantT, float32(float64(d.data()[i])*float64(x.data()[i])*math.Pow(scale, -1.75)))
			}
			r := &Response{X: x.data(), S: s.data(), Y: y.data(), N: n, K: 1.5}
			r.Apply()
			r.D, r.Y, r.T = d.data(), g.data(), part.data()
			r.Grad()
			what := fmt.Sprintf("%s, %d values", isa, n)
			same(t, what, y.data(), wantY, 4e-7)
			same(t, what+": gradient", g.data(), wantG, 4e-7)
			same(t, what+": part", part.data(), wantT, 4e-7)
			for _, a := range []arena{y, g, part} {
				a.checkGuards(t)
			}
		}
	}
}
