package eval

import (
	"testing"

	"resnet/internal/datasets"
)

func TestPaperValuesAreThoseOfTheTables(t *testing.T) {
	for _, c := range []struct {
		arch       string
		dataset    string
		protocol   string
		top1, top5 float64
	}{
		{"resnet20", "cifar10", "1 view, 32x32", 8.75, none},
		{"resnet32", "cifar10", "1 view, 32x32", 7.51, none},
		{"resnet44", "cifar10", "1 view, 32x32", 7.17, none},
		{"resnet56", "cifar10", "1 view, 32x32", 6.97, none},
		{"resnet110", "cifar10", "1 view, 32x32", 6.43, none},
		{"resnet1202", "cifar10", "1 view, 32x32", 7.93, none},
		{"plain18", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 27.94, none},
		{"resnet18a", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 27.88, none},
		{"plain34", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 28.54, 10.02},
		{"resnet34a", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 25.03, 7.76},
		{"resnet34", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 24.52, 7.46},
		{"resnet34c", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 24.19, 7.40},
		{"resnet50", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 22.85, 6.71},
		{"resnet101", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 21.75, 6.05},
		{"resnet152", "imagenet", "10 views, 224x224 of shorter side 256, softmax averaged", 21.43, 5.71},
		{"resnet34", "imagenet", "fully convolutional, shorter side 224/256/384/480/640 with flips, softmax averaged", 21.84, 5.71},
		{"resnet34c", "imagenet", "fully convolutional, shorter side 224/256/384/480/640 with flips, softmax averaged", 21.53, 5.60},
		{"resnet50", "imagenet", "fully convolutional, shorter side 224/256/384/480/640 with flips, softmax averaged", 20.74, 5.25},
		{"resnet101", "imagenet", "fully convolutional, shorter side 224/256/384/480/640 with flips, softmax averaged", 19.87, 4.60},
		{"resnet152", "imagenet", "fully convolutional, shorter side 224/256/384/480/640 with flips, softmax averaged", 19.38, 4.49},
	} {
		n := map[string]int{"cifar10": 10_000, "imagenet": 50_000}[c.dataset]
		p := map[string]Protocol{"1": protocolCIFAR, "10": protocol10Crop, "f": protocolScales}
		got := (*PaperValue)(nil)
		for _, p := range p {
			if p.String() == c.protocol {
				got = Paper(c.arch, c.dataset, p, n)
			}
		}
		if got == nil {
			t.Errorf("%s on %s, %s: no value", c.arch, c.dataset, c.protocol)
			continue
		}
		if got.Top1 != c.top1 || (got.Top5 == nil) != (c.top5 == none) || got.Top5 != nil && *got.Top5 != c.top5 {
			t.Errorf("%s on %s, %s: %+v, want %v and %v", c.arch, c.dataset, c.protocol, *got, c.top1, c.top5)
		}
	}
	if v := Paper("resnet110", "cifar10", protocolCIFAR, 10_000); v.Mean != 6.61 || v.Std != 0.16 || v.Runs != 5 {
		t.Errorf("resnet110: %+v, want the mean 6.61 and deviation 0.16 of 5 runs", v)
	}
}

// TestTheAuthorsOwnNetworksHaveTheirValues: the rows named -caffe are what the paper measured.
func TestTheAuthorsOwnNetworksHaveTheirValues(t *testing.T) {
	for _, name := range []string{"resnet50", "resnet101", "resnet152"} {
		ours, theirs := Paper(name, "imagenet", protocol10Crop, 50_000), Paper(name+"-caffe", "imagenet", protocol10Crop, 50_000)
		if ours == nil || theirs == nil || ours.Top1 != theirs.Top1 {
			t.Errorf("%s: %+v, of the authors' network %+v", name, ours, theirs)
		}
		table, err := LookupTable(3)
		if err != nil {
			t.Fatal(err)
		}
		m := measuredRow(name+"-caffe", "imagenet", 50_000, protocol10Crop)
		for _, l := range table.Lines {
			if table.holds(l, m) != (l.Arch == name) {
				t.Errorf("%s stands beside %q: %v", m.Row.Model, l.Label, !(l.Arch == name))
			}
		}
	}
}

