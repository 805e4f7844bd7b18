package train

import (
	"slices"
	"strings"
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
		s := NewStepper(o, params, 0)
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

func TestWhatMayBeFrozen(t *testing.T) {
	params := graph.NewParamSet(1)
	for _, p := range []string{"conv1.weight", "layer1.0.conv1.weight", "layer10.0.conv1.weight"} {
		params.Add(&graph.Param{Name: p, Shape: []int{1}, Data: []float32{1}, Grad: []float32{1}})
	}
	params.Add(&graph.Param{Name: "bn1.running_mean", Shape: []int{1}, Data: []float32{1}, Kind: graph.KindRunningMean})
	for freeze, want := range map[string]string{
		"": "", "layer1": "", " conv1 , layer1 ,": "", "conv1,layer1,layer10": "nothing is left to train", "bn1": "",
		"layer": `no "layer"`, "layer1,fc": `no "fc"`, "conv1.weight": `no "conv1.weight"`,
	} {
		err := Optimizer{Freeze: freeze}.CheckFrozen(params)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "train.optimizer.freeze: ") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", freeze, err, want)
		}
	}
}
