package experiment

import (
	"context"
	"strings"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// Published are weights that are known by name: torchvision's, trained on ImageNet.
type Published struct {
	Name   string `json:"name"`
	File   string `json:"file"` // its digits are the first of its SHA-256
	Arch   string `json:"arch"`
	Resize int    `json:"resize"` // shorter side for the figures, of which 224x224 are cut out
	// Top1 is the error that torchvision gives, percent.
	Top1   float64 `json:"top1_error"`
	Source string  `json:"source"`
}

// publishedAt is the folder of torchvision's files.
const publishedAt = "https://download.pytorch.org/models/"

// published are torchvision's ResNets (torchvision/models/resnet.py).
var published = []Published{
	torchvision("resnet18", "resnet18-f37072fd.pth", "resnet18", 256, 69.758, "IMAGENET1K_V1"),
	torchvision("resnet34", "resnet34-b627a593.pth", "resnet34", 256, 73.314, "IMAGENET1K_V1"),
	torchvision("resnet50", "resnet50-0676ba61.pth", "resnet50v1.5", 256, 76.130, "IMAGENET1K_V1"),
	torchvision("resnet50-v2", "resnet50-11ad3fa6.pth", "resnet50v1.5", 232, 80.858, "IMAGENET1K_V2"),
	torchvision("resnet101", "resnet101-63fe2227.pth", "resnet101v1.5", 256, 77.374, "IMAGENET1K_V1"),
	torchvision("resnet101-v2", "resnet101-cd907fc2.pth", "resnet101v1.5", 232, 81.886, "IMAGENET1K_V2"),
	torchvision("resnet152", "resnet152-394f9c45.pth", "resnet152v1.5", 256, 78.312, "IMAGENET1K_V1"),
	torchvision("resnet152-v2", "resnet152-f82ba261.pth", "resnet152v1.5", 232, 82.284, "IMAGENET1K_V2"),
}

func torchvision(name, file, arch string, resize int, accuracy float64, version string) Published {
	const digits = 1000
	return Published{
		Name: name, File: file, Arch: arch, Resize: resize,
		Top1: float64(int((100-accuracy)*digits+0.5)) / digits, Source: "torchvision, " + version,
	}
}

// AllPublished are the weights that FetchPublished knows.
func AllPublished() []Published { return published }

// PublishedNames are their names.
func PublishedNames() []string {
	names := make([]string, len(published))
	for i, p := range published {
		names[i] = p.Name
	}
	return names
}

// LookupPublished finds weights by their name. Torchvision's first are also known with -v1.
func LookupPublished(name string) (Published, error) {
	for _, p := range published {
		if p.Name == name || p.Name+"-v1" == name {
			return p, nil
		}
	}
	return Published{}, config.Usagef("unknown weights %q%s; `resnet weights list` shows all", name, text.DidYouMean(name, PublishedNames()))
}

// digest are the first digits of the SHA-256, which torchvision's names end in.
func (p Published) digest() string {
	stem, _, _ := strings.Cut(p.File, ".")
	return stem[strings.LastIndexByte(stem, '-')+1:]
}

// Fetch downloads the file into dir, or the user's cache folder where it is empty, and gives its
// path: see datasets.FetchFile.
func (p Published) Fetch(ctx context.Context, dir string, o datasets.FetchOptions) (string, error) {
	return datasets.FetchFile(ctx, datasets.PublishedFile{Base: publishedAt, Name: p.File, SHA256: p.digest()}, dir, o)
}

// Import makes a checkpoint of the file at path, with torchvision's preprocessing.
func (p Published) Import(path, out string) (Imported, error) {
	return importFrom(source{path: path, hub: &weights.HubConfig{
		StrideIn3x3: true, Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225}, Size: 224, Resize: p.Resize, Interpolation: datasets.Bilinear,
	}}, ImportOptions{Arch: p.Arch, Dataset: "imagenet", Out: out})
}
