package blocks

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Identify lists the architectures whose tensors have these names and shapes: rows of the table,
// the CIFAR family at the depth that the names have, and either with another shortcut option.
// Several remain where they differ in what has no parameters: a plain net and one with option A,
// strides in the first 1x1 or in the 3x3, windows of the first pooling. Of activations the tensors
// say nothing: the net is taken for one of ReLU. The classes are those of the classifier. The order
// is that of the table.
func Identify(shapes map[string][]int) []Spec {
	var found []Spec
	for _, s := range candidates(shapes) {
		if fitted, ok := s.identified(shapes); ok && !slices.ContainsFunc(found, fitted.same) {
			found = append(found, fitted)
		}
	}
	// A 3x3 stem is rather that of the rows that have it than a variation of the others.
	if slices.ContainsFunc(found, func(s Spec) bool { return s.StemKernel == 0 }) {
		found = slices.DeleteFunc(found, func(s Spec) bool { return s.StemKernel != 0 })
	}
	return found
}

// Nearest is the architecture that has the most tensors of these names and shapes, less those that
// it has besides, where at least half of the given ones are its own. It is for a message: Identify
// found none that fits.
func Nearest(shapes map[string][]int) (Spec, bool) {
	var best Spec
	most := -1
	projected := hasName(shapes, projection)
	for _, s := range candidates(shapes) {
		s = s.sizedLike(shapes)
		if s.Validate() != nil || projected && (s.Shortcut == None || s.Shortcut == OptionA) {
			continue
		}
		common, others := 0, 0
		for _, l := range trace(s) {
			for name, shape := range l.tensors() {
				if slices.Equal(shapes[name], shape) {
					common++
				} else {
					others++
				}
			}
		}
		if score := common - others; 2*common >= len(shapes) && (most < 0 || score > most) && score > 0 {
			best, most = s, score
		}
	}
	if most < 0 {
		return Spec{}, false
	}
	return counted(best), true
}

// projection is the name of a shortcut's convolution.
var projection = regexp.MustCompile(`\.downsample\.\d+\.weight$`)

// candidates are rows of the table, the CIFAR family at the depth that the names have, and either
// with another shortcut option, each once. The slice must not be modified.
func candidates(shapes map[string][]int) []Spec {
	blocksInFirst := map[string]bool{}
	for name := range shapes {
		if part := strings.Split(name, "."); len(part) > 2 && part[0] == "layer1" {
			blocksInFirst[part[1]] = true
		}
	}
	return candidatesOf(drawing{6*len(blocksInFirst) + 2, variationOf(shapes)})
}

// drawing is what decides the candidates: the depth of a CIFAR network, and a variation.
type drawing struct {
	depth     int
	variation variation
}

// candidatesAt keeps candidates by their drawing: to draw and count them takes a tenth of a second.
var candidatesAt sync.Map

// deepestKept is far above any network that is published, and bounds what is kept.
const deepestKept = 2000

func candidatesOf(d drawing) []Spec {
	if known, ok := candidatesAt.Load(d); ok {
		return known.([]Spec)
	}
	names, depth := Names(), strconv.Itoa(d.depth)
	names = append(names, familyPrefix(false)+depth, familyPrefix(true)+depth)
	for _, name := range names[:len(names):len(names)] {
		if s, ok := lookup(name); ok && (s.Stem == StemCaffe || s.Variant != Variant{}) {
			continue // published with their own option alone
		}
		for _, option := range []Shortcut{OptionA, OptionB, OptionC} {
			names = append(names, name+strings.ToLower(string(option)))
		}
	}
	var found []Spec
	for _, name := range names {
		s, ok := lookup(name)
		if !ok || s.Family == FamilySpeech || slices.ContainsFunc(found, func(f Spec) bool { return f.Name == s.Name }) {
			continue
		}
		// Those with a 3x3 stem are the others' variation already.
		if fourStages := s.Stem == Stem3x3 && len(s.Depths) == 4; s.refuses() == "" && !fourStages {
			s = s.vary(d.variation)
		}
		found = append(found, s)
	}
	if d.depth <= deepestKept {
		candidatesAt.Store(d, found)
	}
	return found
}

