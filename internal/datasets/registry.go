package datasets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"resnet/internal/datasets/sample"
	"resnet/internal/text"
)

// entry is a data set: how it is read, where it comes from, how its files are checked.
type entry struct {
	title  string
	open   func(ctx context.Context, c Config) (source, error)
	verify func(ctx context.Context, dir string) ([]FileReport, error)
	fetch  *bundle // nil: nothing to download, for the reason in local
	local  string
	// resize is, of images with sizes of their own, the shorter side that a view of so many pixels
	// is cut out of; nil where all have one size.
	resize func(size int) int
	// orientation is, of those, what an empty Config.Orientation means.
	orientation string
	// test is the number of test images; 0 where it depends on the files.
	test int
}

// registry is the table of data sets. It is a function so that it can refer to functions that look
// names up.
func registry() map[string]entry {
	return map[string]entry{
		"cifar10": {
			title: "CIFAR-10 (Krizhevsky 2009)", open: cifar10.open, verify: cifar10.verify, test: cifar10.test[0].count,
			fetch: &bundle{
				base: "https://www.cs.toronto.edu/~kriz/",
				files: []remote{{name: "cifar-10-binary.tar.gz", size: 170052171, digests: []string{
					"md5:c32a1d4ab5d03f1284b67883e8d87530",
					"sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
				}}},
				members: cifar10.members(),
			},
		},
		"cifar100": {
			title: "CIFAR-100 (Krizhevsky 2009)", open: cifar100.open, verify: cifar100.verify, test: cifar100.test[0].count,
			fetch: &bundle{
				base: "https://www.cs.toronto.edu/~kriz/",
				files: []remote{{name: "cifar-100-binary.tar.gz", size: 168513733, digests: []string{
					"md5:03b5dce01913d631647c71ecec9e9cb8",
					"sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
				}}},
				members: cifar100.members(),
			},
		},
		"fashion-mnist": {
			title: "Fashion-MNIST (Xiao, Rasul and Vollgraf 2017)", open: fashionMNIST.open, verify: fashionMNIST.verify, test: fashionMNIST.files[idxTestImages].count,
			// The official address is plain http: the digests of the contents are what makes it
			// safe.
			fetch: &bundle{base: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", files: fashionMNIST.remotes()},
		},
		"mnist": {
			title: "MNIST (LeCun, Cortes and Burges 1998)", open: mnist.open, verify: mnist.verify, test: mnist.files[idxTestImages].count,
			fetch: &bundle{base: "https://ossci-datasets.s3.amazonaws.com/mnist/", files: mnist.remotes()},
		},
		"fashion-sample": {
			title: "part of Fashion-MNIST, embedded: 5,000 + 1,000 images", open: openSample, verify: verifySample, test: sample.TestCount,
			local: "it is embedded in the program",
		},
		"imagenet": {
			title: "ImageNet, ILSVRC-2012 (Russakovsky et al. 2015): folders or the official archives", open: openImageNet, verify: verifyImageNet,
			local: "image-net.org gives it to those who accept its terms: put the archives or the folders into data.dir", resize: evaluationResize, orientation: OrientStored,
		},
		"packed": {
			title: "a data set with images of any size, resized and packed by `resnet data pack`", open: openPacked, verify: verifyPacked,
			local: "it is whatever `resnet data pack --out` wrote", resize: evaluationResize,
		},
		"parquet": {
			title: "Parquet files of images and labels, as the Hugging Face hub has them", open: openParquet, verify: verifyParquet,
			local: "it is whatever folder data.dir names: `hf download --repo-type dataset NAME --local-dir DIR` fetches one", resize: wholeShorter, orientation: OrientExif,
		},
		"webdataset": {
			title: "shards of the webdataset library: KEY.jpg and KEY.cls in .tar files", open: openWebdataset, verify: verifyWebdataset,
			local: "it is whatever folder data.dir names", resize: wholeShorter, orientation: OrientExif,
		},
		"folder": {
			title: "a folder of images by class: JPEG, PNG, WebP, GIF, BMP, TIFF, PNM", open: openFolder, verify: verifyFolder,
			local: "it is whatever folder data.dir names", resize: wholeShorter, orientation: OrientExif,
		},
	}
}

// Names lists the data sets, sorted.
func Names() []string {
	var names []string
	for name := range registry() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Title describes a data set or corpus in a line; it is empty for an unknown name.
func Title(name string) string { return cmp.Or(registry()[name].title, speech[name]) }

// Local says why a data set cannot be fetched, and where it is from; "" where it can.
func Local(name string) string { return registry()[name].local }

// TestImages is the number of a data set's test images, which no configuration changes; 0 where it
// depends on the files, and for an unknown name.
func TestImages(name string) int { return registry()[name].test }

// Known fails with ErrConfig where a name is no data set of images, with a suggestion.
func Known(name string) error {
	_, err := lookup(name)
	return err
}

// lookup fails with ErrConfig and a suggestion.
func lookup(name string) (entry, error) {
	e, ok := registry()[name]
	if IsSpeech(name) {
		return entry{}, faultf(ErrConfig, "%s is a corpus of speech, not a data set of images: train reads it from data.dir, and resnet speech info describes its files", name)
	}
	if !ok {
		return entry{}, faultf(ErrConfig, "unknown data set %q%s", name, suggest(name))
	}
	return e, nil
}

// suggest ends a message about an unknown name: what it may be a misspelling of, or all names.
func suggest(typed string) string {
	if s := text.DidYouMean(typed, append(Names(), SpeechNames()...)); s != "" {
		return s
	}
	return fmt.Sprintf(" (one of %s)", strings.Join(Names(), ", "))
}
