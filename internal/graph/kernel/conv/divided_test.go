package conv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBlocksOfAGradientAreThoseOfTheWhole: an accumulator that several fill, each reading the
// blocks of channels that it says and no others, has the bits of one.
func TestBlocksOfAGradientAreThoseOfTheWhole(t *testing.T) {
	const n = 3
	for i, s := range append(shapes, Shape{C: 70, K: 100, H: 6, W: 5, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1}) {
		for _, a := range []Algorithm{Direct, Winograd, BF16} {
			if a == Winograd && !s.CanWinograd() || s.Groups > 1 {
				continue
			}
			t.Run(fmt.Sprintf("%v/%v", s, a), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(i), 4))
				p := NewPlan(s, Choices{a, a, a}, false)
				g := p.Weights.(DividedGrad)
				x := pad(p.X, toBlocked(random(rng, n*s.C*s.H*s.W), n, s.C, s.H*s.W), n)
				dy := pad(p.DY, toBlocked(random(rng, n*s.K*s.OH()*s.OW()), n, s.K, s.OH()*s.OW()), n)
				k := NewWork(g.Need(n))
				want, got := make([]float32, g.Len()), unset(g.Len())
				g.Add(k, want, x, dy, n)
				c, o := blocks(s.C), blocks(s.K)
				for _, in := range []Blocks{{0, c / 2}, {c / 2, c}} {
					for _, out := range []Blocks{{0, (o + 1) / 2}, {(o + 1) / 2, o}} {
						if in.From == in.To || out.From == out.To {
							continue
						}
						g.ClearBlocks(got, in, out)
						g.AddBlocks(k, got, only(p.X, x, n, in), only(p.DY, dy, n, out), n, in, out)
					}
				}
				if !slices.Equal(got, want) {
					t.Error("other bits")
				}
			})
		}
	}
}

// TestSharesOfASumAreThoseOfTheWhole: what several finish of a weight gradient, in any division,
// has the bits of one, and every weight is written.
func TestSharesOfASumAreThoseOfTheWhole(t *testing.T) {
	for i, s := range shapes {
		for _, a := range []Algorithm{Direct, Winograd, BF16} {
			if a == Winograd && !s.CanWinograd() || a == BF16 && s.Groups > 1 {
				continue
			}
			rng := rand.New(rand.NewPCG(uint64(i), 5))
			g := NewPlan(s, Choices{a, a, a}, false).Weights
			k := NewWork(g.Need(1))
			parts := [][]float32{random(rng, g.Len()), random(rng, g.Len()), random(rng, g.Len())}
			for _, accumulate := range []bool{false, true} {
				finish := func(of int) []float32 {
					dw := unset(s.WeightLen())
					if accumulate {
						for j := range dw {
							dw[j] = float32(j)
						}
					}
					for u := range g.Units() * of {
						g.Finish(k, u, of, parts, dw, accumulate)
					}
					return dw
				}
				want := finish(1)
				for _, of := range []int{2, 3, 8, FinishDivision} {
					if !slices.Equal(finish(of), want) {
						t.Errorf("%v, %v, in %d, accumulate %v: other bits", s, a, of, accumulate)
					}
				}
			}
		}
	}
}

// only keeps some blocks of padded images; the others are not numbers.
func only(p *Padded, x []float32, n int, of Blocks) []float32 {
	y := slices.Clone(x)
	for i := range n {
		for phase := range p.views {
			for cb := range p.CB {
				if cb < of.From || cb >= of.To {
					at := i*p.Len() + phase*p.phaseLen + cb*p.Plane()
					copy(y[at:at+p.Plane()], unset(p.Plane()))
				}
			}
		}
	}
	return y
}