// variationOf is what the names and shapes of tensors say of a variation.
func variationOf(shapes map[string][]int) variation {
	var v variation
	_, biased := shapes["conv1.bias"]
	_, normalised := shapes["bn1.weight"]
	v.noBatchNorm = biased && !normalised
	if first := shapes["conv1.weight"]; len(first) == 4 && slices.Contains(stemKernels, first[3]) {
		v.stemKernel = first[3]
	}
	return v
}

// same reports whether two rows draw the same net under different names.
func (s Spec) same(o Spec) bool {
	return s.Family == o.Family && s.SameVariation(o) && s.Shortcut == o.Shortcut && s.StrideIn3x3 == o.StrideIn3x3 && s.Stem == o.Stem && s.Variant == o.Variant && slices.Equal(s.Depths, o.Depths) && slices.Equal(s.Widths, o.Widths) && s.Block == o.Block &&
		s.SameBody(o)
}

// ForTensors is the architecture of that name with the classes and the input channels of the
// tensors.
func ForTensors(name string, shapes map[string][]int, shortcutPad string) (Spec, error) {
	c := DefaultConfig()
	c.Name, c.ShortcutPad = name, shortcutPad
	s, err := Resolve(c, DataInfo{})
	if err != nil {
		return s, err
	}
	c.Classes, c.InputChannels = s.sizesIn(shapes)
	s, err = Resolve(c, DataInfo{})
	return s.auxiliariesOf(shapes), err
}

// sizesIn are the classes and the input channels of the tensors, 0 where they do not say.
func (s Spec) sizesIn(shapes map[string][]int) (classes, channels int) {
	if head := shapes[s.Head()+".weight"]; len(head) == 2 {
		classes = head[0]
	}
	if stem := shapes[s.FirstConv()+".weight"]; len(stem) == 4 {
		channels = stem[1]
	}
	return classes, channels
}

// FirstConv is the name of the convolution that sees the image.
func (s Spec) FirstConv() string {
	if len(s.Body) > 0 {
		return s.Body[0].Name
	}
	if s.Stem == StemDeep {
		return "conv1.0"
	}
	return "conv1"
}

// auxiliariesOf is s, without its auxiliary classifiers where the tensors have none: a file that is
// saved for evaluation leaves them out.
func (s Spec) auxiliariesOf(shapes map[string][]int) Spec {
	for _, p := range s.Body {
		if p.Kind != PartAux {
			continue
		}
		for name := range shapes {
			if strings.HasPrefix(name, p.Name+".") {
				return s
			}
		}
	}
	if s.has(PartAux) {
		return s.WithoutAuxiliary()
	}
	return s
}

// sizedLike is s with the classes and input channels of the tensors, and with classifiers on the
// way where they have such.
func (s Spec) sizedLike(shapes map[string][]int) Spec {
	classes, channels := s.sizesIn(shapes)
	if classes > 0 {
		s.Classes = classes
	}
	if channels > 0 {
		s.InputChannels = channels
	}
	return s.auxiliariesOf(shapes)
}

// identified is s with the classes of the tensors, if they are its own.
func (s Spec) identified(shapes map[string][]int) (Spec, bool) {
	if !s.hasBlocksOf(shapes) {
		return s, false
	}
	s = s.sizedLike(shapes)
	if s.Validate() != nil {
		return s, false
	}
	tensors := 0
	for _, l := range trace(s) {
		for name, shape := range l.tensors() {
			if !slices.Equal(shapes[name], shape) {
				return s, false
			}
			tensors++
		}
	}
	return counted(s), tensors == len(shapes)
}

// hasBlocksOf reports whether the stages of s have as many blocks as the tensors, where it has
// stages: most rows are ruled out by that, without their layers.
func (s Spec) hasBlocksOf(shapes map[string][]int) bool {
	for i, depth := range s.Depths {
		block := func(j int) bool { return shapes[fmt.Sprintf("layer%d.%d.conv1.weight", i+1, j)] != nil }
		if !block(depth-1) || block(depth) {
			return false
		}
	}
	return true
}

// tensors are the names and shapes of a layer's parameters and running statistics.
func (l Layer) tensors() map[string][]int {
	named := map[string][]int{}
	for part, shape := range l.Shapes {
		named[l.Name+"."+part] = shape
	}
	return named
}
