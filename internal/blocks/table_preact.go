package blocks

// preActivationRows are the nets of He et al. 2016b (arXiv:1603.05027) on CIFAR: three stages of
// 16, 32 and 64 channels, four times as many behind bottlenecks. The paper's 110 layers are the
// basic blocks of the 6n+2 nets, with their option A; 164 and 1001 are bottlenecks, 9n+2, with a
// 1x1 convolution where the shape changes, as in its authors' code.
var preActivationRows = []Spec{
	preActivated("preresnet110", PreBasic, 18, OptionA, 1_727_962, 252_887_680),
	preActivated("preresnet164", PreBottleneck, 18, OptionB, 1_703_258, 244_500_992),
	preActivated("preresnet1001", PreBottleneck, 111, OptionB, 10_327_706, 1_487_849_984),
}

func preActivated(name string, block Block, n int, shortcut Shortcut, params, macs int64) Spec {
	return row(Spec{
		Name: name, Family: FamilyCIFAR, Block: block, Stem: Stem3x3, Shortcut: shortcut, Variant: Variant{StemWidth: 16},
		Depths: []int{n, n, n}, Widths: []int{16, 32, 64}, InputChannels: 3, InputSize: 32, Classes: 10,
		Params: params, MACs: macs, Source: "He et al. 2016b (arXiv:1603.05027), Tables 2 and 4",
	})
}

// wideRows are WRN-d-k of Zagoruyko and Komodakis 2016 (arXiv:1605.07146): pre-activation blocks k
// times as wide, d = 6n+4 layers with three 1x1 convolutions on shortcuts. Their dropout (section
// 2.4) is model.dropout.
var wideRows = []Spec{
	wide("wrn-16-8", 2, 8, 10_961_370, 1_548_145_664),
	wide("wrn-28-10", 4, 10, 36_479_194, 5_243_328_768),
	wide("wrn-40-4", 6, 4, 8_949_210, 1_298_582_016),
}

func wide(name string, n, k int, params, macs int64) Spec {
	return row(Spec{
		Name: name, Family: FamilyCIFAR, Block: PreBasic, Stem: Stem3x3, Shortcut: OptionB, Variant: Variant{StemWidth: 16},
		Depths: []int{n, n, n}, Widths: []int{16 * k, 32 * k, 64 * k}, InputChannels: 3, InputSize: 32, Classes: 10,
		Params: params, MACs: macs, Source: "Zagoruyko and Komodakis 2016 (arXiv:1605.07146), Table 4",
	})
}
