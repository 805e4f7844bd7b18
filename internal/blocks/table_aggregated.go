package blocks

// aggregatedRows are bottlenecks whose 3x3 convolution is wider than the paper's: in 32 or 64
// groups (ResNeXt, Xie et al. 2017, arXiv:1611.05431, Table 1), or all of it (Zagoruyko and
// Komodakis 2016, Table 8). Names, counts and the stride in the 3x3 are torchvision's.
var aggregatedRows = []Spec{
	aggregated("resnext50_32x4d", depths34, 32, 2, 25_028_904, 4_230_479_872),
	aggregated("resnext101_32x8d", depths101, 32, 4, 88_791_336, 16_414_015_488),
	aggregated("resnext101_64x4d", depths101, 64, 4, 83_455_272, 15_460_270_080),
	aggregated("wide_resnet50_2", depths34, 0, 2, 68_883_240, 11_398_021_120),
	aggregated("wide_resnet101_2", depths101, 0, 2, 126_886_696, 22_753_050_624),
}

func aggregated(name string, depths []int, groups, widen int, params, macs int64) Spec {
	s := v15(imagenetRow(name, Bottleneck, OptionB, depths, params, macs, nil))
	s.Groups, s.Widen = groups, widen
	s.Source = "Xie et al. 2017 (arXiv:1611.05431), Table 1, as in torchvision"
	if groups == 0 {
		s.Source = "Zagoruyko and Komodakis 2016 (arXiv:1605.07146), Table 8, as in torchvision"
	}
	return s
}
