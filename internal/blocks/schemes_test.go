package blocks_test

import (
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

// TestFilesOfOtherProgramsAreRecognised names the tensors of rows as each program names its own,
// and finds the row again, with every tensor where it was.
func TestFilesOfOtherProgramsAreRecognised(t *testing.T) {
	for _, c := range []struct {
		row, scheme string
		classes     int
		want        []string
	}{
		{"resnet18-3x3", "kuangliu", 10, []string{"resnet18-3x3"}},
		// timm's and torchvision's with the stem replaced
		{"resnet18-3x3", "torchvision", 200, []string{"resnet18-3x3"}},
		{"resnet34-3x3", "weiaicunzai", 100, []string{"resnet34-3x3"}},
		{"wrn-16-8", "xternalz", 10, []string{"wrn-16-8"}},
		{"wrn-16-8", "szagoruyko", 100, []string{"wrn-16-8"}},
		{"preresnet110", "torchvision", 10, []string{"preresnet110"}},
		{"preresnet164", "torchvision", 10, []string{"preresnet164"}},
		{"resnet18d", "torchvision", 5, []string{"resnet18d"}},
		{"seresnet18", "torchvision", 1000, []string{"seresnet18"}},
		// the pooling tells them apart
		{"seresnet50", "cadene", 1000, []string{"seresnet50", "seresnet50-caffe"}},
		{"resnext50_32x4d", "torchvision", 7, []string{"resnext50_32x4d"}},
	} {
		s, err := blocks.Lookup(c.row)
		if err != nil {
			t.Fatal(err)
		}
		s.Classes = c.classes
		sum, err := blocks.Summarize(s)
		if err != nil {
			t.Fatal(err)
		}
		var theirs []weights.Tensor
		ours := map[string][]int{}
		for _, l := range sum.Layers {
			for part, shape := range l.Shapes {
				name := l.Name + "." + part
				ours[name] = shape
				theirs = append(theirs, weights.Tensor{Name: weights.ToScheme(c.scheme, name), Shape: shape})
			}
		}
		names := make([]string, len(theirs))
		for i, x := range theirs {
			names[i] = x.Name
		}
		of := weights.SchemeOf(names)
		shapes := map[string][]int{}
		for _, x := range weights.TorchvisionNames(theirs) {
			shapes[weights.FromScheme(of, x.Name)] = x.Shape
		}
		for name, shape := range ours {
			if !slices.Equal(shapes[name], shape) {
				t.Errorf("%s in the names of %s: %s is %v, want %v", c.row, c.scheme, name, shapes[name], shape)
			}
		}
		var found []string
		for _, s := range blocks.Identify(shapes) {
			found = append(found, s.Name)
			if s.Classes != c.classes {
				t.Errorf("%s in the names of %s: %s of %d classes", c.row, c.scheme, s.Name, s.Classes)
			}
		}
		if !slices.Equal(found, c.want) {
			t.Errorf("%s in the names of %s is taken for %v, want %v", c.row, c.scheme, found, c.want)
		}
	}
}

// Dropout of WRN stands between the convolutions of its blocks, in training alone.
func TestDropoutOfWideNetworks(t *testing.T) {
	c := blocks.DefaultConfig()
	c.Name, c.Dropout = "tiny-wrn", 0.3
	s, err := blocks.Resolve(c, blocks.DataInfo{})
	if err != nil || s.DropRate != 0.3 {
		t.Fatalf("%g, %v", s.DropRate, err)
	}
	for mode, want := range map[graph.Mode]int{graph.Train: 4, graph.Eval: 0} {
		g, err := blocks.Build(s, 2, mode, graph.NewParamSet(1))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, node := range g.G.AllNodes() {
			if op, ok := graph.OpOf(node).(*graph.Dropout); ok && op.P == 0.3 {
				n++
			}
		}
		if n != want {
			t.Errorf("%d layers of dropout in mode %v, want %d", n, mode, want)
		}
	}
	for name, bad := range map[string]float64{"wrn-28-10": 1, "resnet20": 0.3, "preresnet164": 0.1} {
		c.Name, c.Dropout = name, bad
		if _, err := blocks.Resolve(c, blocks.DataInfo{}); err == nil {
			t.Errorf("%s takes dropout %g", name, bad)
		}
	}
}
