package blocks

import "slices"

// table holds every architecture known by name. It is a literal: Lookup and Names read it, nothing writes it.
var table = slices.Concat(cifarRows, imagenetRows, speechRows, testRows)

// row fills in what all rows share.
func row(s Spec) Spec {
	s.BNEps, s.BNMomentum = DefaultBNEps, DefaultBNMomentum
	return s
}

// testRows are small nets that exercise every path of the blocks: each shortcut, both blocks, odd maps and channel
// counts that no vector length divides.
var testRows = []Spec{
	testRow(Spec{Name: "tiny-plain", Block: Basic, Shortcut: None, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-a", Block: Basic, Shortcut: OptionA, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-a-end", Block: Basic, Shortcut: OptionA, PadEnd: true, InputSize: 8, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-b", Block: Basic, Shortcut: OptionB, InputSize: 9, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-c", Block: Basic, Shortcut: OptionC, InputSize: 8, Depths: []int{1, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-bottleneck", Block: Bottleneck, Shortcut: OptionB, InputSize: 9, Depths: []int{2, 1}, Widths: []int{3, 6}}),
	testRow(Spec{Name: "tiny-bottleneck-v1.5", Block: Bottleneck, Shortcut: OptionB, StrideIn3x3: true, InputSize: 8, Depths: []int{2, 1}, Widths: []int{4, 8}}),
	testRow(Spec{Name: "tiny-imagenet-stem", Block: Basic, Shortcut: OptionB, Stem: Stem7x7, InputSize: 21, Depths: []int{2, 1}, Widths: []int{6, 12}}),
	testRow(Spec{Name: "tiny-wide", Block: Basic, Shortcut: OptionA, InputSize: 16, Depths: []int{1, 1}, Widths: []int{16, 32}}),
	testRow(Spec{Name: "tiny-wide-b", Block: Basic, Shortcut: OptionB, InputSize: 12, Depths: []int{1, 1}, Widths: []int{16, 32}}),
}

func testRow(s Spec) Spec {
	s.Family, s.TestOnly, s.Source = FamilyTest, true, "tests"
	s.InputChannels, s.Classes = 3, 10
	if s.Stem == "" {
		s.Stem = Stem3x3
	}
	return counted(row(s))
}

// counted fills in the counts of a Spec that has no published ones, or whose overrides changed them.
func counted(s Spec) Spec {
	s.Params, s.MACs = 0, 0
	for _, l := range trace(s) {
		s.Params += l.Params
		s.MACs += l.MACs
	}
	return s
}
