package blocks

// imagenetRows are the nets of Table 1 for 224x224 images, with the 10-crop validation errors of
// Tables 2 and 3. resnet18 and resnet34 are option B as torchvision's are; 50 layers and more are
// option B in the paper. The paper's 3.8, 7.6 and 11.3 GFLOPs are the multiply-adds of the
// bottlenecks that stride in the first 1x1, so those are its nets; v1.5 is torchvision's.
var imagenetRows = []Spec{
	imagenetRow("plain18", Basic, None, depths18, 11_515_688, 1_794_805_760, table2(27.94)),
	imagenetRow("plain34", Basic, None, depths34, 21_623_848, 3_644_493_824, table3(28.54, 10.02)),
	imagenetRow("resnet18", Basic, OptionB, depths18, 11_689_512, 1_814_073_344, nil),
	imagenetRow("resnet18a", Basic, OptionA, depths18, 11_515_688, 1_794_805_760, table2(27.88)),
	imagenetRow("resnet18c", Basic, OptionC, depths18, 12_043_816, 1_878_298_624, nil),
	imagenetRow("resnet34", Basic, OptionB, depths34, 21_797_672, 3_663_761_408, table3(24.52, 7.46)),
	imagenetRow("resnet34a", Basic, OptionA, depths34, 21_623_848, 3_644_493_824, table3(25.03, 7.76)),
	imagenetRow("resnet34c", Basic, OptionC, depths34, 22_716_840, 3_830_747_136, table3(24.19, 7.40)),
	imagenetRow("resnet50", Bottleneck, OptionB, depths34, 25_557_032, 3_857_973_248, table3(22.85, 6.71)),
	imagenetRow("resnet101", Bottleneck, OptionB, depths101, 44_549_160, 7_570_194_432, table3(21.75, 6.05)),
	imagenetRow("resnet152", Bottleneck, OptionB, depths152, 60_192_808, 11_282_415_616, table3(21.43, 5.71)),
	imagenetRow("resnet50a", Bottleneck, OptionA, depths34, 22_780_456, 3_498_311_680, nil),
	imagenetRow("resnet101a", Bottleneck, OptionA, depths101, 41_772_584, 7_210_532_864, nil),
	imagenetRow("resnet152a", Bottleneck, OptionA, depths152, 57_416_232, 10_922_754_048, nil),
	imagenetRow("resnet50c", Bottleneck, OptionC, depths34, 40_128_552, 6_324_224_000, nil),
	imagenetRow("resnet101c", Bottleneck, OptionC, depths101, 76_981_288, 13_530_300_416, nil),
	imagenetRow("resnet152c", Bottleneck, OptionC, depths152, 107_335_720, 20_736_376_832, nil),
	caffe(imagenetRow("resnet50-caffe", Bottleneck, OptionB, depths34, 25_557_032, 3_857_973_248, table3(22.85, 6.71))),
	caffe(imagenetRow("resnet101-caffe", Bottleneck, OptionB, depths101, 44_549_160, 7_570_194_432, table3(21.75, 6.05))),
	caffe(imagenetRow("resnet152-caffe", Bottleneck, OptionB, depths152, 60_192_808, 11_282_415_616, table3(21.43, 5.71))),
	v15(imagenetRow("resnet50v1.5", Bottleneck, OptionB, depths34, 25_557_032, 4_089_184_256, nil)),
	v15(imagenetRow("resnet101v1.5", Bottleneck, OptionB, depths101, 44_549_160, 7_801_405_440, nil)),
	v15(imagenetRow("resnet152v1.5", Bottleneck, OptionB, depths152, 60_192_808, 11_513_626_624, nil)),
}

var (
	depths18  = []int{2, 2, 2, 2}
	depths34  = []int{3, 4, 6, 3}
	depths101 = []int{3, 4, 23, 3}
	depths152 = []int{3, 8, 36, 3}
)

func imagenetRow(name string, block Block, shortcut Shortcut, depths []int, params, macs int64, paper *PaperValue) Spec {
	return row(Spec{
		Name: name, Family: FamilyImageNet, Block: block, Stem: Stem7x7, Shortcut: shortcut, Depths: depths,
		Widths: []int{64, 128, 256, 512}, InputChannels: 3, InputSize: 224, Classes: 1000,
		Params: params, MACs: macs, PaperError: paper, Source: "Table 1",
	})
}

// v15 strides in the 3x3 of each bottleneck instead of its first 1x1.
func v15(s Spec) Spec {
	s.StrideIn3x3 = true
	s.Source = "Table 1, with the stride in the 3x3 as in torchvision"
	return s
}

// caffe pools in the stem as the networks that the authors published do.
func caffe(s Spec) Spec {
	s.Stem = StemCaffe
	s.Source = "Table 1, with the first pooling as in the authors' Caffe networks"
	return s
}

func table2(top1 float64) *PaperValue {
	return &PaperValue{Dataset: "imagenet", Top1: top1, Crops: 10, Source: "Table 2"}
}

func table3(top1, top5 float64) *PaperValue {
	return &PaperValue{Dataset: "imagenet", Top1: top1, Top5: &top5, Crops: 10, Source: "Table 3"}
}
