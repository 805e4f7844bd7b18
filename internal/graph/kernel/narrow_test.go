package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// nearest is ToBFloat16 by another way: of the neighbours, the closer one, or the even one.
func nearest(x float32) BFloat16 {
	low := BFloat16(math.Float32bits(x) >> 16)
	high := low + 1
	exact := func(v float64) *big.Float { return new(big.Float).SetFloat64(v) }
	at := func(b BFloat16) *big.Float {
		if b&0x7f80 == 0x7f80 && b&0x7f == 0 { // where infinity would be if it were a number
			return exact(math.Copysign(math.Ldexp(1, 128), float64(b.Float32())))
		}
		return exact(float64(b.Float32()))
	}
	below, above := new(big.Float).Sub(exact(float64(x)), at(low)), new(big.Float).Sub(at(high), exact(float64(x)))
	switch c := below.Abs(below).Cmp(above.Abs(above)); {
	case c < 0 || c == 0 && low&1 == 0:
		return low
	default:
		return high
	}
}

// awkward are all bfloat16 values as float32, and of each what lies between it and the next one:
// just beside it, and at, just below and just above the middle.
func awkward() (x []float32, want []BFloat16) {
	for b := range 1 << 16 {
		for _, rest := range []uint32{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
			v := math.Float32frombits(uint32(b)<<16 | rest)
			w := BFloat16(b)
			switch {
			case v != v:
				w |= 0x40 // quiet
			case rest > 0 && !math.IsInf(float64(v), 0):
				w = nearest(v)
			}
			x, want = append(x, v), append(want, w)
		}
	}
	return x, want
}

func eachImplementation(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	best := Active()
	defer func() { _ = Use(best) }()
	for _, name := range Available() {
		if err := Use(name); err != nil {
			t.Fatal(err)
		}
		t.Run(name, f)
	}
}

// TestRoundingOfEveryBFloat16 compares what every implementation writes, and reads again, bit by
// bit.
func TestRoundingOfEveryBFloat16(t *testing.T) {
	x, want := awkward()
	eachImplementation(t, func(t *testing.T) {
		m := NarrowMoments{X: x, Pixels: len(x) / 16, K: &Vec{}, S1: &Vec{}, S2: &Vec{}, Y: make([]BFloat16, len(x))}
		for _, run := range []func(){m.Round, m.Run} {
			clear(m.Y)
			run()
			for i, w := range want {
				if m.Y[i] != w {
					t.Fatalf("%x becomes %x, want %x", math.Float32bits(x[i]), m.Y[i], w)
				}
			}
		}
		mask := NarrowMask{D: x, Z: want, G: make([]BFloat16, len(x)), Mean: &Vec{}, S1: &Vec{}, S2: &Vec{}, Pixels: m.Pixels}
		mask.Run(MaskNone)
		if !slices.Equal(mask.G, want) {
			t.Error("a gradient is rounded in another way")
		}
		a := NarrowAffine{X: want, Y: make([]float32, len(want)), Pixels: 1, Rows: m.Pixels, XRow: 16, YRow: 16, XPixel: 16}
		a.Copy()
		for i, w := range want {
			if got := math.Float32bits(a.Y[i]); got != uint32(w)<<16 {
				t.Fatalf("%x is read as %x", w, got)
			}
		}
	})
}

// narrowArena is an arena of random bfloat16 values, between guard words.
func narrowArena(rng *rand.Rand, n int) (arena, []BFloat16) {
	a := newArena(rng, n/2)
	y := BFloat16s(a.data())
	for i := range y {
		y[i] = ToBFloat16(rng.Float32()*2 - 1)
	}
	return a, y
}

