package eval

import "fmt"

// A PaperTable is one of the tables of He et al. 2016. Errors are percentages.
type PaperTable struct {
	Number    int
	Title     string // from the caption
	Dataset   string
	Images    int // of the set that it is measured on
	Protocol  Protocol
	Ensembles bool // its lines are ensembles; otherwise single networks
	Lines     []PaperLine

	onTest bool // on a set whose labels are not public
}

// Name is how the table is cited.
func (t PaperTable) Name() string { return fmt.Sprintf("Table %d", t.Number) }

// Crops is the table's protocol as ViewOptions.Crops.
func (t PaperTable) Crops() string {
	switch {
	case len(t.Protocol.Scales) > 0:
		return CropsFull
	case t.Protocol.Views == 10:
		return CropsTen
	}
	return CropsOne
}

// A PaperLine is a line of a PaperTable.
type PaperLine struct {
	Label      string   // as the paper prints it
	Arch       string   // in our table of architectures; "" where it has none, or for ensembles
	Top1, Top5 *float64 // nil where the paper gives none
	Mean, Std  float64  // of Runs runs, where reported; Top1 is the best of them
	Runs       int
	// Params is the number of parameters as the paper prints it ("0.27M"); "" where it prints none.
	Params string
	// Quoted says whose result the paper repeats; "" where it is the paper's own. Its protocol is
	// not the table's.
	Quoted string
	// Note is the remark of the paper on this line.
	Note string
}

