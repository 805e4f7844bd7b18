package weights

import (
	"slices"
	"testing"
)

func TestSchemesAreReadAndWritten(t *testing.T) {
	for scheme, pairs := range map[string][][2]string{
		"kuangliu": {
			{"conv1.weight", "conv1.weight"},
			{"layer2.0.shortcut.0.weight", "layer2.0.downsample.0.weight"},
			{"layer4.2.bn3.running_var", "layer4.2.bn3.running_var"},
			{"linear.bias", "fc.bias"},
		},
		"weiaicunzai": {
			{"conv1.0.weight", "conv1.weight"},
			{"conv1.1.running_mean", "bn1.running_mean"},
			{"conv2_x.0.residual_function.0.weight", "layer1.0.conv1.weight"},
			{"conv5_x.11.residual_function.7.bias", "layer4.11.bn3.bias"},
			{"conv3_x.0.shortcut.1.weight", "layer2.0.downsample.1.weight"},
			{"fc.weight", "fc.weight"},
		},
		"xternalz": {
			{"conv1.weight", "conv1.weight"},
			{"block1.layer.0.bn1.weight", "layer1.0.bn1.weight"},
			{"block3.layer.10.convShortcut.weight", "layer3.10.downsample.0.weight"},
			{"block2.layer.3.conv2.weight", "layer2.3.conv2.weight"},
			{"bn1.bias", "bn1.bias"},
		},
		"szagoruyko": {
			{"conv0", "conv1.weight"},
			{"group0.block0.conv1", "layer1.0.conv2.weight"},
			{"group2.block3.bn0.running_var", "layer3.3.bn1.running_var"},
			{"group1.block0.convdim", "layer2.0.downsample.0.weight"},
			{"bn.weight", "bn1.weight"},
			{"fc.bias", "fc.bias"},
		},
		"cadene": {
			{"layer0.conv1.weight", "conv1.weight"},
			{"layer0.bn1.bias", "bn1.bias"},
			{"layer3.5.se_module.fc2.bias", "layer3.5.se.fc2.bias"},
			{"layer1.0.downsample.0.weight", "layer1.0.downsample.0.weight"},
			{"last_linear.weight", "fc.weight"},
		},
	} {
		var names []string
		for _, p := range pairs {
			names = append(names, p[0])
			if got := FromScheme(scheme, p[0]); got != p[1] {
				t.Errorf("%s: %s becomes %s, want %s", scheme, p[0], got, p[1])
			}
			if got := ToScheme(scheme, p[1]); got != p[0] {
				t.Errorf("%s: our %s becomes %s, want %s", scheme, p[1], got, p[0])
			}
		}
		want := scheme
		if scheme == "kuangliu" {
			want = "" // its names are taken whatever stands beside them
		}
		if got := SchemeOf(names); got != want {
			t.Errorf("%s is taken for %q", scheme, got)
		}
		if !slices.Contains(Schemes(), scheme) {
			t.Errorf("%s is not among the schemes", scheme)
		}
	}
	for _, c := range [][3]string{
		{"weiaicunzai", "net.conv2_x.0.residual_function.0.weight", "net.layer1.0.conv1.weight"},
		{"weiaicunzai", "conv2_x.0.downsample.0.weight", "layer1.0.downsample.0.weight"},
		{"szagoruyko", "conv01", "conv01"},
		{"torchvision", "fc.weight", "fc.weight"},
		{"", "fc.weight", "fc.weight"},
	} {
		if got := FromScheme(c[0], c[1]); got != c[2] {
			t.Errorf("%s: %s becomes %s, want %s", c[0], c[1], got, c[2])
		}
	}
	// ResNet-D has a convolution of that name too, and it stays.
	f, err := Named([]Tensor{{Name: "conv1.0.weight"}, {Name: "layer1.0.conv1.weight"}})
	if err != nil || f.Tensors[0].Name != "conv1.0.weight" {
		t.Errorf("%+v, %v", f, err)
	}
	f, err = Named([]Tensor{{Name: "layer0.conv1.weight"}, {Name: "last_linear.bias"}})
	if err != nil || f.Tensors[0].Name != "conv1.weight" || !f.Windows["maxpool"].Ceil {
		t.Errorf("%+v, %v", f, err)
	}
	f, err = Named([]Tensor{{Name: "conv1.weight"}, {Name: "layer1.0.se.fc1.bias"}})
	if w := f.Windows["maxpool"]; err != nil || w.Ceil || w.Pad != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}
