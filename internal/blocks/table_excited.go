package blocks

// excitedRows are squeeze-and-excitation networks (Hu et al. 2018, arXiv:1709.01507): a block's
// channels are scaled before the addition, by factors that two fully connected layers make of their
// means; the first has a sixteenth of the channels. Names and counts are timm's. Those of the
// authors, translated from Caffe, pool in the stem as Caffe does; their bottlenecks stride in the
// first 1x1, in groups in the 3x3.
var excitedRows = []Spec{
	excited(imagenetRow("seresnet18", Basic, OptionB, depths18, 11_779_624, 1_814_161_408, nil)),
	excited(imagenetRow("seresnet34", Basic, OptionB, depths34, 21_960_416, 3_663_920_128, nil)),
	excited(v15(imagenetRow("seresnet50", Bottleneck, OptionB, depths34, 28_088_024, 4_091_699_200, nil))),
	excited(v15(imagenetRow("seresnet101", Bottleneck, OptionB, depths101, 49_326_872, 7_806_148_608, nil))),
	excited(v15(imagenetRow("seresnet152", Bottleneck, OptionB, depths152, 66_821_848, 11_520_204_800, nil))),
	excited(caffe(imagenetRow("seresnet50-caffe", Bottleneck, OptionB, depths34, 28_088_024, 3_860_488_192, nil))),
	excited(caffe(imagenetRow("seresnet101-caffe", Bottleneck, OptionB, depths101, 49_326_872, 7_574_937_600, nil))),
	excited(caffe(imagenetRow("seresnet152-caffe", Bottleneck, OptionB, depths152, 66_821_848, 11_288_993_792, nil))),
	excited(aggregated("seresnext50_32x4d", depths34, 32, 2, 27_559_896, 4_232_994_816)),
	excited(caffe(aggregated("seresnext50_32x4d-caffe", depths34, 32, 2, 27_559_896, 4_232_994_816))),
}

func excited(s Spec) Spec {
	s.SE = 16
	s.Source = "Hu et al. 2018 (arXiv:1709.01507), as in timm"
	if s.Stem == StemCaffe {
		s.Source = "Hu et al. 2018 (arXiv:1709.01507), as in the authors' Caffe networks"
	}
	return s
}
