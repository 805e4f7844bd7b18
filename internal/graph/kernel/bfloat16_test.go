package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBFloat16RoundsToTheNearestOfEvenMantissa(t *testing.T) {
	for bits := range 1 << 16 {
		b := BFloat16(bits)
		f := b.Float32()
		if f != f {
			if got := ToBFloat16(f).Float32(); got == got {
				t.Fatalf("%#04x is a NaN and becomes %v", bits, got)
			}
			continue
		}
		if got := ToBFloat16(f); got != b {
			t.Fatalf("%#04x becomes %#04x", bits, got)
		}
		next := math.Float32bits(f) + 0x8000 // halfway to the one of the next larger magnitude
		want := b + b&1
		for d, want := range map[uint32]BFloat16{next - 1: b, next: want, next + 1: b + 1} {
			if got := ToBFloat16(math.Float32frombits(d)); bits&0x7fff < 0x7f80 && got != want {
				t.Fatalf("%#08x becomes %#04x, not %#04x", d, got, want)
			}
		}
	}
}

// forEachBF16 runs f once for all kernels of bfloat16 but those in plain Go, which the others are
// compared with; in(f) runs f with them.
func forEachBF16(t *testing.T, f func(t *testing.T, in func(func()))) {
	for _, name := range AvailableBF16() {
		if name == genericBF16.name {
			continue
		}
		t.Run(name, func(t *testing.T) {
			f(t, func(run func()) {
				defer func(old *bf16Kernels) { activeBF16 = old }(activeBF16)
				if err := UseBF16(name); err != nil {
					t.Fatal(err)
				}
				run()
			})
		})
	}
}

func withGenericBF16(f func()) {
	defer func(old *bf16Kernels) { activeBF16 = old }(activeBF16)
	activeBF16 = genericBF16
	f()
}

// smallIntegers are values whose sums of products are exact in any order.
func smallIntegers(rng *rand.Rand, n int) []BFloat16 {
	x := make([]BFloat16, n)
	for i := range x {
		x[i] = ToBFloat16(float32(rng.IntN(17) - 8))
	}
	return x
}

func realValues(rng *rand.Rand, n int) []BFloat16 {
	x := make([]BFloat16, n)
	for i := range x {
		x[i] = ToBFloat16(rng.Float32()*2 - 1)
	}
	return x
}

// near reports whether sums of so many products of values below 1 differ by rounding alone.
func near(a, b float32, products int) bool {
	return math.Abs(float64(a-b)) <= 1e-7*float64(products)+1e-6
}

func TestBF16Tile(t *testing.T) {
	forEachBF16(t, func(t *testing.T, in func(func())) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, width := range []int{1, 2, 3, 4, 7, 8, 9, 14, 16, 17, 28, 33} {
			for nb := 1; nb <= 2; nb++ {
				for _, pixel := range []int{16, 32} {
					for strips := 1; strips <= 5; strips++ {
						var np int
						in(func() { np = BF16Pixels(width) })
						taps := []int{64, 0, 96, 32, 160}[:1+rng.IntN(5)]
						tile := BF16Tile{Taps: taps, XPixel: pixel, YPixel: 16 + 16*rng.IntN(2), W2: len(taps)*BF16Tap + 32}
						tile.Y2 = strips*np*tile.YPixel + 16
						for s := range strips {
							tile.At = append(tile.At, (strips-1-s)*np*pixel+32, s*np*tile.YPixel)
						}
						xLen := strips*np*pixel + 160 + 64
						for _, values := range []func(*rand.Rand, int) []BFloat16{smallIntegers, realValues} {
							tile.X, tile.W = values(rng, xLen), values(rng, 2*tile.W2)
							want, got := newArena(rng, 2*tile.Y2), newArena(rng, 2*tile.Y2)
							copy(got.data(), want.data())
							at := slices.Clone(tile.At)
							tile.Y = want.data()
							withGenericBF16(func() { tile.Run(np, nb) })
							tile.Y = got.data()
							in(func() { tile.Run(np, nb) })
							what := fmt.Sprintf("width %d in strips of %d, %d blocks, pixels of %d, %d strips, %d taps", width, np, nb, pixel, strips, len(taps))
							got.checkGuards(t)
							if !slices.Equal(at, tile.At) {
								t.Fatalf("%s: the list of strips has become %v", what, tile.At)
							}
							for i, w := range want.data() {
								if g := got.data()[i]; !near(g, w, 32*len(taps)) {
									t.Fatalf("%s: value %d is %v, not %v", what, i, g, w)
								}
							}
						}
					}
				}
			}
		}
	})
}

