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
		"a row":                    {r50, nil},
		"attention":                {add(r50, attention), []string{"efficient channel attention in every block"}},
		"factors":                  {add(r18, rezero), []string{"learned factors of residuals (rezero, layer scale) in 2 of 8 blocks"}},
		"no running averages":      {without(r18, "bn1.running_mean"), []string{"normalisation without running statistics (of groups or instances, or saved without its buffers, which model.state_dict() has)"}},
		"a stage more":             {add(r18, map[string][]int{"layer5.0.conv1.weight": {512, 512, 3, 3}}), []string{"5 stages"}},
		"bottlenecks of ResNet-18": {add(r18, map[string][]int{"layer1.0.conv3.weight": {256, 64, 1, 1}}), []string{"stages of 2, 2, 2, 2 bottlenecks"}},
		"fewer blocks":             {map[string][]int{"layer1.0.conv1.weight": {64, 64, 3, 3}, "layer2.0.conv1.weight": {128, 64, 3, 3}}, []string{"stages of 1, 1 blocks of two convolutions"}},
		"pruned":                   {add(r18, map[string][]int{"layer1.0.conv1.weight_mask": {64, 64, 3, 3}}), []string{"pruned weights beside their masks (torch.nn.utils.prune.remove makes one of them)"}},
		"another network":          {map[string][]int{"encoder.weight": {3, 4}}, nil},
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

func TestOtherFamiliesAreToldByTheirNames(t *testing.T) {
	for name, want := range map[string]string{
		"module.cls_token": "a vision transformer",
		"layers.0.blocks.0.attn.relative_position_bias_table": "a Swin transformer",
		"features.denseblock1.denselayer1.norm1.weight":       "a DenseNet",
		"stages.0.blocks.0.norm1.weight":                      "timm's ResNetV2 of pre-activation blocks for ImageNet",
		"stages.0.blocks.0.gamma":                             "a ConvNeXt",
		"conv_stem.weight":                                    "an EfficientNet or MobileNetV3 of timm",
		"features.1.conv.0.0.weight":                          "a MobileNet or EfficientNet of torchvision",
		"s1.b1.conv1.conv.weight":                             "a RegNet",
		"Mixed_5b.branch1x1.conv.weight":                      "an Inception v3",
		"visual.attnpool.positional_embedding":                "CLIP's network of images",
		"layer1.0.conv1.paths.0.conv.weight":                  "a ResNet of selective kernels",
		"layer1.0.conv1.weight":                               "",
		"features.1.weight":                                   "",
	} {
		if got := FamilyOf(map[string][]int{name: {1}}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, s := range table { // which are none of them
		shapes := map[string][]int{}
		for _, l := range trace(s) {
			maps.Copy(shapes, l.tensors())
		}
		if got := FamilyOf(shapes); got != "" {
			t.Errorf("%s is taken for %s", s.Name, got)
		}
		if got := depthTrait(shapes); got != "" && !s.TestOnly {
			t.Errorf("%s: %s", s.Name, got)
		}
	}
}
