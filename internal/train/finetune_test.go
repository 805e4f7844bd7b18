package train

import (
	"slices"
	"testing"

	"resnet/internal/graph"
)

// TestFrozenParametersStayAndTheHeadLearnsByItsOwnRate makes an update of three parameters with
// gradients of one.
func TestFrozenParametersStayAndTheHeadLearnsByItsOwnRate(t *testing.T) {
	for _, name := range []string{OptimizerSGD, OptimizerAdam} {
		params := graph.NewParamSet(1)
		for _, p := range []string{"layer1.0.conv1.weight", "layer10.0.conv1.weight", "fc.weight"} {
			params.Add(&graph.Param{Name: p, Shape: []int{2}, Data: []float32{1, 1}, Grad: []float32{1, 1}, Head: p == "fc.weight"})
		}
		o := Optimizer{Name: name, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Decay: DecayAll, Freeze: "layer1", HeadRate: 4}
		s := NewStepper(o, params)
		s.Step(0.125, 1)
		frozen, other, head := params.All()[0].Data, params.All()[1].Data, params.All()[2].Data
		if !slices.Equal(frozen, []float32{1, 1}) {
			t.Errorf("%s: frozen values became %v", name, frozen)
		}
		if d, h := 1-other[0], 1-head[0]; d < 0.124 || d > 0.126 || h < 3.99*d || h > 4.01*d {
			t.Errorf("%s: the head moved by %v, others by %v: want four times", name, h, d)
		}
		for _, x := range s.Tensors() {
			if x.Name == momentumPrefix+"layer1.0.conv1.weight" || x.Name == adamMeanPrefix+"layer1.0.conv1.weight" {
				t.Errorf("%s keeps %s for a frozen parameter", name, x.Name)
			}
		}
		if norm := gradientNorm(o, params); norm != 2 { // two parameters of two
			t.Errorf("%s: the norm is %v, want 2 without the frozen gradients", name, norm)
		}
	}
}
