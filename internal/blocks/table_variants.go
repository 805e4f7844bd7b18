package blocks

// variantTestRows are small nets of every Variant: groups of 4 and 8 channels, which have a kernel
// of their own, and of others.
var variantTestRows = []Spec{
	testRow(Spec{Name: "tiny-groups", Block: Bottleneck, Shortcut: OptionB, StrideIn3x3: true, InputSize: 9, Depths: []int{2, 1}, Widths: []int{8, 16}, Variant: Variant{Groups: 4, Widen: 2}}),
	testRow(Spec{Name: "tiny-groups-odd", Block: Bottleneck, Shortcut: OptionB, StrideIn3x3: true, InputSize: 8, Depths: []int{1, 1}, Widths: []int{6, 12}, Variant: Variant{Groups: 3}}),
	testRow(Spec{Name: "tiny-widened", Block: Bottleneck, Shortcut: OptionB, StrideIn3x3: true, InputSize: 8, Depths: []int{1, 1}, Widths: []int{4, 8}, Variant: Variant{Widen: 2}}),
	testRow(Spec{Name: "tiny-d", Block: Bottleneck, Shortcut: OptionB, StrideIn3x3: true, Stem: StemDeep, InputSize: 22, Depths: []int{1, 2}, Widths: []int{4, 6}, Variant: Variant{AvgDown: true}}),
	testRow(Spec{Name: "tiny-d-basic", Block: Basic, Shortcut: OptionB, Stem: StemDeep, InputSize: 33, Depths: []int{1, 1}, Widths: []int{6, 10}, Variant: Variant{AvgDown: true}}),
	testRow(Spec{Name: "tiny-se", Block: Bottleneck, Shortcut: OptionB, StrideIn3x3: true, InputSize: 9, Depths: []int{2, 1}, Widths: []int{5, 6}, Variant: Variant{SE: 4}}),
	testRow(Spec{Name: "tiny-se-basic", Block: Basic, Shortcut: OptionB, InputSize: 8, Depths: []int{1, 1}, Widths: []int{7, 20}, Variant: Variant{SE: 3}}),
	testRow(Spec{Name: "tiny-preact", Block: PreBasic, Shortcut: OptionA, InputSize: 9, Depths: []int{2, 1, 1}, Widths: []int{5, 10, 20}}),
	testRow(Spec{Name: "tiny-preact-bottleneck", Block: PreBottleneck, Shortcut: OptionB, InputSize: 8, Depths: []int{2, 2}, Widths: []int{4, 6}, Variant: Variant{StemWidth: 5}}),
	testRow(Spec{Name: "tiny-wrn", Block: PreBasic, Shortcut: OptionB, InputSize: 9, Depths: []int{2, 2}, Widths: []int{8, 16}, Variant: Variant{StemWidth: 4}}),
}
