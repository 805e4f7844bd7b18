package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"resnet/internal/graph/kernel"
)

// TestTwoStageMatchesTheDefinition computes all three passes in two stages, in rounds and chunks
// that do not divide the images evenly.
func TestTwoStageMatchesTheDefinition(t *testing.T) {
	best := kernel.Active()
	defer func() { _ = kernel.Use(best) }()
	for _, name := range kernel.Available() {
		if err := kernel.Use(name); err != nil {
			t.Fatal(err)
		}
		for i, s := range append(shapes, Shape{C: 70, K: 100, H: 6, W: 5, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1}) {
			if !s.CanWinograd() {
				continue
			}
			all := []Limits{{1, 5, 1 << 30, 0}, {1, 64, 36 * 2 * 4 * 7 * 16, 0}, {1, 1, 1, 0}}
			if testing.Short() {
				all = all[:2]
			}
			for _, l := range all {
				t.Run(fmt.Sprintf("%s/%v/%v", name, s, l), func(t *testing.T) { checkTwoStage(t, s, l, uint64(i)) })
			}
		}
	}
}

func checkTwoStage(t *testing.T, s Shape, l Limits, seed uint64) {
	const n = 5
	rng := rand.New(rand.NewPCG(seed, 3))
	x, w, dy := random(rng, n*s.C*s.H*s.W), random(rng, s.WeightLen()), random(rng, n*s.K*s.OH()*s.OW())
	wantY, wantDX, wantDW := naive(s, n, x, w, dy)
	xb, dyb := toBlocked(x, n, s.C, s.H*s.W), toBlocked(dy, n, s.K, s.OH()*s.OW())
	p := NewPlan(s, Choices{Winograd, Winograd, Winograd}, true)
	const tol = 1e-5
	close64(t, "forward", fromBlocked(runTwoStage(p.Forward, n, l, xb, w), n, s.K, s.OH()*s.OW()), wantY, tol)
	close64(t, "data gradient", fromBlocked(runTwoStage(p.DataGrad, n, l, dyb, w), n, s.C, s.H*s.W), wantDX, tol)
	sg := NewTwoStageGrad(p.Weights, n, l)
	lenX, lenY := sg.Lens()
	vx, vy, k := unset(lenX), unset(lenY), NewWork(sg.Need())
	xp, dyp := pad(p.X, xb, n), pad(p.DY, dyb, n)
	dw := make([]float32, len(w))
	for at := 0; at < n; at += sg.Round() {
		of := min(sg.Round(), n-at)
		for i := range of {
			in, out := sg.Blocks()
			for cb := range in {
				sg.PrepareInput(k, vx, xp[(at+i)*p.X.Len()+cb*p.X.Plane():][:p.X.Plane()], i, cb)
			}
			for kb := range out {
				sg.PrepareOutputGrad(k, vy, dyp[(at+i)*p.DY.Len()+kb*p.DY.Plane():][:p.DY.Plane()], i, kb)
			}
		}
		for u := range sg.Units() {
			sg.Compute(k, vx, vy, of, u, dw, at > 0)
		}
	}
	close64(t, "weight gradient", dw, wantDW, tol)
}

// runTwoStage computes a pass over blocked images; it checks that each pixel comes once, and that
// chunks have the pixels that they say.
func runTwoStage(p Pass, n int, l Limits, xb, w []float32) []float32 {
	sp := NewTwoStage(p, n, l)
	k := NewWork(sp.Need())
	packed := unset(p.PackedLen())
	for u := range p.PackUnits() {
		p.Pack(k, u, packed, w)
	}
	s := p.(*winograd).s
	x, y, v := pad(p.Input(), xb, n), kernel.Alloc(n*s.OutLen()), unset(sp.Len())
	hw := s.OH() * s.OW()
	for at := 0; at < n; at += sp.Round {
		of := min(sp.Round, n-at)
		for i := range of {
			for cb := range p.Input().CB {
				sp.PrepareBlock(k, v, x[(at+i)*p.Input().Len()+cb*p.Input().Plane():][:p.Input().Plane()], i, cb)
			}
		}
		for u := range sp.Units() {
			pixels := map[int]int{}
			sp.Compute(k, v, of, u, packed, func(img, ob, from int, fresh bool, part []float32) {
				if fresh != (pixels[ob] == 0) {
					panic("the first part of a chunk is not called fresh, or another one is")
				}
				pixels[ob] += len(part) / block
				to := y[(at+img)*s.OutLen()+(ob*hw+from)*block:]
				for i, v := range part {
					to[i] += v
				}
			})
			for _, got := range pixels {
				if want := sp.Pixels(u%sp.Chunks(), of); got != want {
					panic(fmt.Sprintf("%d pixels of a chunk, want %d", got, want))
				}
			}
		}
	}
	return y
}

// unset is memory whose content must not matter.
func unset(n int) []float32 {
	x := kernel.Alloc(n)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	return x
}

// TestSplitMatchesTheWholePass computes direct convolutions in parts of rows and channels: each
// pixel once.
func TestSplitMatchesTheWholePass(t *testing.T) {
	for i, s := range append(shapes, Shape{C: 5, K: 150, H: 9, W: 9, R: 1, S: 1, Stride: 1}) {
		for _, a := range []Algorithm{Direct, BF16} {
			if a == BF16 && s.Groups > 1 {
				continue
			}
			rng := rand.New(rand.NewPCG(uint64(i), 4))
			p := NewForward(s, a)
			packed, w, x := kernel.Alloc(p.PackedLen()), random(rng, s.WeightLen()), random(rng, p.Input().Len())
			k := NewWork(p.Need(1))
			for u := range p.PackUnits() {
				p.Pack(k, u, packed, w)
			}
			want := kernel.Alloc(s.OutLen())
			p.Run(k, want, x, 1, packed)
			hw, wide := s.OH()*s.OW(), make([]float64, len(want))
			for i, v := range want {
				wide[i] = float64(v)
			}
			check := func(sp *Split, compute func(k *Work, f func(ob, from int, y []float32))) {
				k, got := NewWork(sp.Need()), kernel.Alloc(s.OutLen())
				for i := range k.bf16 { // what is not computed from is not read
					k.bf16[i] = kernel.ToBFloat16(float32(math.NaN()))
				}
				compute(k, func(ob, from int, y []float32) {
					for i, v := range y {
						got[(ob*hw+from)*block+i] += v
					}
				})
				// Where in a strip a pixel lies may change the order of its sum.
				close64(t, fmt.Sprintf("%v, %v in %d units", s, a, sp.Units()), got, wide, 1e-6)
			}
			for _, units := range []int{1, 3, 16} {
				sp := NewSplit(p, units)
				check(sp, func(k *Work, f func(ob, from int, y []float32)) {
					for u := range sp.Units() {
						sp.Compute(k, x, u, packed, f)
					}
				})
			}
			sp := NewParts(p)
			check(sp, func(k *Work, f func(ob, from int, y []float32)) { sp.Image(k, x, packed, f) })
		}
	}
}
