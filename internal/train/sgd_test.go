package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"resnet/internal/graph"
)

// torchSGD is the algorithm of torch.optim.SGD's documentation (dampening 0, not maximise) in
// float64, one parameter.
func torchSGD(w []float64, grads [][]float64, rate, momentum, decay float64, nesterov bool) {
	b := make([]float64, len(w))
	for t, g := range grads {
		for i := range w {
			d := g[i] + decay*w[i]
			if momentum != 0 {
				if t > 0 {
					b[i] = momentum*b[i] + d
				} else {
					b[i] = d
				}
				if nesterov {
					d += momentum * b[i]
				} else {
					d = b[i]
				}
			}
			w[i] -= rate * d
		}
	}
}

func TestSGDIsPyTorchsAlgorithm(t *testing.T) {
	for _, c := range []struct {
		name            string
		momentum, decay float64
		nesterov        bool
		accumulated     int
	}{
		{"plain", 0, 0, false, 1},
		{"decay", 0, 0.1, false, 1},
		{"momentum", 0.9, 0.01, false, 1},
		{"nesterov", 0.9, 0.01, true, 1},
		{"accumulated", 0.9, 0.01, false, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			const n, steps, rate = 11, 8, 0.07
			p := &graph.Param{Name: "w", Shape: []int{n}, Data: make([]float32, n)}
			want := make([]float64, n)
			for i := range n {
				p.Data[i] = float32(r.NormFloat64())
				want[i] = float64(p.Data[i])
			}
			set := graph.NewParamSet(0)
			set.Add(p)
			s := NewSGD(Optimizer{Momentum: c.momentum, WeightDecay: c.decay, Nesterov: c.nesterov, Decay: DecayAll}, set)
			grads := make([][]float64, steps)
			for k := range grads {
				grads[k] = make([]float64, n)
				for i := range n {
					p.Grad[i] = float32(r.NormFloat64())
					grads[k][i] = float64(p.Grad[i]) / float64(c.accumulated)
				}
				s.Step(rate, 1/float32(c.accumulated))
			}
			torchSGD(want, grads, rate, c.momentum, c.decay, c.nesterov)
			for i := range n {
				// A few roundings of float32 each step, of values up to about 3.
				if d := math.Abs(float64(p.Data[i]) - want[i]); !(d <= 3e-6) {
					t.Errorf("w[%d] = %v, want %v", i, p.Data[i], want[i])
				}
			}
		})
	}
}

func TestDecayReachesWeightsOnlyOrAll(t *testing.T) {
	kinds := []graph.Kind{graph.KindWeight, graph.KindBias, graph.KindScale, graph.KindShift, graph.KindSlope}
	for _, decay := range []string{DecayAll, DecayWeights} {
		set := graph.NewParamSet(0)
		for _, k := range kinds {
			set.Add(&graph.Param{Name: string(rune('a' + k)), Kind: k, Shape: []int{1}, Data: []float32{1}})
		}
		set.Add(&graph.Param{Name: "m", Kind: graph.KindRunningMean, Shape: []int{1}, Data: []float32{1}})
		// The gradients are zero.
		NewSGD(Optimizer{WeightDecay: 0.5, Decay: decay}, set).Step(0.1, 1)
		for _, p := range set.All() {
			want := float32(1)
			if p.Trainable() && p.Kind != graph.KindSlope && (decay == DecayAll || p.Kind == graph.KindWeight) {
				want = 0.95
			}
			if p.Data[0] != want {
				t.Errorf("decay %s, kind %d: %v, want %v", decay, p.Kind, p.Data[0], want)
			}
		}
	}
}

func TestMomentumSurvivesSavingAndLoading(t *testing.T) {
	a := toyParams()
	o := Optimizer{Momentum: 0.9}
	s := NewSGD(o, a)
	for i := range a.Get("fc.weight").Grad {
		a.Get("fc.weight").Grad[i] = float32(i)
	}
	s.Step(0.1, 1)
	ts := s.Tensors()
	if len(ts) != 2 || ts[0].Name != "momentum.fc.weight" || ts[0].Data[3] != 3 {
		t.Fatalf("%+v", ts)
	}
	l := NewSGD(o, toyParams())
	must(t, l.Load(ts))
	ts[0].Data[3] = 7 // Load copied
	if got := l.Tensors()[0].Data[3]; got != 3 {
		t.Errorf("loaded momentum is %v, want 3", got)
	}
	if NewSGD(Optimizer{}, toyParams()).Tensors() != nil {
		t.Error("SGD without momentum has buffers")
	}
}