func TestNarrowAffine(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 11))
		for pixels := 1; pixels <= 9; pixels++ {
			for _, step := range []int{16, 32} {
				const rows = 3
				xRow, rRow, yRow := pixels*step+32, pixels*step+48, pixels*16+16
				_, x := narrowArena(rng, (rows-1)*xRow+(pixels-1)*step+16)
				_, r := narrowArena(rng, (rows-1)*rRow+(pixels-1)*step+16)
				x[3] = ToBFloat16(float32(math.NaN()))
				var s, u, s2 Vec
				for i := range s {
					s[i], u[i], s2[i] = rng.Float32()-.5, rng.Float32()-.5, rng.Float32()-.5
				}
				for kind := range 6 {
					y := newArena(rng, (rows-1)*yRow+pixels*16)
					want := y.copy()
					a := &NarrowAffine{X: x, R: r, Y: y.data(), S: &s, T: &u, S2: &s2, Pixels: pixels, Rows: rows, XRow: xRow, RRow: rRow, YRow: yRow, XPixel: step}
					// The same map of the same float32 values by the implementation's own
					// kernel: to the bit.
					b := &Affine{X: widened(x), R: widened(r), Y: want.data(), S: &s, T: &u, S2: &s2, Pixels: pixels, Rows: rows, XRow: xRow, RRow: rRow, YRow: yRow, XPixel: step}
					for _, m := range []interface {
						Copy()
						Map(relu bool)
						MapPReLU()
						Map2(relu bool)
					}{a, b} {
						switch kind {
						case 0:
							m.Copy()
						case 1, 2:
							m.Map(kind == 2)
						case 5:
							m.MapPReLU()
						default:
							m.Map2(kind == 4)
						}
					}
					same(t, fmt.Sprintf("kind %d, %d pixels", kind, pixels), y.data(), want.data(), 0)
					y.checkGuards(t)
				}
			}
		}
	})
}

func widened(x []BFloat16) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = v.Float32()
	}
	return y
}

// TestNarrowMomentsAndMask compares with the float32 kernels of plain Go on the rounded values.
func TestNarrowMomentsAndMask(t *testing.T) {
	eachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(11, 12))
		for pixels := 1; pixels <= 11; pixels++ {
			d := newArena(rng, pixels*16)
			_, r := narrowArena(rng, pixels*16)
			_, y := narrowArena(rng, pixels*16)
			_, z := narrowArena(rng, pixels*16)
			vecs := newArena(rng, 16*3)
			s, u, mean := (*Vec)(vecs.data()), (*Vec)(vecs.data()[16:]), (*Vec)(vecs.data()[32:])
			to, g := narrowArena(rng, pixels*16)
			sums := newArena(rng, 32)
			want := sums.copy()
			(&NarrowMoments{X: d.data(), Pixels: pixels, K: mean, S1: (*Vec)(sums.data()), S2: (*Vec)(sums.data()[16:]), Y: g}).Run()
			genericMoments(&Moments{X: widened(g), Pixels: pixels, K: mean, S1: (*Vec)(want.data()), S2: (*Vec)(want.data()[16:])})
			same(t, "moments", sums.data(), want.data(), 2e-5)
			sums.checkGuards(t)
			to.checkGuards(t)
			for i, v := range d.data() {
				if g[i] != ToBFloat16(v) {
					t.Fatalf("%g is written as %g", v, g[i].Float32())
				}
			}
			for by := MaskNone; by <= MaskSlope; by++ {
				for _, add := range []bool{false, true} {
					to, g := narrowArena(rng, pixels*16)
					sums := newArena(rng, 32)
					want := sums.copy()
					m := &NarrowMask{D: d.data(), Y: y, Z: z, G: g, S: s, T: u, Mean: mean, S1: (*Vec)(sums.data()), S2: (*Vec)(sums.data()[16:]), Pixels: pixels}
					// One float32 kernel makes the gradient; the sums are those of the
					// rounded one, which another call takes.
					exact := Mask{
						D: d.data(), Y: widened(y), Z: widened(z), G: make([]float32, pixels*16), S: s, T: u, Mean: mean,
						S1: &Vec{}, S2: (*Vec)(want.data()[16:]), Pixels: pixels,
					}
					if add {
						m.R, exact.R = r, widened(r)
					}
					if by != MaskSlope {
						exact.S2 = &Vec{}
					}
					m.Run(by)
					reference(func() { exact.Run(by) })
					for i, v := range exact.G {
						if g[i] != ToBFloat16(v) {
							t.Fatalf("mask %d: value %d is %g, plain Go has %g", by, i, g[i].Float32(), v)
						}
					}
					back := Mask{D: widened(g), Z: widened(z), G: make([]float32, pixels*16), Mean: mean, S1: (*Vec)(want.data()), S2: (*Vec)(want.data()[16:]), Pixels: pixels}
					if by == MaskSlope {
						back.S2 = &Vec{}
					}
					reference(func() { back.Run(MaskNone) })
					same(t, fmt.Sprintf("sums by mask %d", by), sums.data(), want.data(), 2e-5)
					sums.checkGuards(t)
					to.checkGuards(t)
				}
			}
		}
	})
}

