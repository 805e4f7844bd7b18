package blocks

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// traits are what names and shapes of tensors tell of a network by themselves, each in words that a
// message can use. Blocks are layerI.J, as in torchvision.
func traits(shapes map[string][]int) []string {
	var found []string
	inBlocks := blocksOf(shapes)
	stages := map[string]int{}
	for name := range inBlocks {
		stage, _, _ := strings.Cut(name, ".")
		stages[stage]++
	}
	for _, t := range blockTraits {
		n := 0
		for _, parts := range inBlocks {
			if t.in(parts) {
				n++
			}
		}
		switch {
		case n > 0 && n == len(inBlocks):
			found = append(found, t.what+" in every block")
		case n > 0:
			found = append(found, fmt.Sprintf("%s in %d of %d blocks", t.what, n, len(inBlocks)))
		}
	}
	stem, hasStem := shapes["conv1.weight"]
	switch {
	case len(shapes["conv1.0.weight"]) == 4:
		found = append(found, "a stem of several convolutions")
	case hasStem && len(stem) == 4 && len(stages) == 4 && stem[2] != 7:
		found = append(found, fmt.Sprintf("a first convolution of %dx%d before four stages", stem[2], stem[3]))
	}
	if len(stages) > 0 && len(shapes["bn1.weight"]) == 1 && len(shapes["bn1.running_mean"]) == 0 {
		found = append(found, "normalisation without running statistics (of groups or instances, or saved without its buffers, which model.state_dict() has)")
	}
	if len(stages) > 4 {
		found = append(found, fmt.Sprintf("%d stages", len(stages)))
	}
	for _, f := range forms {
		if hasName(shapes, f.name) {
			found = append(found, f.what)
		}
	}
	return found
}

// forms are those in which weights may be stored other than as they are used.
var forms = []struct {
	what string
	name *regexp.Regexp
}{
	{"pruned weights beside their masks (torch.nn.utils.prune.remove makes one of them)", regexp.MustCompile(`\.weight_mask$`)},
	{"normalised weights in two parts (torch.nn.utils.remove_weight_norm makes one of them)", regexp.MustCompile(`\.weight_g$`)},
	{"spectral normalisation (torch.nn.utils.remove_spectral_norm makes plain weights of it)", regexp.MustCompile(`\.weight_u$`)},
	{"parametrized weights (torch.nn.utils.parametrize.remove_parametrizations makes plain ones of them)", regexp.MustCompile(`\.parametrizations\.weight\.`)},
}

// families are other networks that names tell, the special before the general.
var families = []struct {
	what string
	name *regexp.Regexp
}{
	{"a Swin transformer", regexp.MustCompile(`\.relative_position_bias_table$`)},
	{"a vision transformer", regexp.MustCompile(`(^|\.)(cls_token|class_token|pos_embed|class_embedding)$`)},
	{"CLIP's network of images", regexp.MustCompile(`(^|\.)attnpool\.`)},
	{"a DenseNet", regexp.MustCompile(`(^|\.)denseblock1\.`)},
	{"a ConvNeXt", regexp.MustCompile(`(^|\.)stages\.0\.(blocks\.)?0\.(gamma|conv_dw\.weight|dwconv\.weight)$`)},
	{"timm's ResNetV2 of pre-activation blocks for ImageNet", regexp.MustCompile(`(^|\.)stages\.0\.blocks\.0\.norm1\.`)},
	{"an EfficientNet or MobileNetV3 of timm", regexp.MustCompile(`(^|\.)conv_stem\.weight$`)},
	{"a MobileNet or EfficientNet of torchvision", regexp.MustCompile(`(^|\.)features\.1\.(conv|0\.block|block)\.0\.`)},
	{"a RegNet", regexp.MustCompile(`(^|\.)(trunk_output\.block1|s1\.b1)\.`)},
	{"an Inception v3", regexp.MustCompile(`(^|\.)Mixed_5b\.`)},
	{"a network of cross-stage parts (CSPNet)", regexp.MustCompile(`(^|\.)stages\.0\.conv_exp\.`)},
	{"a ResNet of selective kernels", regexp.MustCompile(`(^|\.)layer1\.0\.conv[12]\.(conv_kxk|paths)\.`)},
}

// FamilyOf is what other network the tensors are one of by their names, in a few words, or "".
func FamilyOf(shapes map[string][]int) string {
	for _, f := range families {
		if hasName(shapes, f.name) {
			return f.what
		}
	}
	return ""
}

func hasName(shapes map[string][]int, name *regexp.Regexp) bool {
	for n := range shapes {
		if name.MatchString(n) {
			return true
		}
	}
	return false
}

