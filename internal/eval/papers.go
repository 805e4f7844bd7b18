package eval

import (
	"fmt"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/text"
)

// A PaperValue is what He et al. ("Deep Residual Learning for Image Recognition", CVPR 2016,
// arXiv:1512.03385) report for one network on one data set by one protocol. Errors are percentages.
type PaperValue struct {
	Top1      float64
	Top5      *float64 // nil where the paper gives none
	Mean, Std float64  // of Runs runs, where reported; Top1 is the best of them
	Runs      int
	Source    string // the table
}

// Citation says where the value is from, and for several runs how they spread.
func (v PaperValue) Citation() string {
	s := "He et al. 2016, " + v.Source
	if v.Runs > 1 {
		s += fmt.Sprintf(": the best of %d runs, mean %.2f, standard deviation %.2f", v.Runs, v.Mean, v.Std)
	}
	return s
}

// The protocols of the paper. Section 4.2 tests CIFAR-10 on "the single view of the original 32×32
// image". Section 3.4 has "the standard 10-crop testing" of Krizhevsky et al. 2012 (224×224 crops
// of a shorter side of 256 and their mirror images, averaging "the predictions made by the
// network's softmax layer"), and for the best results "the fully-convolutional form as in [41,
// 13]", averaging "the scores at multiple scales", five of them. [41], Simonyan and Zisserman 2015,
// averages the softmax posteriors of the image and its mirror image.
var (
	protocolCIFAR  = Protocol{Views: 1, Height: 32, Width: 32}
	protocol10Crop = Protocol{Views: 10, Height: 224, Width: 224, Resize: 256, Combine: CombineSoftmax}
	protocolScales = Protocol{Scales: []int{224, 256, 384, 480, 640}, Flip: true, Combine: CombineSoftmax}
)

// Paper returns the paper's value for exactly this: the architecture by its name in the table of
// architectures, the data set, the protocol, and the whole test set of n images (ImageNet's
// validation set). It returns nil where the paper has none, so that an error on Fashion-MNIST, on a
// part of the images or on the training split never stands beside the paper's CIFAR-10. Results of
// others that the paper quotes are left out: their protocols are not the paper's. Where two tables
// give the same figure, the one with the top-5 error beside it is cited.
func Paper(arch, dataset string, p Protocol, n int) *PaperValue {
	var found *PaperValue
	for _, t := range paperTables {
		if len(t.differences(dataset, p, n)) > 0 {
			continue
		}
		for _, l := range t.Lines {
			if l.Arch == "" || l.Arch != published(arch) || l.Top1 == nil || l.Quoted != "" {
				continue
			}
			v := &PaperValue{Top1: *l.Top1, Mean: l.Mean, Std: l.Std, Runs: l.Runs, Source: t.Name()}
			if l.Top5 != nil {
				top5 := *l.Top5
				v.Top5 = &top5
			}
			if found == nil || found.Top5 == nil && v.Top5 != nil {
				found = v
			}
		}
	}
	return found
}

// PaperParams is the number of parameters that the paper prints for a network, as it prints it
// ("0.27M", Table 6); "" where it prints none, or where the network of that name has not so many
// parameters because its data has other channels or classes.
func PaperParams(arch string, params int64) string {
	if s, err := blocks.Lookup(arch); err != nil || s.Params != params {
		return ""
	}
	for _, t := range paperTables {
		for _, l := range t.Lines {
			if l.Arch == arch && l.Params != "" {
				return l.Params
			}
		}
	}
	return ""
}

// published is the row whose line in the tables is a network's: the rows named -caffe are the
// networks that the paper's authors measured, with the first pooling as in their own program.
func published(arch string) string { return strings.TrimSuffix(arch, "-caffe") }

// differences says in what a measurement on n images of a data set differs from the table's;
// nothing when it is the same.
func (t PaperTable) differences(dataset string, p Protocol, n int) []string {
	var list []string
	switch {
	case t.onTest:
		list = append(list, fmt.Sprintf("measured on %s images of %s, the paper on %s of ImageNet's test set, whose labels are not public",
			text.Grouped(int64(n)), text.Printable(dataset), text.Grouped(int64(t.Images))))
	case strings.ToLower(dataset) != t.Dataset:
		list = append(list, fmt.Sprintf("measured on %s images of %s, the paper on %s of %s", text.Grouped(int64(n)), text.Printable(dataset), text.Grouped(int64(t.Images)), t.Dataset))
	case p.Split == datasets.Train,
		p.Split == datasets.Val && t.Dataset != "imagenet": // which the paper tests on
		list = append(list, fmt.Sprintf("measured on the %s split", map[datasets.Split]string{datasets.Train: "training", datasets.Val: "validation"}[p.Split]))
	case n != t.Images || p.Limit > 0 && p.Limit < n:
		list = append(list, fmt.Sprintf("measured on %s of %s images", text.Grouped(int64(n)), text.Grouped(int64(t.Images))))
	}
	if !p.sameViews(t.Protocol) {
		list = append(list, "measured with "+viewText(p)+"; the paper with "+viewText(t.Protocol))
	}
	return list
}

// viewText is a protocol's text without split, limit and stand-in for the mean image.
func viewText(p Protocol) string {
	p.Split, p.Limit, p.Mean = "", 0, ""
	return p.String()
}
