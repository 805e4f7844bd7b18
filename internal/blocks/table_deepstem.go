package blocks

// deepStemRows are ResNet-D (He et al. 2019, arXiv:1812.01187, Fig. 2): three 3x3 convolutions for
// the 7x7, average pooling before the 1x1 of a shortcut that halves the map, and the stride of a
// bottleneck in its 3x3. Names and counts are timm's.
var deepStemRows = []Spec{
	deepStemmed("resnet18d", Basic, depths18, 11_708_744, 2_053_713_920),
	deepStemmed("resnet34d", Basic, depths34, 21_816_904, 3_903_401_984),
	deepStemmed("resnet50d", Bottleneck, depths34, 25_576_264, 4_328_824_832),
	deepStemmed("resnet101d", Bottleneck, depths101, 44_568_392, 8_041_046_016),
	deepStemmed("resnet152d", Bottleneck, depths152, 60_212_040, 11_753_267_200),
}

func deepStemmed(name string, block Block, depths []int, params, macs int64) Spec {
	s := imagenetRow(name, block, OptionB, depths, params, macs, nil)
	s.Stem, s.AvgDown, s.StrideIn3x3 = StemDeep, true, block == Bottleneck
	s.Source = "He et al. 2019 (arXiv:1812.01187), Fig. 2, as in timm"
	return s
}
