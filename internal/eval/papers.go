package eval

import (
	"fmt"
	"strings"

	"resnet/internal/datasets"
)

// A PaperValue is what He et al. ("Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385) report for
// one network on one data set by one protocol. Errors are percentages.
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

// The protocols of the paper. Section 4.2 tests CIFAR-10 on "the single view of the original 32×32 image". Section 3.4 has
// "the standard 10-crop testing" (224×224 crops and flips of a shorter side of 256, Krizhevsky et al. 2012) and,
// for the best results, the "fully convolutional form" on five scales.
var (
	protocolCIFAR  = Protocol{Views: 1, Height: 32, Width: 32}
	protocol10Crop = Protocol{Views: 10, Height: 224, Width: 224, Resize: 256}
	protocolScales = Protocol{Scales: []int{224, 256, 384, 480, 640}}
)

type paperRow struct {
	arch, dataset string
	protocol      Protocol
	images        int // of the test set: fewer is not the paper's protocol
	value         PaperValue
}

// papers holds Table 6 (CIFAR-10 test error, with augmentation) and Tables 2 to 4 (ImageNet validation error). Plain nets on CIFAR-10 have
// curves only (Fig. 6), so they have no row.
var papers = []paperRow{
	table6("resnet20", 8.75),
	table6("resnet32", 7.51),
	table6("resnet44", 7.17),
	table6("resnet56", 6.97),
	{"resnet110", "cifar10", protocolCIFAR, 10_000, PaperValue{Top1: 6.43, Mean: 6.61, Std: 0.16, Runs: 5, Source: "Table 6"}},
	table6("resnet1202", 7.93),

	table2("plain18", 27.94),
	table2("resnet18a", 27.88),

	imagenet("plain34", protocol10Crop, 28.54, 10.02, "Table 3"),
	imagenet("resnet34a", protocol10Crop, 25.03, 7.76, "Table 3"),
	imagenet("resnet34", protocol10Crop, 24.52, 7.46, "Table 3"),
	imagenet("resnet34c", protocol10Crop, 24.19, 7.40, "Table 3"),
	imagenet("resnet50", protocol10Crop, 22.85, 6.71, "Table 3"),
	imagenet("resnet101", protocol10Crop, 21.75, 6.05, "Table 3"),
	imagenet("resnet152", protocol10Crop, 21.43, 5.71, "Table 3"),

	imagenet("resnet34", protocolScales, 21.84, 5.71, "Table 4"),
	imagenet("resnet34c", protocolScales, 21.53, 5.60, "Table 4"),
	imagenet("resnet50", protocolScales, 20.74, 5.25, "Table 4"),
	imagenet("resnet101", protocolScales, 19.87, 4.60, "Table 4"),
	imagenet("resnet152", protocolScales, 19.38, 4.49, "Table 4"),
}

func table6(arch string, top1 float64) paperRow {
	return paperRow{arch, "cifar10", protocolCIFAR, 10_000, PaperValue{Top1: top1, Source: "Table 6"}}
}

func table2(arch string, top1 float64) paperRow {
	return paperRow{arch, "imagenet", protocol10Crop, 50_000, PaperValue{Top1: top1, Source: "Table 2"}}
}

func imagenet(arch string, p Protocol, top1, top5 float64, source string) paperRow {
	return paperRow{arch, "imagenet", p, 50_000, PaperValue{Top1: top1, Top5: &top5, Source: source}}
}

// Paper returns the paper's value for exactly this: the architecture by its name in the table, the data set, the protocol, and the
// whole test set of n images (ImageNet's validation set). It returns nil where the paper has none, so that an error on Fashion-MNIST,
// on a part of the images or on the training split never stands beside the paper's CIFAR-10.
func Paper(arch, dataset string, p Protocol, n int) *PaperValue {
	if dataset == "imagenet" && p.Split == datasets.Val {
		p.Split = datasets.Test // the paper's figures are of the validation set
	}
	if p.Limit >= n {
		p.Limit = 0
	}
	for _, r := range papers {
		if r.arch == arch && r.dataset == strings.ToLower(dataset) && r.images == n && r.protocol.String() == p.String() {
			v := r.value
			if v.Top5 != nil {
				top5 := *v.Top5
				v.Top5 = &top5
			}
			return &v
		}
	}
	return nil
}
