package blocks

// preluRows are the models A, B and C of He et al. 2015 ("Delving Deep into Rectifiers",
// arXiv:1502.01852), Table 3, with a PReLU for each channel behind every layer but the last and
// dropout of 50 % behind the first two fully connected ones. C is the PReLU-net of the paper's
// Tables 3 and 4, which quote its errors.
//
// The paper gives no names, and says "SPP {7x7, 3x3, 2x2, 1x1}" without how bins are cut: names are
// numbered as torchvision's of VGG are, and bins are those of He et al. 2014 (arXiv:1406.4729),
// section 2.3. Both are ours.
var preluRows = []Spec{
	preluNet("prelu-net-a", []int{256, 512, 512}, 5, 178_032_072, 19_058_106_368),
	preluNet("prelu-net-b", []int{256, 512, 512}, 6, 183_343_048, 23_219_904_512),
	preluNet("prelu-net-c", []int{384, 768, 896}, 6, 330_623_944, 53_463_130_112),
}

func preluNet(name string, widths []int, depth int, params, macs int64) Spec {
	return baseline(Spec{
		Name: name, Body: preluBody(96, widths, depth, 4096, 0.5, []int{7, 3, 2, 1}), Params: params, MACs: macs,
		Source: "He et al. 2015 (arXiv:1502.01852), Table 3",
	})
}

// preluBody draws a 7x7 convolution with stride 2 and, behind a max pooling each, so many 3x3
// convolutions of each width; then the pyramid and fully connected layers of so many hidden units
// with dropout p.
func preluBody(stem int, widths []int, depth, hidden int, p float64, levels []int) []Part {
	slope := Part{Kind: PartPReLU}
	features := []Part{biased(conv("", stem, 7, 2)), slope}
	for _, filters := range widths {
		features = append(features, maxPool(2, 2))
		for range depth {
			features = append(features, biased(conv("", filters, 3, 1)), slope)
		}
	}
	body := append(numbered("features", features...), Part{Kind: PartPyramid, Name: "spp", Levels: levels})
	return append(body, numbered("classifier", fc("", hidden), slope, drop(p), fc("", hidden), slope, drop(p), classifier(""))...)
}
