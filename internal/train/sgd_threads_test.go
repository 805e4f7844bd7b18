package train

import (
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/graph"
)

// TestThreadsDoNotChangeAnUpdate: parameters shorter and longer than a piece, with and without
// momentum, are what one call of Update.Apply for each makes of them.
func TestThreadsDoNotChangeAnUpdate(t *testing.T) {
	draw := func() *graph.ParamSet {
		rng := rand.New(rand.NewPCG(1, 2))
		set := graph.NewParamSet(1)
		b := graph.NewBuilder("net", graph.Train, set, graph.Options{})
		x := b.Input(1, 3, 8, 8)
		for i, filters := range []int{5, 300, 200} {
			x = b.Conv(string(rune('a'+i)), x, graph.ConvOpts{Filters: filters, Kernel: 1, Stride: 1, Bias: true})
		}
		if _, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(x), 7)); err != nil {
			t.Fatal(err)
		}
		for _, p := range set.All() {
			for i := range p.Data {
				p.Data[i], p.Grad[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			}
		}
		return set
	}
	for _, momentum := range []float64{0, 0.9} {
		o := Optimizer{Name: OptimizerSGD, Momentum: momentum, WeightDecay: 0.1, Decay: "all"}
		want := draw()
		for _, p := range want.All() {
			var v []float32
			if momentum != 0 {
				v = make([]float32, len(p.Data))
			}
			for range 2 {
				Update{Rate: 0.25, Momentum: float32(momentum), Decay: NewSGD(o, want).slots[0].decay, Scale: 0.5}.Apply(p.Data, p.Grad, v)
			}
		}
		for _, threads := range []int{0, 1, 2, 7} {
			got := draw()
			s := NewSGD(o, got)
			s.Threads = threads
			if s.Pieces() != 8 || s.Values() != 20+1800+60200+1407 {
				t.Fatalf("%d pieces of %d values", s.Pieces(), s.Values())
			}
			s.Step(0.25, 0.5)
			s.Step(0.25, 0.5)
			for i, p := range got.All() {
				if !slices.Equal(p.Data, want.All()[i].Data) {
					t.Errorf("%d threads, momentum %v: %s differs", threads, momentum, p.Name)
				}
			}
		}
	}
}