// TestShortNarrowArgumentsPanic: a caller's bug is met before memory is.
func TestShortNarrowArgumentsPanic(t *testing.T) {
	full := func() []BFloat16 { return make([]BFloat16, 32) }
	mask := func(f func(*NarrowMask)) *NarrowMask {
		m := &NarrowMask{D: make([]float32, 32), R: full(), Y: full(), Z: full(), G: full(), S: &Vec{}, T: &Vec{}, Mean: &Vec{}, S1: &Vec{}, S2: &Vec{}, Pixels: 2}
		f(m)
		return m
	}
	for name, f := range map[string]func(){
		"moments":  func() { (&NarrowMoments{X: make([]float32, 32), Y: full()[:31], Pixels: 2}).Run() },
		"rounding": func() { (&NarrowMoments{X: make([]float32, 31), Y: full(), Pixels: 2}).Round() },
		"rows":     func() { (&NarrowAffine{X: full()[:31], Y: make([]float32, 32), Pixels: 2, Rows: 1, XPixel: 16}).Copy() },
		"second rows": func() {
			(&NarrowAffine{X: full(), R: full()[:31], Y: make([]float32, 32), Pixels: 2, Rows: 1, XPixel: 16}).Map2(true)
		},
		"mask by value": func() { mask(func(m *NarrowMask) { m.Y = m.Y[:31] }).Run(MaskY) },
		"mask's addend": func() { mask(func(m *NarrowMask) { m.R = m.R[:31] }).Run(MaskZ) },
		"mask's result": func() { mask(func(m *NarrowMask) { m.G = m.G[:31] }).Run(MaskZ) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("short %s did not panic", name)
				}
			}()
			f()
		}()
	}
}

// TestNarrowStructsAreLaidOutLikeTheWideOnes, whose offsets the assembly has.
func TestNarrowStructsAreLaidOutLikeTheWideOnes(t *testing.T) {
	var (
		na NarrowAffine
		a  Affine
		nk NarrowMask
		k  Mask
		nm NarrowMoments
		m  Moments
	)
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"NarrowAffine.S", unsafe.Offsetof(na.S), unsafe.Offsetof(a.S)},
		{"NarrowAffine.XPixel", unsafe.Offsetof(na.XPixel), unsafe.Offsetof(a.XPixel)},
		{"NarrowMask.S", unsafe.Offsetof(nk.S), unsafe.Offsetof(k.S)},
		{"NarrowMask.Pixels", unsafe.Offsetof(nk.Pixels), unsafe.Offsetof(k.Pixels)},
		{"NarrowMoments.S2", unsafe.Offsetof(nm.S2), unsafe.Offsetof(m.S2)},
		{"NarrowMoments.Y", unsafe.Offsetof(nm.Y), 56},
	} {
		if c.got != c.want {
			t.Errorf("%s is at byte %d, want %d", c.name, c.got, c.want)
		}
	}
}
