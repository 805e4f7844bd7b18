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

func TestDOTDrawsEveryLayerAndEdge(t *testing.T) {
	m := summaryOf(t, "tiny-a")
	dot := m.DOT()
	for _, want := range []string{
		`digraph "tiny-a"`, `subgraph "cluster_layer2.0"`, `"layer1.0.relu2" -> "layer2.0.conv1";`,
		`"layer1.0.relu2" -> "layer2.0.shortcut.pad";`, `"layer2.0.shortcut.pad" -> "layer2.0.add";`, `"avgpool" -> "fc";`, "10x5x5",
	} {
		if !strings.Contains(dot, want) {
			t.Errorf("no %s in\n%s", want, dot)
		}
	}
	if open, closed := strings.Count(dot, "{"), strings.Count(dot, "}"); open != closed {
		t.Errorf("%d braces open, %d close", open, closed)
	}
}

// The whole text: layers outside of blocks stand alone, those of a block in its frame, and a
// projection, whose name has a part more, in the frame of its block.
func TestDOTFramesEachBlock(t *testing.T) {
	m := Summary{Name: "n", Input: []int{3, 8, 8}, Layers: []Layer{
		{Name: "features.0", Type: "relu", Inputs: []string{"input"}, Output: []int{3, 8, 8}},
		{Name: "layer1.0.conv1", Type: "conv", Detail: "3x3 /2", Inputs: []string{"features.0"}, Output: []int{5, 4, 4}},
		{Name: "layer1.0.downsample.0", Type: "conv", Detail: "1x1 /2", Inputs: []string{"features.0"}, Output: []int{5, 4, 4}},
		{Name: "layer1.1.add", Type: "add", Inputs: []string{"layer1.0.conv1", "layer1.0.downsample.0"}, Output: []int{5, 4, 4}},
		{Name: "avgpool", Type: "gap", Inputs: []string{"layer1.1.add"}, Output: []int{5}},
	}}
	want := `digraph "n" {
	node [shape=box, fontname="sans-serif"];
	"input" [label="input\n3x8x8", shape=plaintext];
	"features.0" [label="relu\n3x8x8"];
	subgraph "cluster_layer1.0" {
	label="layer1.0";
	"layer1.0.conv1" [label="conv 3x3 /2\n5x4x4"];
	"layer1.0.downsample.0" [label="conv 1x1 /2\n5x4x4"];
	}
	subgraph "cluster_layer1.1" {
	label="layer1.1";
	"layer1.1.add" [label="add\n5x4x4"];
	}
	"avgpool" [label="gap\n5"];
	"input" -> "features.0";
	"features.0" -> "layer1.0.conv1";
	"features.0" -> "layer1.0.downsample.0";
	"layer1.0.conv1" -> "layer1.1.add";
	"layer1.0.downsample.0" -> "layer1.1.add";
	"layer1.1.add" -> "avgpool";
}
`
	if got := m.DOT(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
