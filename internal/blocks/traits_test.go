package blocks

import (
	"maps"
	"slices"
	"testing"
)

func TestWhatNoArchitectureHasIsSaid(t *testing.T) {
	r18, r50 := shapesOf(t, "resnet18", 0), shapesOf(t, "resnet50", 0)
	add := func(shapes map[string][]int, others map[string][]int) map[string][]int {
		all := maps.Clone(shapes)
		maps.Copy(all, others)
		return all
	}
	attention := map[string][]int{}
	for block := range blocksOf(r50) {
		attention[block+".eca.weight"] = []int{1, 1, 3}
	}
	rezero := map[string][]int{"layer1.0.alpha": {1}, "layer4.1.alpha": {1}}
	for name, c := range map[string]struct {
		shapes map[string][]int
		want   []string
	}{
		"a row":               {r50, nil},
		"attention":           {add(r50, attention), []string{"efficient channel attention in every block"}},
		"factors":             {add(r18, rezero), []string{"learned factors of residuals (rezero, layer scale) in 2 of 8 blocks"}},
		"no running averages": {without(r18, "bn1.running_mean"), []string{"normalisation without running statistics (of groups or instances)"}},
		"a stage more":        {add(r18, map[string][]int{"layer5.0.conv1.weight": {512, 512, 3, 3}}), []string{"5 stages"}},
		"another network":     {map[string][]int{"encoder.weight": {3, 4}}, nil},
	} {
		if got, known := Unlike(c.shapes); known || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	// What rows may come to have is a trait all the same.
	for name, c := range map[string]struct {
		shapes map[string][]int
		want   string
	}{
		"SE":      {add(r18, map[string][]int{"layer2.0.se.fc1.weight": {8, 128, 1, 1}}), "squeeze-and-excitation in 1 of 8 blocks"},
		"groups":  {add(r50, map[string][]int{"layer1.0.conv2.weight": {64, 2, 3, 3}}), "grouped convolutions in 1 of 16 blocks"},
		"wide":    {add(r50, map[string][]int{"layer1.0.conv2.weight": {128, 128, 3, 3}}), "bottlenecks of another width than a quarter in 1 of 16 blocks"},
		"stem":    {add(without(r50, "conv1.weight"), map[string][]int{"conv1.0.weight": {32, 3, 3, 3}}), "a stem of several convolutions"},
		"small":   {add(r18, map[string][]int{"conv1.weight": {64, 3, 3, 3}}), "a first convolution of 3x3 before four stages"},
		"pooled":  {add(r50, map[string][]int{"layer2.0.downsample.1.weight": {512, 256, 1, 1}}), "shortcuts with average pooling (a convolution behind it) in 1 of 16 blocks"},
		"preact":  {add(r50, map[string][]int{"layer1.1.bn1.weight": {256}}), "normalisation before each convolution (pre-activation) in 1 of 16 blocks"},
		"biases":  {add(r18, map[string][]int{"layer1.0.conv1.bias": {64}}), "biases of convolutions in 1 of 8 blocks"},
		"ResNeSt": {add(r50, map[string][]int{"layer1.0.conv2.fc1.weight": {32, 64, 1, 1}}), "split attention in 1 of 16 blocks"},
	} {
		if got := traits(c.shapes); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