// depthTrait says how many blocks a network has whose blocks are torchvision's layerI.J, where no
// architecture has as many of the kind, or "".
func depthTrait(shapes map[string][]int) string {
	inBlocks := blocksOf(shapes)
	var depths []int
	bottleneck := false
	for i := 1; inBlocks[fmt.Sprintf("layer%d.0", i)] != nil; i++ {
		n := 0
		for ; inBlocks[fmt.Sprintf("layer%d.%d", i, n)] != nil; n++ {
			bottleneck = bottleneck || inBlocks[fmt.Sprintf("layer%d.%d", i, n)]["conv3.weight"] != nil
		}
		depths = append(depths, n)
	}
	if len(depths) == 0 || len(depths) > 4 || slices.ContainsFunc(candidates(shapes), func(s Spec) bool {
		return slices.Equal(s.Depths, depths) && (s.Block == Bottleneck || s.Block == PreBottleneck) == bottleneck
	}) {
		return ""
	}
	kind := "blocks of two convolutions"
	if bottleneck {
		kind = "bottlenecks"
	}
	return fmt.Sprintf("stages of %s %s", strings.Trim(strings.ReplaceAll(fmt.Sprint(depths), " ", ", "), "[]"), kind)
}

// blocksOf are the tensors of each block, by the names within it.
func blocksOf(shapes map[string][]int) map[string]map[string][]int {
	found := map[string]map[string][]int{}
	for name, shape := range shapes {
		stage, rest, _ := strings.Cut(name, ".")
		block, part, ok := strings.Cut(rest, ".")
		if _, err := strconv.Atoi(block); err != nil || !ok || !strings.HasPrefix(stage, "layer") {
			continue
		}
		key := stage + "." + block
		if found[key] == nil {
			found[key] = map[string][]int{}
		}
		found[key][part] = shape
	}
	return found
}

// blockTraits are those of one block.
var blockTraits = []struct {
	what string
	in   func(parts map[string][]int) bool
}{
	{"squeeze-and-excitation", func(p map[string][]int) bool {
		return hasScope(p, "se", "se_module") && len(p["se.conv.weight"]) != 3
	}},
	{"efficient channel attention", func(p map[string][]int) bool { return len(p["se.conv.weight"]) == 3 || hasScope(p, "eca") }},
	{"split attention", func(p map[string][]int) bool { return len(p["conv2.fc1.weight"]) > 0 }},
	{"other attention", func(p map[string][]int) bool { return hasScope(p, "attn", "cbam", "ca", "sa", "attention") }},
	{"grouped convolutions", func(p map[string][]int) bool {
		first, second := p["conv1.weight"], p["conv2.weight"]
		return len(first) == 4 && len(second) == 4 && second[1] > 0 && second[1] < first[0]
	}},
	{"bottlenecks of another width than a quarter", func(p map[string][]int) bool {
		inner, outer := p["conv2.weight"], p["conv3.weight"]
		return len(inner) == 4 && len(outer) == 4 && outer[0] != 4*inner[0]
	}},
	{"shortcuts with average pooling (a convolution behind it)", func(p map[string][]int) bool { return len(p["downsample.1.weight"]) == 4 }},
	{"normalisation before each convolution (pre-activation)", func(p map[string][]int) bool {
		conv, norm := p["conv1.weight"], p["bn1.weight"]
		return len(conv) == 4 && len(norm) == 1 && conv[0] != conv[1] && norm[0] == conv[1]
	}},
	{"biases of convolutions", func(p map[string][]int) bool { return len(p["conv1.bias"]) == 1 }},
	{"learned factors of residuals (rezero, layer scale)", func(p map[string][]int) bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(p)), func(n string) bool {
			return slices.Contains([]string{"gamma", "alpha", "layer_scale", "resweight", "scale"}, n)
		})
	}},
}

// hasScope reports whether a block has tensors under one of the names.
func hasScope(parts map[string][]int, scopes ...string) bool {
	for name := range parts {
		scope, _, ok := strings.Cut(name, ".")
		if ok && slices.Contains(scopes, scope) {
			return true
		}
	}
	return false
}

// Unlike says what tensors show that those of no architecture do, each in a few words: attention in
// blocks, another stem. known says that every one of them is in some architecture, but not all in
// one, or not in these sizes.
func Unlike(shapes map[string][]int) (unlike []string, known bool) {
	mine := traits(shapes)
	if depth := depthTrait(shapes); depth != "" {
		unlike = append(unlike, depth)
	}
	if len(mine) == 0 {
		return unlike, false
	}
	have := map[string]bool{}
	for _, s := range candidates(shapes) {
		if s.Stem == "" || s.Depth() > maxKnownDepth {
			continue
		}
		own := map[string][]int{}
		for _, l := range trace(s) {
			maps.Copy(own, l.tensors())
		}
		for _, t := range traits(own) {
			what, _, _ := strings.Cut(t, " in ")
			have[what] = true
		}
	}
	for _, t := range mine {
		if what, _, _ := strings.Cut(t, " in "); !have[what] {
			unlike = append(unlike, t)
		}
	}
	if unlike == nil {
		return mine, true
	}
	return unlike, false
}

// maxKnownDepth leaves out networks whose traits shallower rows have, too.
const maxKnownDepth = 200
