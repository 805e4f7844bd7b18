package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/graph/kernel"
)

func random(rng *rand.Rand, n int) []float32 {
	x := kernel.Alloc(n)
	for i := range x {
		x[i] = rng.Float32()*2 - 1
	}
	return x
}

// toBlocked copies n images of c channels from [N, C, H, W] to blocks.
func toBlocked(x []float32, n, c, hw int) []float32 {
	y := kernel.Alloc(n * blocks(c) * hw * block)
	for i := range n {
		for ch := range c {
			for p := range hw {
				y[((i*blocks(c)+ch/block)*hw+p)*block+ch%block] = x[(i*c+ch)*hw+p]
			}
		}
	}
	return y
}

func fromBlocked(x []float32, n, c, hw int) []float32 {
	y := make([]float32, n*c*hw)
	for i := range n {
		for ch := range c {
			for p := range hw {
				y[(i*c+ch)*hw+p] = x[((i*blocks(c)+ch/block)*hw+p)*block+ch%block]
			}
		}
	}
	return y
}

// naive computes y, dx and dw in float64 by the definition.
func naive(s Shape, n int, x, w, dy []float32) (y, dx, dw []float64) {
	oh, ow := s.OH(), s.OW()
	y, dx, dw = make([]float64, n*s.K*oh*ow), make([]float64, len(x)), make([]float64, len(w))
	for i := range n {
		for k := range s.K {
			for h := range oh {
				for v := range ow {
					at := ((i*s.K+k)*oh+h)*ow + v
					first := k * max(1, s.Groups) / s.K * s.GroupChannels()
					for c := range s.GroupChannels() {
						for r := range s.R {
							for q := range s.S {
								hh, ww := h*s.Stride+r-s.PadH, v*s.ColStride()+q-s.PadW
								if hh < 0 || hh >= s.H || ww < 0 || ww >= s.W {
									continue
								}
								xi, wi := ((i*s.C+first+c)*s.H+hh)*s.W+ww, ((k*s.GroupChannels()+c)*s.R+r)*s.S+q
								y[at] += float64(x[xi]) * float64(w[wi])
								dx[xi] += float64(w[wi]) * float64(dy[at])
								dw[wi] += float64(x[xi]) * float64(dy[at])
							}
						}
					}
				}
			}
		}
	}
	return y, dx, dw
}

// pad prepares n blocked images.
func pad(p *Padded, x []float32, n int) []float32 {
	out := kernel.Alloc(n * p.Len())
	for i := range out {
		out[i] = 99 // what the margins held before
	}
	var a kernel.Affine
	image := len(x) / n
	for i := range n {
		dst := out[i*p.Len() : (i+1)*p.Len()]
		p.ClearMargins(dst)
		p.Fill(&a, dst, x[i*image:(i+1)*image], nil, func(int) { a.Copy() })
	}
	return out
}

func close64(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	var d, n float64
	for i := range want {
		d += (float64(got[i]) - want[i]) * (float64(got[i]) - want[i])
		n += want[i] * want[i]
	}
	if math.Sqrt(d) > tol*math.Sqrt(n) || math.IsNaN(d) {
		t.Errorf("%s: relative error %.2e, want at most %.0e", what, math.Sqrt(d/n), tol)
	}
}

