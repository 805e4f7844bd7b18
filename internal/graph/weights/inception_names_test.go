package weights

import (
	"slices"
	"strings"
	"testing"
)

func vectorOf(name string, v ...float32) Tensor {
	return Tensor{Name: name, Shape: []int{len(v)}, Data: v}
}

// namedTensors are tensors under our names.
func namedTensors(t *testing.T, list []Tensor) map[string]Tensor {
	t.Helper()
	f, err := Named(list)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Tensor{}
	for _, x := range f.Tensors {
		byName[x.Name] = x
	}
	return byName
}

// TestBiasesGoIntoTheRunningMeans of the normalisation behind, whose own values stay.
func TestBiasesGoIntoTheRunningMeans(t *testing.T) {
	mean := vectorOf("inception_3a_1x1_bn.running_mean", 5, 7)
	got := namedTensors(t, []Tensor{
		{Name: "conv1_7x7_s2.weight", Shape: []int{1, 1, 1, 1}, Data: []float32{2}},
		{Name: "inception_3a_1x1.weight", Shape: []int{2, 1, 1, 1}, Data: []float32{3, 4}},
		vectorOf("inception_3a_1x1.bias", 1, 10),
		vectorOf("inception_3a_1x1_bn.weight", 8, 9), mean, vectorOf("last_linear.bias", 6),
	})
	for name, want := range map[string][]float32{
		"conv1.conv.weight": {2}, "inception3a.branch1.conv.weight": {3, 4}, "inception3a.branch1.bn.weight": {8, 9}, "inception3a.branch1.bn.running_mean": {4, -3}, "fc.bias": {6},
	} {
		if !slices.Equal(got[name].Data, want) {
			t.Errorf("%s is %v, want %v", name, got[name].Data, want)
		}
	}
	if len(got) != 5 || mean.Data[0] != 5 {
		t.Errorf("%d tensors; the mean that was given is now %v", len(got), mean.Data)
	}
	_, err := Named([]Tensor{{Name: "conv1_7x7_s2.weight", Shape: []int{1, 1, 1, 1}, Data: []float32{2}}, vectorOf("conv1_7x7_s2.bias", 1)})
	if err == nil || !strings.Contains(err.Error(), "no normalisation") {
		t.Errorf("a bias without a normalisation: %v", err)
	}
}

// TestTheFirstConvolutionOfSlimIsAnOrdinaryOne: multiplied out, or as it is, with a normalisation
// behind it multiplied in: of γ 2, σ² + ε = 4 and a mean of 3, factor 1 and shift β - 3.
func TestTheFirstConvolutionOfSlimIsAnOrdinaryOne(t *testing.T) {
	const root = "InceptionV2/Conv2d_1a_7x7/"
	// One pixel, two colours with two filters each, three sums: weights Σ depthwise·pointwise.
	separate := []Tensor{
		{Name: root + "depthwise_weights", Shape: []int{1, 1, 2, 2}, Data: []float32{1, 2, 3, 4}},
		{Name: root + "pointwise_weights", Shape: []int{1, 1, 4, 3}, Data: []float32{1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}},
	}
	product := []float32{1, 4, 2, 4, 0, 7}
	norm := []Tensor{
		vectorOf(root+"BatchNorm/beta", 1, 2, 3), vectorOf(root+"BatchNorm/gamma", 2, 2, 2), vectorOf(root+"BatchNorm/moving_mean", 3, 3, 3),
		vectorOf(root+"BatchNorm/moving_variance", 3.999, 3.999, 3.999),
	}
	plain := []Tensor{{Name: root + "weights", Shape: []int{1, 1, 2, 3}, Data: []float32{1, 2, 0, 4, 4, 7}}}
	for what, c := range map[string]struct {
		list []Tensor
		bias []float32
	}{
		"with biases":     {append(slices.Clone(separate), vectorOf(root+"biases", 7, 8, 9)), []float32{7, 8, 9}},
		"normalised":      {append(slices.Clone(separate), norm...), []float32{-2, -1, 0}},
		"ordinary":        {append(slices.Clone(plain), norm...), []float32{-2, -1, 0}},
		"without biases":  {separate, []float32{0, 0, 0}},
		"names by points": {[]Tensor{{Name: "InceptionV2.Conv2d_1a_7x7.weights", Shape: plain[0].Shape, Data: plain[0].Data}}, []float32{0, 0, 0}},
	} {
		got := namedTensors(t, c.list)
		if w := got["conv1.weight"]; !slices.Equal(w.Shape, []int{3, 2, 1, 1}) || !near(w.Data, product) || !near(got["conv1.bias"].Data, c.bias) || len(got) != 2 {
			t.Errorf("%s: weights %v %v, biases %v, of %d tensors", what, w.Shape, w.Data, got["conv1.bias"].Data, len(got))
		}
	}
	separate[1].Shape = []int{1, 1, 3, 4}
	if _, err := Named(separate); err == nil || !strings.Contains(err.Error(), "separable") {
		t.Errorf("shapes that do not fit: %v", err)
	}
}

func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return x-y < 1e-5 && y-x < 1e-5 })
}

// TestSlimHasOursForItsNames: γ of 1 where there is none, modules that halve the map, and nothing
// of the optimiser.
func TestSlimHasOursForItsNames(t *testing.T) {
	got := namedTensors(t, []Tensor{
		{Name: "InceptionV2/Mixed_5a/Branch_1/Conv2d_1a_3x3/weights", Shape: []int{1, 2, 1, 2}, Data: []float32{1, 2, 3, 4}},
		vectorOf("InceptionV2/Mixed_5a/Branch_1/Conv2d_1a_3x3/BatchNorm/beta:0", 5, 6), vectorOf("InceptionV2/Mixed_5a/Branch_1/Conv2d_1a_3x3/weights/RMSProp_1", 1),
		vectorOf("InceptionV2/Mixed_4c/Branch_3/Conv2d_0b_1x1/BatchNorm/moving_mean", 7), vectorOf("global_step", 8),
		{Name: "InceptionV2/Logits/Conv2d_1c_1x1/weights", Shape: []int{1, 1, 2, 1}, Data: []float32{9, 10}},
	})
	for name, want := range map[string]Tensor{
		"inception4e.branch3.2.conv.weight": {Shape: []int{2, 1, 1, 2}, Data: []float32{1, 3, 2, 4}}, "inception4e.branch3.2.bn.bias": vectorOf("", 5, 6),
		"inception4e.branch3.2.bn.weight": vectorOf("", 1, 1), "inception4b.branch4.1.bn.running_mean": vectorOf("", 7), "fc.weight": {Shape: []int{1, 2}, Data: []float32{9, 10}},
	} {
		if x := got[name]; !slices.Equal(x.Shape, want.Shape) || !slices.Equal(x.Data, want.Data) {
			t.Errorf("%s is %v %v, want %v %v", name, x.Shape, x.Data, want.Shape, want.Data)
		}
	}
	if len(got) != 5 {
		t.Errorf("%d tensors: %v", len(got), got)
	}
}