func TestBF16Grad(t *testing.T) {
	forEachBF16(t, func(t *testing.T, in func(func())) {
		rng := rand.New(rand.NewPCG(3, 4))
		for steps := 1; steps <= 3; steps++ {
			for nb := 1; nb <= 2; nb++ {
				for places := 1; places <= 9; places++ {
					g := BF16Grad{XRow: steps*BF16Step + 5 + rng.IntN(64), Steps: steps, DY2: steps*512 + 32, DW2: 256 * places}
					for p := range places {
						g.At = append(g.At, rng.IntN(30), (places-1-p)*256)
					}
					g.X, g.DY = smallIntegers(rng, 16*g.XRow+64), smallIntegers(rng, 2*g.DY2)
					want, got := newArena(rng, 2*g.DW2), newArena(rng, 2*g.DW2)
					for i := range want.data() {
						want.data()[i] = float32(rng.IntN(9) - 4)
					}
					copy(got.data(), want.data())
					g.DW = want.data()
					withGenericBF16(func() { g.Run(nb) })
					g.DW = got.data()
					in(func() { g.Run(nb) })
					got.checkGuards(t)
					for i, w := range want.data() {
						if v := got.data()[i]; v != w {
							t.Fatalf("%d steps, %d blocks, %d places: value %d is %v, not %v", steps, nb, places, i, v, w)
						}
					}
				}
			}
		}
	})
}

func TestJoinedAndTransposedRoundAlike(t *testing.T) {
	forEachBF16(t, func(t *testing.T, in func(func())) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, n := range []int{1, 2, 7, 33} {
			for _, step := range []int{16, 32} {
				x := newArena(rng, n*step+64)
				j := Joined{X: x.data(), X2: x.data()[16:], N: n, Step: step}
				for name, run := range map[string]func(){"concat": j.Concat, "interleave": j.Interleave} {
					want, got := make([]BFloat16, n*32+1), make([]BFloat16, n*32+1)
					j.Y = want
					withGenericBF16(run)
					j.Y = got
					in(run)
					if !slices.Equal(want, got) {
						t.Fatalf("%s of %d vectors differs", name, n)
					}
				}
			}
			tr := Transposed{X: newArena(rng, n*512).data(), Steps: n, YRow: n*32 + 7}
			want, got := make([]BFloat16, 16*tr.YRow+1), make([]BFloat16, 16*tr.YRow+1)
			tr.Y = want
			withGenericBF16(tr.Run)
			tr.Y = got
			in(tr.Run)
			if !slices.Equal(want, got) {
				t.Fatalf("%d steps are transposed otherwise", n)
			}
		}
	})
}

func TestGatheredRoundsAlike(t *testing.T) {
	forEachBF16(t, func(t *testing.T, in func(func())) {
		rng := rand.New(rand.NewPCG(7, 8))
		for _, lanes := range []int{1, 5, 16} {
			for _, apart := range [][2]int{{1, 16}, {9, 144}, {300, 9}, {36, 1}} {
				g := Gathered{N: 3, Lane: apart[0], Step: apart[1], Lanes: lanes}
				g.X = newArena(rng, (lanes-1)*g.Lane+5*g.Step+1).data()
				want, got := make([]BFloat16, 3*32+1), slices.Repeat([]BFloat16{7}, 3*32+1)
				want[96] = 7
				g.Y = want
				withGenericBF16(g.Run)
				g.Y = got
				in(g.Run)
				if !slices.Equal(want, got) {
					t.Fatalf("%d lanes %d apart in steps of %d differ:\n%v\n%v", lanes, g.Lane, g.Step, got, want)
				}
			}
		}
	})
}

func TestMixedRoundsAlike(t *testing.T) {
	forEachBF16(t, func(t *testing.T, in func(func())) {
		rng := rand.New(rand.NewPCG(9, 10))
		for _, n := range []int{1, 15, 16, 50} {
			for channels := 1; channels <= 4; channels++ {
				m := Mixed{N: n}
				rows := newArena(rng, channels*n).data()
				for c := range channels {
					m.X[c] = rows[c*n : (c+1)*n]
				}
				x := m.X
				want, got := slices.Repeat([]BFloat16{7}, 4*n+1), slices.Repeat([]BFloat16{7}, 4*n+1)
				m.Y = want
				withGenericBF16(m.Run)
				m.X, m.Y = x, got
				in(m.Run)
				if !slices.Equal(want, got) {
					t.Fatalf("%d pixels of %d channels differ", n, channels)
				}
				for i := range 4 * n {
					v := BFloat16(0)
					if c := i % 4; c < channels {
						v = ToBFloat16(x[c][i/4])
					}
					if want[i] != v {
						t.Fatalf("value %d is %v", i, want[i])
					}
				}
			}
		}
	})
}
