package datasets

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// synsetsTSV has a line for each of the 1000 classes of ILSVRC-2012, sorted: WordNet ID, a tab, and
// the name that torchvision gives the class, with underscores.
//
//go:embed synsets.tsv
var synsetsTSV string

// Class is a class of ImageNet.
type Class struct {
	ID   string // of WordNet: n and eight digits
	Name string // two pairs of classes share one: crane, maillot
}

var imagenetClasses = sync.OnceValue(func() []Class {
	var out []Class
	for line := range strings.Lines(synsetsTSV) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		out = append(out, Class{ID: id, Name: strings.ReplaceAll(name, "_", " ")})
	}
	return out
})

// ImageNetClasses lists the 1000 classes of ILSVRC-2012. The index of a class is the rank of its
// WordNet ID, as in torchvision, Caffe and timm; it is not the ILSVRC2012_ID of the development kit
// less one.
func ImageNetClasses() []Class { return slices.Clone(imagenetClasses()) }

// ClassNames gives the names of the classes of a data set whose classes are known beforehand, by
// index, or nil.
func ClassNames(dataset string) []string {
	switch dataset {
	case "cifar10":
		return slices.Clone(cifar10Classes)
	case "cifar100":
		return slices.Clone(cifar100Classes)
	case "fashion-mnist", "fashion-sample":
		return slices.Clone(fashionClasses)
	case "mnist":
		return slices.Clone(digitClasses)
	case "imagenet":
		var names []string
		for _, c := range imagenetClasses() {
			names = append(names, c.Name)
		}
		return names
	}
	return nil
}

// wnidRank is the index of a WordNet ID among the 1000, or -1.
func wnidRank(id string) int {
	i, ok := slices.BinarySearchFunc(imagenetClasses(), id, func(c Class, id string) int { return strings.Compare(c.ID, id) })
	if !ok {
		return -1
	}
	return i
}
