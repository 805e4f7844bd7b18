package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"resnet/internal/graph"
)

// adamFixture is testdata/optim/adam.json.
type adamFixture struct {
	Shapes map[string][]int       `json:"shapes"`
	Start  map[string][]float32   `json:"start"`
	Grads  []map[string][]float32 `json:"grads"`
	Cases  []struct {
		Beta1       float64              `json:"beta1"`
		Beta2       float64              `json:"beta2"`
		Epsilon     float64              `json:"epsilon"`
		WeightDecay float64              `json:"weight_decay"`
		Clip        float64              `json:"clip"`
		Rate        float64              `json:"rate"`
		End         map[string][]float64 `json:"end"`
	} `json:"cases"`
}

// TestAdamAndClippingArePyTorchs holds twelve updates to torch.optim.Adam and clip_grad_norm_.
func TestAdamAndClippingArePyTorchs(t *testing.T) {
	text, err := os.ReadFile("../../testdata/optim/adam.json")
	must(t, err)
	var f adamFixture
	must(t, json.Unmarshal(text, &f))
	if len(f.Cases) < 3 || len(f.Grads) < 10 {
		t.Fatalf("%d cases of %d updates", len(f.Cases), len(f.Grads))
	}
	for _, c := range f.Cases {
		params := graph.NewParamSet(0)
		for _, n := range []string{"a", "b"} {
			params.Add(&graph.Param{Name: n, Kind: graph.KindWeight, Shape: f.Shapes[n], Data: append([]float32(nil), f.Start[n]...)})
		}
		cfg := DefaultConfig()
		cfg.ClipNorm = c.Clip
		cfg.Optimizer = Optimizer{Name: OptimizerAdam, Beta1: c.Beta1, Beta2: c.Beta2, Epsilon: c.Epsilon, WeightDecay: c.WeightDecay, Decay: DecayAll}
		l := &loop{o: Options{Plan: Plan{Config: cfg}, Params: params}, sgd: NewStepper(cfg.Optimizer, params, 0), rate: c.Rate}
		for _, step := range f.Grads {
			for n, g := range step {
				for i, x := range g { // twice the gradient, of two batches
					params.Get(n).Grad[i] = 2 * x
				}
			}
			l.step(2)
		}
		for n, want := range c.End {
			for i, x := range want {
				// Twelve roundings of a value of about 1, and of a rate times m/√v of about 1.
				if d := math.Abs(float64(params.Get(n).Data[i]) - x); !(d <= 1e-6) {
					t.Errorf("clip %v, decay %v: %s[%d] = %v, PyTorch has %v", c.Clip, c.WeightDecay, n, i, params.Get(n).Data[i], x)
				}
			}
		}
	}
}

func TestAdamsStateIsNamedAndRefusedWhenItIsAnothers(t *testing.T) {
	o := Optimizer{Name: OptimizerAdam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	a := NewAdam(o, toyParams())
	a.slots[0].p.Grad[2] = 1
	a.Step(0.1, 1)
	ts := a.Tensors()
	if len(ts) != 5 || ts[0].Name != "adam.step" || ts[0].Data[0] != 1 || ts[1].Name != "adam.m.fc.weight" || ts[2].Name != "adam.v.fc.weight" {
		t.Fatalf("%+v", ts)
	}
	for _, s := range ts {
		if !isOptimizerState(s.Name) {
			t.Errorf("%s is not read back", s.Name)
		}
	}
	b := NewAdam(o, toyParams())
	must(t, b.Load(ts))
	if b.step[0] != 1 || b.slots[0].m[2] != a.slots[0].m[2] || b.slots[0].v[2] == 0 {
		t.Error("the moments were not loaded")
	}
	if err := b.Load(ts[1:]); err == nil {
		t.Error("the count of updates may be missing")
	}
	if err := NewSGD(Optimizer{Momentum: 0.9}, toyParams()).Load(ts); err == nil {
		t.Error("SGD takes Adam's state")
	}
	if err := b.Load(NewSGD(Optimizer{Momentum: 0.9}, toyParams()).Tensors()); err == nil {
		t.Error("Adam takes SGD's state")
	}
}

func TestClippingOnlyEverShrinks(t *testing.T) {
	for _, c := range []struct{ norm, limit, want float64 }{
		{10, 0, 1}, {10, 20, 1}, {10, 5, 5 / (10 + 1e-6)}, {0, 5, 1},
	} {
		if got := clipScale(c.norm, c.limit); got != c.want {
			t.Errorf("norm %v, limit %v: %v, want %v", c.norm, c.limit, got, c.want)
		}
	}
}
