package blocks

import "slices"

// table holds every architecture known by name. It is a literal: Lookup and Names read it, nothing
// writes it.
var table = slices.Concat(cifarRows, fourStageRows, wideRows, preActivationRows, imagenetRows, aggregatedRows, deepStemRows, excitedRows, vggRows, inceptionRows, preluRows, speechRows, testRows, variantTestRows)

// row fills in what all rows share.
func row(s Spec) Spec {
	s.BNEps, s.BNMomentum = DefaultBNEps, DefaultBNMomentum
	return s
}

// testRows are small nets that exercise every path of the blocks: each shortcut, both blocks, odd
// maps and channel counts that no vector length divides, each kind of part.
var testRows = []Spec{
	testRow(Spec{Name: "tiny-plain", Block: Basic, Shortcut: None, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-a", Block: Basic, Shortcut: OptionA, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-a-end", Block: Basic, Shortcut: OptionA, PadEnd: true, InputSize: 8, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-b", Block: Basic, Shortcut: OptionB, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-c", Block: Basic, Shortcut: OptionC, InputSize: 8, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-bottleneck", Block: Bottleneck, Shortcut: OptionB, InputSize: 9, Depths: []int{2, 1}, Widths: []int{3, 6}}),
	testRow(Spec{Name: "tiny-bottleneck-v1.5", Block: Bottleneck, Shortcut: OptionB, StrideIn3x3: true, InputSize: 8, Depths: []int{2, 1}, Widths: []int{4, 8}}),
	testRow(Spec{Name: "tiny-imagenet-stem", Block: Basic, Shortcut: OptionB, Stem: Stem7x7, InputSize: 21, Depths: []int{2, 1}, Widths: []int{6, 12}}),
	testRow(Spec{Name: "tiny-caffe", Block: Bottleneck, Shortcut: OptionB, Stem: StemCaffe, InputSize: 24, Depths: []int{2, 1}, Widths: []int{4, 6}}),
	testRow(Spec{Name: "tiny-bottleneck-a", Block: Bottleneck, Shortcut: OptionA, InputSize: 9, Depths: []int{2, 1}, Widths: []int{3, 6}}),
	testRow(Spec{Name: "tiny-bottleneck-c", Block: Bottleneck, Shortcut: OptionC, InputSize: 8, Depths: []int{2, 1}, Widths: []int{3, 6}}),
	testRow(Spec{Name: "tiny-vgg", InputSize: 14, Body: vggBody([][]int{{5}, {7, 6}}, 11, 0, false)}),
	testRow(Spec{Name: "tiny-vggbn", InputSize: 12, Body: vggBody([][]int{{5, 5}, {6}}, 11, 0, true)}),
	testRow(Spec{Name: "tiny-googlenet", InputSize: 41, Body: slices.Concat(
		withBias("conv1", 6, 7, 2), one(ceilPool(3, 2)), responses,
		withBias.inception("3a", 5, 4, 3, 5, 2, 3, 2), withBias.classifier("aux1", 5, 9, 0), one(ceilPool(3, 2)),
		withBias.inception("4a", 5, 3, 3, 4, 2, 3, 2), []Part{globalPool, drop(0), classifier("fc")})}),
	testRow(Spec{Name: "tiny-googlenet-bn", InputSize: 21, Body: slices.Concat(
		withNorm("conv1", 6, 3, 1), one(ceilPool(3, 2)),
		withNorm.inception("3a", 3, 4, 3, 5, 2, 3, 2), withNorm.classifier("aux1", 5, 9, 0), one(ceilPool(2, 2)),
		withNorm.inception("4a", 3, 3, 3, 4, 2, 3, 2), []Part{globalPool, drop(0), classifier("fc")})}),
	testRow(Spec{Name: "tiny-bn-inception", InputSize: 15, Body: slices.Concat(
		withNorm("conv1", 6, 3, 2),
		inceptionBN("3a", 4, 3, 5, 2, 3, avgPool(3, 1), 2), halvingBN("3b", 3, 5, 2, 4),
		inceptionBN("4a", 3, 3, 4, 2, 3, maxPool(3, 1), 2), []Part{globalPool, classifier("fc")})}),
	testRow(Spec{Name: "tiny-slim", InputSize: 32, Body: as(same, slices.Concat(
		withBias("conv1", 6, 7, 2), one(ceilPool(3, 2)),
		inceptionBN("3a", 4, 3, 5, 2, 3, avgPool(3, 1), 2), halvingBN("3c", 3, 5, 2, 4),
		inceptionBN("4a", 3, 3, 4, 2, 3, maxPool(3, 1), 2), []Part{globalPool, classifier("fc")}))}),
	testRow(Spec{Name: "tiny-prelu-net", InputSize: 24, Body: preluBody(4, []int{6, 7}, 2, 9, 0, []int{3, 2, 1})}),
	testRow(Spec{Name: "tiny-a-sigmoid-stem5", Block: Basic, Shortcut: OptionA, Activation: Sigmoid, StemKernel: 5, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-b-elu", Block: Basic, Shortcut: OptionB, Activation: ELU, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-plain-sigmoid-nobn", Block: Basic, Shortcut: None, Activation: Sigmoid, NoBatchNorm: true, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-c-nobn-stem7", Block: Basic, Shortcut: OptionC, NoBatchNorm: true, StemKernel: 7, InputSize: 8, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-bottleneck-elu-nobn", Block: Bottleneck, Shortcut: OptionB, Activation: ELU, NoBatchNorm: true, InputSize: 9, Depths: []int{2, 1}, Widths: []int{3, 6}}),
	testRow(Spec{Name: "tiny-imagenet-stem-sigmoid-stem3", Block: Basic, Shortcut: OptionB, Stem: Stem7x7, Activation: Sigmoid, StemKernel: 3, InputSize: 21, Depths: []int{2, 1}, Widths: []int{6, 12}}),
	testRow(Spec{Name: "tiny-wide", Block: Basic, Shortcut: OptionA, InputSize: 16, Depths: []int{1, 1}, Widths: []int{16, 32}}),
	testRow(Spec{Name: "tiny-wide-b", Block: Basic, Shortcut: OptionB, InputSize: 12, Depths: []int{1, 1}, Widths: []int{16, 32}}),
}

func testRow(s Spec) Spec {
	s.Family, s.TestOnly, s.Source = FamilyTest, true, "tests"
	s.InputChannels, s.Classes = 3, 10
	if len(s.Body) > 0 {
		s.Block, s.Shortcut = Sequence, None
	} else if s.Stem == "" {
		s.Stem = Stem3x3
	}
	return counted(row(s))
}

// counted fills in the counts of a Spec that has no published ones, or whose overrides changed
// them.
func counted(s Spec) Spec {
	s.Params, s.MACs = 0, 0
	for _, l := range trace(s) {
		s.Params += l.Params
		if !l.Training {
			s.MACs += l.MACs
		}
	}
	return s
}
