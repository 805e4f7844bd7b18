package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"resnet/internal/graph/kernel"
)

// BenchmarkConv reports GFLOP/s, counted in the operations of the direct method, on one core.
func BenchmarkConv(b *testing.B) {
	for _, c := range []struct{ c, h, n int }{{16, 32, 16}, {32, 16, 16}, {64, 8, 16}, {64, 56, 4}, {128, 28, 4}} {
		s := Shape{C: c.c, K: c.c, H: c.h, W: c.h, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1}
		for _, a := range []Algorithm{Direct, Winograd} {
			rng := rand.New(rand.NewPCG(1, 1))
			p := NewPlan(s, Choices{a, a, a}, true)
			k := NewWork(p.Forward.Need(c.n).Max(p.DataGrad.Need(c.n)).Max(p.Weights.Need(c.n)))
			x, y := random(rng, c.n*p.Forward.Input().Len()), random(rng, c.n*s.OutLen())
			xg, dy := random(rng, c.n*p.X.Len()), random(rng, c.n*p.DY.Len())
			packed, acc := random(rng, max(p.Forward.PackedLen(), p.DataGrad.PackedLen())), kernel.Alloc(p.Weights.Len())
			for name, f := range map[string]func(){
				"forward": func() { p.Forward.Run(k, y, x, c.n, packed) },
				"data":    func() { p.DataGrad.Run(k, y, dy, c.n, packed) },
				"weights": func() { p.Weights.Add(k, acc, xg, dy, c.n) },
			} {
				b.Run(fmt.Sprintf("%dx%d/%s/%s", c.c, c.h, name, a), func(b *testing.B) {
					for range b.N {
						f()
					}
					b.ReportMetric(float64(2*s.MACs())*float64(c.n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
