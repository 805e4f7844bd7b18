package blocks

// cifarRows are the nets of section 4.2: 6n+2 layers on 32x32 images, a 3x3 convolution and three
// stages of n blocks with 16, 32 and 64 channels on maps of 32, 16 and 8 pixels. Residual nets have
// option A in all cases, so they have exactly their plain counterparts' parameters. The errors are
// Table 6's; for the plain nets the paper has curves only (Fig. 6).
var cifarRows = []Spec{
	cifarRow("plain20", 20, None, 269_722, 40_551_040, nil),
	cifarRow("plain32", 32, None, 464_154, 68_862_592, nil),
	cifarRow("plain44", 44, None, 658_586, 97_174_144, nil),
	cifarRow("plain56", 56, None, 853_018, 125_485_696, nil),
	cifarRow("plain110", 110, None, 1_727_962, 252_887_680, nil),
	cifarRow("resnet20", 20, OptionA, 269_722, 40_551_040, table6(8.75)),
	cifarRow("resnet32", 32, OptionA, 464_154, 68_862_592, table6(7.51)),
	cifarRow("resnet44", 44, OptionA, 658_586, 97_174_144, table6(7.17)),
	cifarRow("resnet56", 56, OptionA, 853_018, 125_485_696, table6(6.97)),
	cifarRow("resnet110", 110, OptionA, 1_727_962, 252_887_680, &PaperValue{
		Dataset: "cifar10", Top1: 6.43, Mean: 6.61, Std: 0.16, Runs: 5, Crops: 1, Source: "Table 6",
	}),
	cifarRow("resnet1202", 1202, OptionA, 19_421_274, 2_829_238_912, table6(7.93)),
}

func cifarRow(name string, depth int, shortcut Shortcut, params, macs int64, paper *PaperValue) Spec {
	s := cifar(name, depth, shortcut)
	s.Params, s.MACs, s.PaperError, s.Source = params, macs, paper, "section 4.2, Table 6"
	if shortcut == None {
		s.Source = "section 4.2, Fig. 6"
	}
	return s
}

// cifar makes the net of depth = 6n+2 layers, without counts.
func cifar(name string, depth int, shortcut Shortcut) Spec {
	n := (depth - 2) / 6
	return row(Spec{
		Name: name, Family: FamilyCIFAR, Block: Basic, Stem: Stem3x3, Shortcut: shortcut,
		Depths: []int{n, n, n}, Widths: []int{16, 32, 64}, InputChannels: 3, InputSize: 32, Classes: 10,
	})
}

// table6 is a single run of Table 6: test error on CIFAR-10, one view, with augmentation.
func table6(err float64) *PaperValue {
	return &PaperValue{Dataset: "cifar10", Top1: err, Crops: 1, Source: "Table 6"}
}
