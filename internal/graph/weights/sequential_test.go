package weights

import (
	"slices"
	"strings"
	"testing"

	"resnet/internal/pickle"
)

// shaped are tensors by NAME:RANK.
func shaped(list ...string) []Tensor {
	var tensors []Tensor
	for _, x := range list {
		name, rank, _ := strings.Cut(x, ":")
		tensors = append(tensors, Tensor{Name: name, Shape: make([]int, len(rank))})
	}
	return tensors
}

// A rank is as many strokes: conv1.weight:4 is written conv1.weight:||||.
func TestLayersInASequentialGetTheirNames(t *testing.T) {
	for what, c := range map[string]struct{ theirs, want []string }{
		"children": {
			[]string{"0.weight:||||", "1.weight:|", "1.running_var:|", "4.0.conv1.weight:||||", "4.1.bn2.bias:|", "5.0.conv1.weight:||||", "5.0.downsample.0.weight:||||"},
			[]string{"conv1.weight", "bn1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer1.1.bn2.bias", "layer2.0.conv1.weight", "layer2.0.downsample.0.weight"},
		},
		"with a classifier": {
			[]string{"net.0.weight:||||", "net.1.weight:|", "net.3.0.conv1.weight:||||", "net.6.weight:||", "net.6.bias:|"},
			[]string{"net.conv1.weight", "net.bn1.weight", "net.layer1.0.conv1.weight", "net.fc.weight", "net.fc.bias"},
		},
		"two networks": {
			[]string{"a.0.weight:||||", "a.1.weight:|", "a.4.0.conv1.weight:||||", "b.0.weight:||||", "b.1.weight:|", "b.4.0.conv1.weight:||||"},
			[]string{"a.conv1.weight", "a.bn1.weight", "a.layer1.0.conv1.weight", "b.conv1.weight", "b.bn1.weight", "b.layer1.0.conv1.weight"},
		},
		"a stem": {
			[]string{"layer0.0.weight:||||", "layer0.1.bias:|", "layer0.1.weight:|", "layer1.0.conv1.weight:||||"},
			[]string{"conv1.weight", "bn1.bias", "bn1.weight", "layer1.0.conv1.weight"},
		},
		"a deep stem": {
			[]string{"backbone.stem.0.weight:||||", "backbone.stem.1.weight:|", "backbone.stem.3.weight:||||", "backbone.stem.6.weight:||||", "backbone.stem.7.bias:|", "backbone.layer1.0.conv1.weight:||||"},
			[]string{"backbone.conv1.0.weight", "backbone.conv1.1.weight", "backbone.conv1.3.weight", "backbone.conv1.6.weight", "backbone.bn1.bias", "backbone.layer1.0.conv1.weight"},
		},
		"behind a scheme": {
			[]string{"net.conv1.0.weight:||||", "net.conv1.1.bias:|", "net.conv2_x.0.residual_function.0.weight:||||"},
			[]string{"net.conv1.weight", "net.bn1.bias", "net.layer1.0.conv1.weight"},
		},
		// What is not such a network stays.
		"a gap":             {[]string{"0.weight:||||", "1.weight:|", "4.0.conv1.weight:||||", "6.0.conv1.weight:||||"}, nil},
		"no normalisation":  {[]string{"0.weight:||||", "1.weight:||||", "4.0.conv1.weight:||||"}, nil},
		"a linear first":    {[]string{"0.weight:||", "1.weight:|", "4.0.conv1.weight:||||"}, nil},
		"a stage too early": {[]string{"0.weight:||||", "1.weight:|", "1.0.conv1.weight:||||"}, nil},
		"torchvision's":     {[]string{"conv1.weight:||||", "layer1.0.conv1.weight:||||", "fc.1.weight:||"}, nil},
	} {
		list := shaped(c.theirs...)
		if c.want == nil {
			for _, x := range list {
				c.want = append(c.want, x.Name)
			}
		}
		if got := OurNames(list); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

// Scripts that save by epoch use numbers as keys.
func TestSetsUnderNumbersAreFound(t *testing.T) {
	tensor := torchTensor{storage: storageRef{"0", F32, 1}, shape: []int{1}, stride: []int{1}}
	byEpoch := &pickle.Dict{}
	for _, epoch := range []int64{10, 20} {
		d := &pickle.Dict{}
		_ = d.Set("w", tensor)
		_ = byEpoch.Set(epoch, d)
	}
	var keys []string
	for _, s := range torchSets(byEpoch) {
		keys = append(keys, s.key)
	}
	if !slices.Equal(keys, []string{"10", "20"}) {
		t.Errorf("%q", keys)
	}
}

// What stands for a tensor and is not read is named with what to do about it.
func TestOtherTensorsAreNamedWithARemedy(t *testing.T) {
	for class, want := range map[string]string{
		"numpy.core.multiarray._reconstruct":              "an array of NumPy",
		"torch._utils._rebuild_qtensor":                   "as it was before its quantisation",
		"torch._utils._rebuild_sparse_tensor":             "to_dense",
		"torch._utils._rebuild_meta_tensor_no_storage":    "without values",
		"argparse.Namespace":                              "save the weights alone, with torch.save(model.state_dict(), FILE)",
		"numpy._core.multiarray._reconstruct_of_no_known": "is no tensor",
	} {
		if got := (&ClassError{class}).Error(); !strings.Contains(got, want) || !strings.Contains(got, class) {
			t.Errorf("%s: %s", class, got)
		}
	}
	arrays, objects := &pickle.Dict{}, &pickle.Dict{}
	_ = arrays.Set("conv1.weight", &pickle.Opaque{Class: "numpy.core.multiarray._reconstruct"})
	_ = objects.Set("args", &pickle.Opaque{Class: "argparse.Namespace"})
	if err := noTensors(arrays); !strings.Contains(err.Error(), `"conv1.weight": it holds an array of NumPy`) {
		t.Errorf("%v", err)
	}
	if err := noTensors(objects); !strings.Contains(err.Error(), `no tensors by name, but "args"`) {
		t.Errorf("%v", err)
	}
}