func TestPaperValueOnlyForItsDataSetProtocolAndImages(t *testing.T) {
	ok := protocolCIFAR
	for name, v := range map[string]*PaperValue{
		"another data set":    Paper("resnet20", "fashion-mnist", ok, 10_000),
		"cifar100":            Paper("resnet20", "cifar100", ok, 10_000),
		"fewer images":        Paper("resnet20", "cifar10", ok, 9_999),
		"the first images":    Paper("resnet20", "cifar10", Protocol{Views: 1, Height: 32, Width: 32, Limit: 100}, 100),
		"the training split":  Paper("resnet20", "cifar10", Protocol{Views: 1, Height: 32, Width: 32, Split: datasets.Train}, 10_000),
		"the validation":      Paper("resnet20", "cifar10", Protocol{Views: 1, Height: 32, Width: 32, Split: datasets.Val}, 10_000),
		"other sizes":         Paper("resnet20", "cifar10", Protocol{Views: 1, Height: 28, Width: 28}, 10_000),
		"averaged blocks":     Paper("resnet20", "cifar10", Protocol{Views: 1, Height: 32, Width: 32, Downsample: 2}, 10_000),
		"ten views":           Paper("resnet20", "cifar10", Protocol{Views: 10, Height: 32, Width: 32}, 10_000),
		"plain nets on CIFAR": Paper("plain20", "cifar10", ok, 10_000),
		"option B":            Paper("resnet20b", "cifar10", ok, 10_000),
		"averaged logits":     Paper("resnet50", "imagenet", Protocol{Views: 10, Height: 224, Width: 224, Resize: 256, Combine: CombineLogits}, 50_000),
		"scales unmirrored":   Paper("resnet50", "imagenet", Protocol{Scales: []int{224, 256, 384, 480, 640}, Combine: CombineSoftmax}, 50_000),
		"four scales":         Paper("resnet50", "imagenet", Protocol{Scales: []int{224, 256, 384, 480}, Flip: true, Combine: CombineSoftmax}, 50_000),
		"quoted from others":  Paper("googlenet", "imagenet", protocol10Crop, 50_000),
		"one crop, ImageNet":  Paper("resnet50", "imagenet", Protocol{Views: 1, Height: 224, Width: 224, Resize: 256}, 50_000),
		"stride in the 3x3":   Paper("resnet50v1.5", "imagenet", protocol10Crop, 50_000),
	} {
		if v != nil {
			t.Errorf("%s: the paper's value is %+v, want none", name, *v)
		}
	}
	p := ok
	p.Limit = 10_000
	if Paper("resnet20", "cifar10", p, 10_000) == nil {
		t.Error("a limit of all images hides the paper's value")
	}
	s := protocolScales
	s.Mean = MeanOfChannels
	if v := Paper("resnet152", "imagenet", s, 50_000); v == nil || v.Top1 != 19.38 {
		t.Errorf("channel means for the mean image: %v, want the paper's 19.38", v)
	}
	q := protocol10Crop
	q.Split = datasets.Val
	if Paper("resnet50", "imagenet", q, 50_000) == nil {
		t.Error("ImageNet's validation set is not the paper's")
	}
}

func TestProtocolText(t *testing.T) {
	for want, p := range map[string]Protocol{
		"1 view, 32x32": {Views: 1, Height: 32, Width: 32, Split: datasets.Test},
		"1 view, 28x28, validation split, first 100 images": {Views: 1, Height: 28, Width: 28, Split: datasets.Val, Limit: 100},
		"10 views, 32x32, training split":                   {Views: 10, Height: 32, Width: 32, Split: datasets.Train},
	} {
		if got := p.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestConfigFaultsAreAllReported(t *testing.T) {
	if errs := (Config{Every: -1, EveryEpochs: -1}).Validate(); len(errs) != 3 || errs[2].Path != "batch" {
		t.Errorf("%v, want every, every_epochs and batch", errs)
	}
	if errs := DefaultConfig().Validate(); errs != nil {
		t.Errorf("the defaults: %v", errs)
	}
}