// paperTables holds Tables 2 to 6. Table 1 has architectures, 7 and later are detection.
var paperTables = []PaperTable{
	{
		Number: 2, Title: "Top-1 error (%, 10-crop testing) on ImageNet validation. Here the ResNets have no extra parameter compared to their plain counterparts",
		Dataset: "imagenet", Images: 50_000, Protocol: protocol10Crop,
		Lines: []PaperLine{
			own("plain, 18 layers", "plain18", 27.94, none), own("plain, 34 layers", "plain34", 28.54, none),
			own("ResNet, 18 layers", "resnet18a", 27.88, none), own("ResNet, 34 layers", "resnet34a", 25.03, none),
		},
	},
	{
		Number: 3, Title: "Error rates (%, 10-crop testing) on ImageNet validation. ResNet-50/101/152 are of option B",
		Dataset: "imagenet", Images: 50_000, Protocol: protocol10Crop,
		Lines: []PaperLine{
			noted(own("VGG-16 [41]", "vgg16", 28.07, 9.33), "the paper's own test of the network of Simonyan and Zisserman"),
			quoted("GoogLeNet [44]", "googlenet", none, 9.15, "Szegedy et al. 2015"),
			quoted("PReLU-net [13]", "prelu-net-c", 24.27, 7.38, "He et al. 2015"),
			own("plain-34", "plain34", 28.54, 10.02),
			own("ResNet-34 A", "resnet34a", 25.03, 7.76),
			own("ResNet-34 B", "resnet34", 24.52, 7.46),
			own("ResNet-34 C", "resnet34c", 24.19, 7.40),
			own("ResNet-50", "resnet50", 22.85, 6.71),
			own("ResNet-101", "resnet101", 21.75, 6.05),
			own("ResNet-152", "resnet152", 21.43, 5.71),
		},
	},
	{
		Number: 4, Title: "Error rates (%) of single-model results on the ImageNet validation set",
		Dataset: "imagenet", Images: 50_000, Protocol: protocolScales,
		Lines: []PaperLine{
			noted(quoted("VGG [41] (ILSVRC'14)", "", none, 8.43, ilsvrc2014), "a single network, on the test set, where Simonyan and Zisserman 2015 print 7.0 for one (Table 7)"),
			quoted("GoogLeNet [44] (ILSVRC'14)", "googlenet", none, 7.89, "Szegedy et al. 2015"),
			noted(quoted("VGG [41] (v5)", "vgg19", 24.4, 7.1, "Simonyan and Zisserman 2015"), "its configuration E, multi-crop and dense"),
			quoted("PReLU-net [13]", "prelu-net-c", 21.59, 5.71, "He et al. 2015"),
			noted(quoted("BN-inception [16]", "bn-inception", 21.99, 5.81, "Ioffe and Szegedy 2015"), "of 144 crops; their Figure 4 prints 5.82 for the top-5 error"),
			own("ResNet-34 B", "resnet34", 21.84, 5.71),
			own("ResNet-34 C", "resnet34c", 21.53, 5.60),
			own("ResNet-50", "resnet50", 20.74, 5.25),
			own("ResNet-101", "resnet101", 19.87, 4.60),
			own("ResNet-152", "resnet152", 19.38, 4.49),
		},
	},
	{
		Number: 5, Title: "Error rates (%) of ensembles. The top-5 error is on the test set of ImageNet and reported by the test server",
		Dataset: "imagenet", Images: 100_000, Protocol: protocolScales, Ensembles: true, onTest: true,
		Lines: []PaperLine{
			noted(quoted("VGG [41] (ILSVRC'14)", "", none, 7.32, ilsvrc2014), "several networks; Simonyan and Zisserman 2015 print 7.3, of seven (Table 7)"),
			noted(quoted("GoogLeNet [44] (ILSVRC'14)", "", none, 6.66, ilsvrc2014), "Szegedy et al. 2015 print 6.67, of seven networks"),
			quoted("VGG [41] (v5)", "", none, 6.8, "Simonyan and Zisserman 2015"),
			quoted("PReLU-net [13]", "", none, 4.94, "He et al. 2015"),
			quoted("BN-inception [16]", "", none, 4.82, "Ioffe and Szegedy 2015"),
			noted(own("ResNet (ILSVRC'15)", "", none, 3.57), "six models of different depth, two of them with 152 layers"),
		},
	},
	{
		Number: 6, Title: "Classification error on the CIFAR-10 test set. All methods are with data augmentation",
		Dataset: "cifar10", Images: 10_000, Protocol: protocolCIFAR,
		Lines: []PaperLine{
			quoted("Maxout [10]", "", 9.38, none, "Goodfellow et al. 2013"),
			quoted("NIN [25]", "", 8.81, none, "Lin et al. 2013"),
			quoted("DSN [24]", "", 8.22, none, "Lee et al. 2014"),
			withParams("2.5M", quoted("FitNet [35], 19 layers", "", 8.39, none, "Romero et al. 2015")),
			withParams("2.3M", withMean(quoted("Highway [42, 43], 19 layers", "", 7.54, none, "Srivastava et al. 2015"), 7.72, 0.16, 0)),
			withParams("1.25M", quoted("Highway [42, 43], 32 layers", "", 8.80, none, "Srivastava et al. 2015")),
			withParams("0.27M", own("ResNet, 20 layers", "resnet20", 8.75, none)),
			withParams("0.46M", own("ResNet, 32 layers", "resnet32", 7.51, none)),
			withParams("0.66M", own("ResNet, 44 layers", "resnet44", 7.17, none)),
			withParams("0.85M", own("ResNet, 56 layers", "resnet56", 6.97, none)),
			withParams("1.7M", withMean(own("ResNet, 110 layers", "resnet110", 6.43, none), 6.61, 0.16, 5)),
			withParams("19.4M", own("ResNet, 1202 layers", "resnet1202", 7.93, none)),
		},
	},
}

// ilsvrc2014 is where figures are from that the tables call (ILSVRC'14) and that the papers cited
// there do not print: a single network of VGG's has 0.08434 in it, its best entry 0.07325,
// GoogLeNet 0.06656.
const ilsvrc2014 = "the results of ILSVRC 2014 (image-net.org)"

// none stands for an error that the paper does not give.
const none = -1

func own(label, arch string, top1, top5 float64) PaperLine {
	l := PaperLine{Label: label, Arch: arch}
	if top1 != none {
		l.Top1 = &top1
	}
	if top5 != none {
		l.Top5 = &top5
	}
	return l
}

func quoted(label, arch string, top1, top5 float64, whose string) PaperLine {
	l := own(label, arch, top1, top5)
	l.Quoted = whose
	return l
}

func noted(l PaperLine, note string) PaperLine {
	l.Note = note
	return l
}

func withParams(params string, l PaperLine) PaperLine {
	l.Params = params
	return l
}

func withMean(l PaperLine, mean, std float64, runs int) PaperLine {
	l.Mean, l.Std, l.Runs = mean, std, runs
	return l
}

// LookupTable returns one of the paper's tables of errors, 2 to 6.
func LookupTable(number int) (PaperTable, error) {
	for _, t := range paperTables {
		if t.Number == number {
			return t, nil
		}
	}
	return PaperTable{}, fmt.Errorf("table %d: the tables of errors are 2 to 6", number)
}
