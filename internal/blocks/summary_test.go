package blocks

import (
	"reflect"
	"strings"
	"testing"
)

// layerNames lists the layers of a type.
func layerNames(m Summary, kind string) []string {
	var names []string
	for _, l := range m.Layers {
		if l.Type == kind {
			names = append(names, l.Name)
		}
	}
	return names
}

func summaryOf(t *testing.T, name string) Summary {
	t.Helper()
	s, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Summarize(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLayersHaveTorchvisionsNamesAndTheFiguresShapes(t *testing.T) {
	m := summaryOf(t, "tiny-b")
	want := []string{
		"conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2", "layer2.0.downsample.0",
		"layer3.0.conv1", "layer3.0.conv2", "layer3.0.downsample.0",
	}
	if got := layerNames(m, "conv"); !reflect.DeepEqual(got, want) {
		t.Errorf("convolutions %v, want %v", got, want)
	}
	for _, l := range m.Layers {
		if l.Name == "layer2.0.downsample.0" && (!reflect.DeepEqual(l.Output, []int{10, 5, 5}) || l.Params != 50 || l.MACs != 1250) {
			t.Errorf("%+v", l)
		}
	}
	if m.Blocks != 3 || m.Depth != 8 || !reflect.DeepEqual(m.Input, []int{3, 9, 9}) {
		t.Errorf("%d blocks, depth %d, input %v", m.Blocks, m.Depth, m.Input)
	}
}

func TestProjectionsStandWhereTheOptionPutsThem(t *testing.T) {
	for name, want := range map[string][3]int{ // projections, zero paddings, additions
		"plain34": {0, 0, 0}, "resnet34a": {0, 3, 16}, "resnet34": {3, 0, 16}, "resnet34c": {16, 0, 16},
		"resnet50": {4, 0, 16}, "resnet20": {0, 2, 9}, "resnet20b": {2, 0, 9},
	} {
		m := summaryOf(t, name)
		projections := 0
		for _, conv := range layerNames(m, "conv") {
			if strings.Contains(conv, "downsample") {
				projections++
			}
		}
		got := [3]int{projections, len(layerNames(m, "shortcut-pad")), len(layerNames(m, "add"))}
		if got != want {
			t.Errorf("%s: %v projections, zero paddings and additions; want %v", name, got, want)
		}
	}
}

func TestVersionsOfTheBottleneckStrideInDifferentLayers(t *testing.T) {
	for name, want := range map[string]string{"resnet50": "layer2.0.conv1", "resnet50v1.5": "layer2.0.conv2"} {
		for _, l := range summaryOf(t, name).Layers {
			strided := strings.HasSuffix(l.Detail, "/2")
			inPath := strings.HasPrefix(l.Name, "layer2.0.conv")
			if inPath && strided != (l.Name == want) {
				t.Errorf("%s: %s is %q", name, l.Name, l.Detail)
			}
		}
	}
}

func TestLayerNamesAreUniqueAndInputsPrecede(t *testing.T) {
	for _, s := range table {
		m, err := Summarize(s)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{"input": true}
		for _, l := range m.Layers {
			if seen[l.Name] {
				t.Fatalf("%s: two layers are called %s", s.Name, l.Name)
			}
			for _, from := range l.Inputs {
				if !seen[from] {
					t.Fatalf("%s: %s reads %s before it exists", s.Name, l.Name, from)
				}
			}
			seen[l.Name] = true
		}
	}
}