var shapes = []Shape{
	{C: 16, K: 16, H: 8, W: 8, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
	{C: 32, K: 48, H: 9, W: 14, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
	{C: 20, K: 33, H: 7, W: 7, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
	{C: 16, K: 32, H: 6, W: 11, R: 3, S: 3, Stride: 1, PadH: 0, PadW: 2},
	{C: 16, K: 16, H: 10, W: 8, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
	{C: 16, K: 32, H: 8, W: 8, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1},
	{C: 18, K: 5, H: 9, W: 7, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1},
	{C: 3, K: 16, H: 10, W: 10, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
	{C: 1, K: 7, H: 5, W: 5, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
	{C: 3, K: 20, H: 20, W: 18, R: 7, S: 7, Stride: 2, PadH: 3, PadW: 3},
	{C: 17, K: 16, H: 9, W: 9, R: 1, S: 1, Stride: 2, PadH: 0, PadW: 0},
	{C: 40, K: 24, H: 5, W: 6, R: 1, S: 1, Stride: 1, PadH: 0, PadW: 0},
	{C: 6, K: 9, H: 8, W: 7, R: 4, S: 2, Stride: 3, PadH: 2, PadW: 0},
	{C: 5, K: 4, H: 3, W: 2, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
	{C: 4, K: 6, H: 11, W: 11, R: 5, S: 5, Stride: 1, PadH: 2, PadW: 2},
	{C: 2, K: 2, H: 5, W: 5, R: 2, S: 2, Stride: 4, PadH: 0, PadW: 0},
	{C: 3, K: 16, H: 10, W: 13, R: 3, S: 3, Stride: 2, StrideW: 1, PadH: 1, PadW: 1},
	{C: 20, K: 33, H: 9, W: 12, R: 3, S: 3, Stride: 2, StrideW: 1, PadH: 1, PadW: 1},
	{C: 17, K: 5, H: 9, W: 8, R: 1, S: 1, Stride: 2, StrideW: 1},
	{C: 4, K: 6, H: 5, W: 11, R: 3, S: 3, Stride: 1, StrideW: 2, PadH: 1, PadW: 1},
	{C: 20, K: 33, H: 10, W: 8, R: 3, S: 3, Stride: 2, End: 1},
	{C: 3, K: 20, H: 20, W: 18, R: 7, S: 7, Stride: 2, PadH: 2, PadW: 2, End: 1},
	{C: 17, K: 5, H: 9, W: 12, R: 5, S: 5, Stride: 3, PadH: 1, PadW: 1, End: 2},
	// Of more pixels than go through a weight gradient together: over rows, by rows, in one row.
	{C: 20, K: 33, H: 19, W: 23, R: 1, S: 1, Stride: 1},
	{C: 17, K: 16, H: 31, W: 32, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1},
	{C: 16, K: 20, H: 1, W: 431, R: 1, S: 3, Stride: 1, PadW: 1},
	// In groups: of 4 and 8 channels, also where the last block is not full; of 16, 32 and 64;
	// of sizes that no block divides; with more outputs than inputs, and of single channels.
	{C: 32, K: 32, H: 9, W: 14, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 8},
	{C: 20, K: 20, H: 10, W: 7, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1, Groups: 5},
	{C: 32, K: 32, H: 8, W: 9, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1, Groups: 4},
	{C: 24, K: 24, H: 5, W: 19, R: 5, S: 5, Stride: 1, PadH: 2, PadW: 2, Groups: 3},
	{C: 64, K: 64, H: 6, W: 5, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 4},
	{C: 64, K: 64, H: 7, W: 7, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1, Groups: 2},
	{C: 128, K: 128, H: 4, W: 4, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 2},
	{C: 30, K: 30, H: 6, W: 7, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 3},
	{C: 12, K: 36, H: 5, W: 5, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1, Groups: 6},
	{C: 36, K: 12, H: 5, W: 6, R: 1, S: 1, Stride: 2, Groups: 2},
	{C: 19, K: 19, H: 6, W: 6, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 19},
	{C: 6, K: 6, H: 5, W: 6, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 3},
	{C: 8, K: 8, H: 6, W: 6, R: 3, S: 3, Stride: 2, End: 1, Groups: 2},
}

func TestEveryAlgorithmMatchesTheDefinition(t *testing.T) {
	best := kernel.Active()
	defer func() { _ = kernel.Use(best) }()
	for _, name := range kernel.Available() {
		if err := kernel.Use(name); err != nil {
			t.Fatal(err)
		}
		for i, s := range shapes {
			for _, a := range []Algorithm{Direct, Winograd, Grouped} {
				if a == Winograd && !s.CanWinograd() || (a == Grouped) != (s.Groups > 1) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%v", name, a, s), func(t *testing.T) { checkShape(t, s, a, uint64(i)) })
			}
		}
	}
}

// TestScratchServesFewerImages runs every number of images up to the one that the scratch was made
// for: a call may divide into longer passes than a larger one.
func TestScratchServesFewerImages(t *testing.T) {
	for _, s := range shapes {
		if !s.CanWinograd() {
			continue
		}
		p := NewPlan(s, Choices{Winograd, Winograd, Winograd}, true)
		for most := range 12 {
			k := NewWork(p.Forward.Need(most + 1).Max(p.DataGrad.Need(most + 1)).Max(p.Weights.Need(most + 1)))
			for n := 1; n <= most+1; n++ {
				p.Forward.Run(k, make([]float32, n*s.OutLen()), make([]float32, n*p.Forward.Input().Len()), n, make([]float32, p.Forward.PackedLen()))
				p.DataGrad.Run(k, make([]float32, n*s.InLen()), make([]float32, n*p.DY.Len()), n, make([]float32, p.DataGrad.PackedLen()))
				p.Weights.Add(k, make([]float32, p.Weights.Len()), make([]float32, n*p.X.Len()), make([]float32, n*p.DY.Len()), n)
			}
		}
	}
}

// TestBF16MatchesTheDefinition computes with values that rounding leaves as they are.
func TestBF16MatchesTheDefinition(t *testing.T) {
	best := kernel.ActiveBF16()
	defer func() { _ = kernel.UseBF16(best) }()
	for _, name := range kernel.AvailableBF16() {
		if err := kernel.UseBF16(name); err != nil {
			t.Fatal(err)
		}
		for i, s := range shapes {
			if s.Groups <= 1 {
				t.Run(fmt.Sprintf("%s/%v", name, s), func(t *testing.T) { checkShape(t, s, BF16, uint64(i)) })
			}
		}
	}
}

// TestBF16ImageMatchesTheDefinition convolves images as they are, in parts.
func TestBF16ImageMatchesTheDefinition(t *testing.T) {
	best := kernel.ActiveBF16()
	defer func() { _ = kernel.UseBF16(best) }()
	ran := 0
	for _, name := range kernel.AvailableBF16() {
		if err := kernel.UseBF16(name); err != nil {
			t.Fatal(err)
		}
		for i, s := range append(shapes, Shape{C: 3, K: 40, H: 70, W: 90, R: 7, S: 7, Stride: 2, PadH: 3, PadW: 3}) {
			f := NewBF16Image(s)
			if f == nil {
				continue
			}
			ran++
			rng := rand.New(rand.NewPCG(uint64(i), 9))
			x, w := random(rng, s.C*s.H*s.W), random(rng, s.WeightLen())
			for _, values := range [][]float32{x, w} {
				for i, v := range values {
					values[i] = kernel.ToBFloat16(v).Float32()
				}
			}
			want, _, _ := naive(s, 1, x, w, make([]float32, s.K*s.OH()*s.OW()))
			k, packed := NewWork(f.Need(1)), kernel.Alloc(f.PackedLen())
			for i := range k.bf16 {
				k.bf16[i] = kernel.ToBFloat16(float32(math.NaN()))
			}
			for u := range f.PackUnits() {
				f.Pack(k, u, packed, w)
			}
			y, hw := kernel.Alloc(s.OutLen()), s.OH()*s.OW()
			for u := range f.Units() {
				f.Compute(k, x, u, packed, func(ob, from int, part []float32) {
					copy(y[(ob*hw+from)*block:], part)
				})
			}
			close64(t, fmt.Sprintf("%s, %v", name, s), fromBlocked(y, 1, s.K, hw), want, 1e-6)
		}
	}
	if ran == 0 {
		t.Skip("no kernels of bfloat16 on this processor")
	}
}

func checkShape(t *testing.T, s Shape, a Algorithm, seed uint64) {
	const n = 3
	rng := rand.New(rand.NewPCG(seed, 1))
	x, w, dy := random(rng, n*s.C*s.H*s.W), random(rng, s.WeightLen()), random(rng, n*s.K*s.OH()*s.OW())
	if a == BF16 {
		for _, values := range [][]float32{x, w, dy} {
			for i, v := range values {
				values[i] = kernel.ToBFloat16(v).Float32()
			}
		}
	}
	wantY, wantDX, wantDW := naive(s, n, x, w, dy)
	p := NewPlan(s, Choices{a, a, a}, true)
	k := NewWork(p.Forward.Need(n).Max(p.DataGrad.Need(n)).Max(p.Weights.Need(n)))
	for _, scratch := range [][]float32{k.v, k.m, k.edge} {
		for i := range scratch { // what it holds must not matter
			scratch[i] = float32(math.NaN())
		}
	}
	for i := range k.bf16 {
		k.bf16[i] = kernel.ToBFloat16(float32(math.NaN()))
	}
	xb, dyb := toBlocked(x, n, s.C, s.H*s.W), toBlocked(dy, n, s.K, s.OH()*s.OW())
	packed := kernel.Alloc(p.Forward.PackedLen())
	for u := range p.Forward.PackUnits() {
		p.Forward.Pack(k, u, packed, w)
	}
	y := random(rng, n*s.OutLen())
	p.Forward.Run(k, y, pad(p.Forward.Input(), xb, n), n, packed)
	tol := 1e-6 // sums of at most a few hundred products
	if a == Winograd {
		tol = 1e-5 // its transforms lose about a decimal digit
	}
	close64(t, "forward", fromBlocked(y, n, s.K, s.OH()*s.OW()), wantY, tol)
	packed = kernel.Alloc(p.DataGrad.PackedLen())
	for u := range p.DataGrad.PackUnits() {
		p.DataGrad.Pack(k, u, packed, w)
	}
	dx := random(rng, n*s.InLen())
	dyp := pad(p.DY, dyb, n)
	p.DataGrad.Run(k, dx, dyp, n, packed)
	close64(t, "data gradient", fromBlocked(dx, n, s.C, s.H*s.W), wantDX, tol)
	parts := [][]float32{kernel.Alloc(p.Weights.Len()), kernel.Alloc(p.Weights.Len())}
	xp := pad(p.X, xb, n)
	p.Weights.Add(k, parts[0], xp, dyp, 2)
	p.Weights.Add(k, parts[1], xp[2*p.X.Len():], dyp[2*p.DY.Len():], 1)
	dw := make([]float32, len(w))
	for _, accumulate := range []bool{false, true} {
		for u := range p.Weights.Units() {
			p.Weights.Finish(k, u, 1, parts, dw, accumulate)
		}
	}
	for i := range dw {
		dw[i] /= 2
	}
	close64(t, "weight gradient", dw, wantDW, tol)
}

// TestFillReadsBothSources pads the sum of two images, for every kind of layout.
func TestFillReadsBothSources(t *testing.T) {
	for i, s := range shapes {
		rng := rand.New(rand.NewPCG(uint64(i), 2))
		p := NewPlan(s, Choices{}, true).X
		x, r := random(rng, s.InLen()), random(rng, s.InLen())
		sum := make([]float32, len(x))
		for j := range sum {
			sum[j] = x[j] + r[j]
		}
		got := kernel.Alloc(p.Len())
		var a kernel.Affine
		a.S, a.S2, a.T = &ones, &ones, &zeros
		p.Fill(&a, got, x, r, func(int) { a.Map2(false) })
		if want := pad(p, sum, 1); !slices.Equal(got, want) {
			t.Errorf("%v: the padded sum differs from the sum, padded", s)
		}
	}
}

// Where pairs are multiplied twice as fast as float32, Winograd's algorithm stays ahead.
func TestChoiceOfAlgorithmsInBFloat16(t *testing.T) {
	best := kernel.ActiveBF16()
	defer func() { _ = kernel.UseBF16(best) }()
	square, pointwise := Shape{C: 32, K: 32, H: 8, W: 8, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1}, Shape{C: 64, K: 16, H: 8, W: 8, R: 1, S: 1, Stride: 1}
	image, groups := Shape{C: 3, K: 16, H: 8, W: 8, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1}, Shape{C: 32, K: 32, H: 8, W: 8, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 4}
	for _, name := range kernel.AvailableBF16() {
		if err := kernel.UseBF16(name); err != nil {
			t.Fatal(err)
		}
		want := map[string][4]Algorithm{"amx": {BF16, BF16, BF16, Grouped}, "avx512_bf16": {Winograd, BF16, Direct, Grouped}, "generic": {Winograd, Direct, Direct, Grouped}}[name]
		for i, s := range []Shape{square, pointwise, image, groups} {
			if got := ChooseBF16(s); got != (Choices{want[i], want[i], want[i]}) {
				t.Errorf("%s: %v of %v", name, got, s)
			}
		}
	}
}
