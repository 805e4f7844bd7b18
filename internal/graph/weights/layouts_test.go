package weights

import (
	"errors"
	"slices"
	"testing"

	"resnet/internal/graph"
)

func TestNamesOfOtherProgramsBecomeTorchvisions(t *testing.T) {
	for name, c := range map[string]struct{ theirs, ours []string }{
		"torchvision's own":    {[]string{"conv1.weight", "layer1.0.downsample.0.weight"}, []string{"conv1.weight", "layer1.0.downsample.0.weight"}},
		"counters":             {[]string{"bn1.weight", "bn1.num_batches_tracked", "n_averaged"}, []string{"bn1.weight"}},
		"wrappers":             {[]string{"module._orig_mod.module.conv1.weight", "fc.bias"}, []string{"conv1.weight", "fc.bias"}},
		"a prefix of all":      {[]string{"model.conv1.weight", "model.module.fc.bias"}, []string{"conv1.weight", "fc.bias"}},
		"prefixes in prefixes": {[]string{"model.net.backbone.a", "model.net.backbone.b"}, []string{"a", "b"}},
		"a prefix of some":     {[]string{"model.conv1.weight", "head.bias"}, []string{"model.conv1.weight", "head.bias"}},
		"kuangliu": {
			[]string{"linear.weight", "layer2.0.shortcut.0.weight", "layer2.0.shortcut.1.bias", "layer2.0.linear.bias"},
			[]string{"fc.weight", "layer2.0.downsample.0.weight", "layer2.0.downsample.1.bias", "layer2.0.fc.bias"},
		},
		"shortcut.conv": {[]string{"layer1.0.shortcut.conv.weight", "layer1.0.shortcut.bn.running_var"}, []string{"layer1.0.downsample.0.weight", "layer1.0.downsample.1.running_var"}},
		"within a word": {[]string{"nonlinear.weight", "myshortcut.0.bias"}, []string{"nonlinear.weight", "myshortcut.0.bias"}},
		"none":          {nil, []string{}},
	} {
		var in []Tensor
		for i, n := range c.theirs {
			in = append(in, Tensor{Name: n, Data: []float32{float32(i)}})
		}
		before := slices.Clone(c.theirs)
		var names []string
		for _, x := range TorchvisionNames(in) {
			names = append(names, x.Name)
		}
		if !slices.Equal(names, c.ours) {
			t.Errorf("%s: %q becomes %q, want %q", name, c.theirs, names, c.ours)
		}
		for i := range in {
			if in[i].Name != before[i] {
				t.Errorf("%s: the argument changed to %q", name, in[i].Name)
			}
		}
	}
}

func TestLoadTensorsFillsByNamesOrChangesNothing(t *testing.T) {
	set := graph.NewParamSet(1)
	set.Add(&graph.Param{Name: "a", Shape: []int{2}, Data: []float32{1, 2}})
	set.Add(&graph.Param{Name: "b", Shape: []int{1, 1}, Data: []float32{3}})
	b := Tensor{Name: "module.b", Shape: []int{1, 1}, Data: []float32{9}}
	a := Tensor{Name: "a", Shape: []int{2}, Data: []float32{7, 8}}
	for name, list := range map[string][]Tensor{
		"missing": {b}, "another shape": {b, {Name: "a", Shape: []int{2, 1}, Data: []float32{7, 8}}}, "unexpected": {a, b, {Name: "c", Shape: []int{1}, Data: []float32{1}}},
		"integers": {b, {Name: "a", DType: I64, Shape: []int{2}, Ints: []int64{1, 2}}}, "twice": {a, b, {Name: "module.a", Shape: []int{2}, Data: []float32{1, 1}}},
	} {
		if err := LoadTensors("f", list, set); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v := append(slices.Clone(set.Get("a").Data), set.Get("b").Data...); !slices.Equal(v, []float32{1, 2, 3}) {
		t.Errorf("refused tensors changed the values to %v", v)
	}
	if err := LoadTensors("f", []Tensor{b, {Name: "bn.num_batches_tracked"}, a}, set); err != nil {
		t.Fatal(err)
	}
	if v := append(slices.Clone(set.Get("a").Data), set.Get("b").Data...); !slices.Equal(v, []float32{7, 8, 9}) {
		t.Errorf("loaded %v", v)
	}
}
