package blocks

import (
	"slices"
	"strings"
	"testing"
)

// shapesOf are the names and shapes of a row's tensors.
func shapesOf(t *testing.T, name string, classes int) map[string][]int {
	t.Helper()
	s, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	if classes > 0 {
		s.Classes = classes
	}
	shapes := map[string][]int{}
	for _, l := range trace(s) {
		for name, shape := range l.tensors() {
			shapes[name] = shape
		}
	}
	return shapes
}

func TestNamesAndShapesNarrowTheCandidates(t *testing.T) {
	for name, want := range map[string][]string{
		"resnet18":          {"resnet18"},
		"resnet34c":         {"resnet34c"},
		"plain34":           {"plain34", "resnet34a"},
		"resnet50":          {"resnet50", "resnet50-caffe", "resnet50v1.5"},
		"resnet152":         {"resnet152", "resnet152-caffe", "resnet152v1.5"},
		"resnet20":          {"plain20", "resnet20"},
		"cifar-resnet26":    {"cifar-plain26", "cifar-resnet26"}, // no row of its own
		"resnet56b":         {"resnet56b"},
		"resnet50v1.5":      {"resnet50", "resnet50-caffe", "resnet50v1.5"},
		"resnet50c":         {"resnet50c", "resnet50v1.5c"},
		"resnet50a":         {"resnet50a", "resnet50v1.5a"},
		"vgg16":             {"vgg16"},
		"vgg19bn":           {"vgg19bn"},
		"googlenet":         {"googlenet"},
		"googlenet-bn":      {"googlenet-bn"},
		"bn-inception":      {"bn-inception"},
		"bn-inception-slim": {"bn-inception-slim"},
		"prelu-net-a":       {"prelu-net-a"},
	} {
		for _, classes := range []int{0, 7} {
			var got []string
			for _, s := range Identify(shapesOf(t, name, classes)) {
				got = append(got, s.Name)
				if classes > 0 && s.Classes != classes {
					t.Errorf("%s with %d classes: %s of %d", name, classes, s.Name, s.Classes)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("the tensors of %s are identified as %v, want %v", name, got, want)
			}
		}
	}
}

func TestTheNearestArchitectureIsNamedWhereOneIsNear(t *testing.T) {
	spoiled := shapesOf(t, "resnet34", 0)
	delete(spoiled, "layer3.2.bn1.weight")
	spoiled["layer1.0.conv1.weight"] = []int{64, 64, 5, 5}
	spoiled["extra"] = []int{3}
	if found := Identify(spoiled); len(found) > 0 {
		t.Errorf("a spoiled resnet34 is taken for %s", found[0].Name)
	}
	if s, ok := Nearest(spoiled); !ok || s.Name != "resnet34" {
		t.Errorf("the nearest to a spoiled resnet34 is %q, %v", s.Name, ok)
	}
	for name, shapes := range map[string]map[string][]int{
		"nothing": {}, "another network": {"encoder.weight": {3, 4}, "bn1.weight": {64}, "decoder.weight": {9}},
	} {
		if s, ok := Nearest(shapes); ok {
			t.Errorf("%s: %s is near", name, s.Name)
		}
	}
}

// torchvision's GoogLeNet, saved for evaluation, has no auxiliary classifiers.
func TestAuxiliaryClassifiersMayBeMissing(t *testing.T) {
	shapes := shapesOf(t, "googlenet-bn", 12)
	for name := range shapes {
		if strings.HasPrefix(name, "aux") {
			delete(shapes, name)
		}
	}
	found := Identify(shapes)
	if len(found) != 1 || found[0].Name != "googlenet-bn" || found[0].Classes != 12 || found[0].has(PartAux) {
		t.Fatalf("%+v", found)
	}
	s, err := ForTensors("googlenet-bn", shapes, "")
	if err != nil || s.has(PartAux) || s.Classes != 12 || s.Params != found[0].Params {
		t.Errorf("%v, auxiliary classifiers %v, %d classes, %d parameters", err, s.has(PartAux), s.Classes, s.Params)
	}
}

// TestNetworksOfTensorsKeepTheConstantsOfTheirRows: torchvision's GoogLeNet normalises with another
// ε than the others, which its tensors do not say.
func TestNetworksOfTensorsKeepTheConstantsOfTheirRows(t *testing.T) {
	for _, name := range append(Names(), "tiny-a") {
		row, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if row.Family == FamilySpeech {
			continue
		}
		s, err := ForTensors(name, shapesOf(t, name, 0), "")
		if err != nil || s.BNEps != row.BNEps || s.BNMomentum != row.BNMomentum {
			t.Errorf("%s: ε %g and momentum %g, want %g and %g (%v)", name, s.BNEps, s.BNMomentum, row.BNEps, row.BNMomentum, err)
		}
		c := DefaultConfig()
		c.Name = name
		if s, err := Resolve(c, DataInfo{}); err != nil || s.BNEps != row.BNEps {
			t.Errorf("%s from a configuration: ε %g, want %g (%v)", name, s.BNEps, row.BNEps, err)
		}
	}
}
