package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestWindow compares pooling and its derivative with plain Go, with ties (the first tap wins) and
// NaN in the input, for strides of one and two pixels and windows that overlap.
func TestWindow(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		for pixels := 1; pixels <= 9; pixels++ {
			for _, step := range []int{16, 32} {
				for _, taps := range [][]int{{0}, {0, 16, 32, 320, 336, 352}, {16, 0, 640}} {
					n := 640 + (pixels-1)*step + 16
					x, y, d, dx := newArena(rng, n), newArena(rng, pixels*16), newArena(rng, pixels*16), newArena(rng, n)
					for i := range x.data() {
						x.data()[i] = float32(rng.IntN(4)) - 2
					}
					x.data()[rng.IntN(n)] = float32(math.NaN())
					want, wantDX := y.copy(), dx.copy()
					sum := newArena(rng, pixels*16)
					wantSum := sum.copy()
					run := func(y, dx, sum arena) {
						w := &Window{X: x.data(), Y: y.data(), D: d.data(), DX: dx.data(), Taps: taps, Pixels: pixels, XPixel: step, Scale: 0.3}
						w.Max()
						w.MaxGrad()
						w.Spread()
						w.Y = sum.data()
						w.Sum()
					}
					run(y, dx, sum)
					reference(func() { run(want, wantDX, wantSum) })
					what := fmt.Sprintf("%d pixels, step %d, %d taps", pixels, step, len(taps))
					same(t, what, y.data(), want.data(), 0)
					same(t, what+": gradient", dx.data(), wantDX.data(), 1e-6)
					same(t, what+": sum", sum.data(), wantSum.data(), 1e-6)
					sum.checkGuards(t)
					y.checkGuards(t)
					dx.checkGuards(t)
				}
			}
		}
	})
}

func TestWindowKeepsNaNAndTheFirstOfEquals(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	for _, isa := range Available() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		w := Window{X: make([]float32, 64), Y: make([]float32, 16), D: make([]float32, 16), DX: make([]float32, 64), Taps: []int{0, 16, 32, 48}, Pixels: 1}
		// Lane 0 is a tie of taps 1 and 2, lane 1 has a NaN before a number, lane 2 a NaN after a
		// number, and lane 3 nothing above zero.
		w.X[16], w.X[32] = 3, 3
		w.X[1], w.X[17] = float32(math.NaN()), 7
		w.X[2], w.X[50] = 7, float32(math.NaN())
		w.D[0], w.X[3], w.X[19], w.X[35], w.X[51] = 5, -1, -2, -3, -4
		w.Max()
		w.MaxGrad()
		if w.Y[0] != 3 || w.Y[1] == w.Y[1] || w.Y[2] == w.Y[2] || w.Y[3] != -1 {
			t.Errorf("%s: largest values %v", isa, w.Y[:4])
		}
		if w.DX[0] != 0 || w.DX[16] != 5 || w.DX[32] != 0 {
			t.Errorf("%s: of a tie the gradients are %g, %g, %g", isa, w.DX[0], w.DX[16], w.DX[32])
		}
	}
}
