package blocks

// vggRows are configurations D and E of Simonyan and Zisserman 2015 (arXiv:1409.1556), Table 1,
// with torchvision's names. The variants with batch normalisation behind each convolution are
// torchvision's; its convolutions keep their biases, and so do these. Fully connected layers start
// as PyTorch's do, convolutions as He et al. 2015: the paper started from its shallower
// configuration A, or as Glorot and Bengio 2010.
var vggRows = []Spec{
	vgg("vgg16", vggD, false, 138_357_544, 15_470_264_320, table3(28.07, 9.33)),
	vgg("vgg16bn", vggD, true, 138_365_992, 15_470_264_320, nil),
	vgg("vgg19", vggE, false, 143_667_240, 19_632_062_464, nil),
	vgg("vgg19bn", vggE, true, 143_678_248, 19_632_062_464, nil),
}

// The columns of the table: the filters of the 3x3 convolutions before each max pooling.
var (
	vggD = [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}}
	vggE = [][]int{{64, 64}, {128, 128}, {256, 256, 256, 256}, {512, 512, 512, 512}, {512, 512, 512, 512}}
)

func vgg(name string, column [][]int, norm bool, params, macs int64, paper *PaperValue) Spec {
	s := Spec{Name: name, Body: vggBody(column, 4096, 0.5, norm), Params: params, MACs: macs, PaperError: paper, Source: "Simonyan and Zisserman 2015, Table 1"}
	if norm {
		s.Source += ", with batch normalisation as in torchvision"
	}
	return baseline(s)
}

// vggBody draws a column, and fully connected layers of so many hidden units with dropout p.
func vggBody(column [][]int, hidden int, p float64, norm bool) []Part {
	var features []Part
	for _, stage := range column {
		for _, filters := range stage {
			features = append(features, biased(conv("", filters, 3, 1)))
			if norm {
				features = append(features, Part{Kind: PartNorm})
			}
			features = append(features, rectify)
		}
		features = append(features, maxPool(2, 2))
	}
	body := append(numbered("features", features...), Part{Kind: PartFlatten})
	return append(body, numbered("classifier", fc("", hidden), rectify, drop(p), fc("", hidden), rectify, drop(p), classifier(""))...)
}

// baseline fills in what the nets of the paper's ImageNet tables share that are not its own.
func baseline(s Spec) Spec {
	s.Family, s.Block, s.Shortcut = FamilyImageNet, Sequence, None
	s.InputChannels, s.InputSize, s.Classes = 3, 224, 1000
	return row(s)
}
