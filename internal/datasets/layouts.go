package datasets

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/input"
	"resnet/internal/text"
)

// tinyAnnotations are the labels of Tiny ImageNet's validation images, beside their folder.
const tinyAnnotations = "val_annotations.txt"

// tinyImageNet reports whether a folder is Tiny ImageNet as Stanford distributes it: its validation
// images are in one folder, and its test images have no labels.
func tinyImageNet(dir string, parts map[Split]string) bool {
	return parts[Train] != "" && fileThere(filepath.Join(dir, "val", tinyAnnotations)) && folderThere(filepath.Join(dir, "val", "images"))
}

// tinyVal takes Tiny ImageNet's validation images for the test split.
func (p *photoSet) tinyVal(dir string) error {
	file := filepath.Join(dir, "val", tinyAnnotations)
	data, err := input.Read(file, maxSplitFile)
	if err != nil {
		return openFault("folder: "+file, err, "has it been moved?")
	}
	list := &fileList{set: "folder", root: dir, part: filepath.Join("val", "images")}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) < 2 || !filepath.IsLocal(f[0]) {
			return faultf(ErrData, "folder: %s: line %d: want a file name and a WordNet ID", file, n)
		}
		k := slices.Index(p.names, f[1])
		if k < 0 {
			return faultf(ErrData, "folder: %s: line %d: class %.40q is not one of the training set's", file, n, f[1])
		}
		list.names, list.labels = append(list.names, f[0]), append(list.labels, int32(k))
	}
	if len(list.names) == 0 {
		return faultf(ErrData, "folder: %s: no labels in it", file)
	}
	return p.takeLabelled(map[Split]*fileList{Test: list})
}

// recognise names what a folder without class folders is, and what to set; loose is how many images
// are in it, and what tells more may also be in the others. It begins with a colon, or is "".
func recognise(loose int, dirs ...string) string {
	there := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool {
			return slices.ContainsFunc(dirs, func(dir string) bool { return fileThere(filepath.Join(dir, filepath.FromSlash(n))) })
		})
	}
	switch {
	case there("data_batch_1", "cifar-10-batches-py/data_batch_1", "data_batch_1.bin", "cifar-10-batches-bin/data_batch_1.bin"):
		return ": it is CIFAR-10: set data.name to cifar10"
	case there("cifar-100-python/train", "cifar-100-binary/train.bin", "train.bin") || there("fine_label_names.txt"):
		return ": it is CIFAR-100: set data.name to cifar100"
	case there("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "raw/train-images-idx3-ubyte"):
		return ": it is MNIST, or Fashion-MNIST: set data.name to mnist or fashion-mnist"
	case there(packManifest):
		return ": it is a pack: set data.name to packed"
	case there(trainArchive, valArchive):
		return ": it holds archives of ImageNet: set data.name to imagenet"
	}
	var tables []string
	shards := map[string]int{}
	var entries []os.DirEntry
	for _, dir := range dirs {
		in, _ := os.ReadDir(dir) // what cannot be read has been reported
		entries = append(entries, in...)
	}
	for _, e := range entries {
		switch ext := strings.ToLower(filepath.Ext(e.Name())); ext {
		case ".csv", ".tsv":
			tables = append(tables, e.Name())
		case ".tar", ".tfrecord", ".zip", ".npz", ".h5", ".mat":
			shards[ext]++
		}
	}
	switch {
	case loose > 0:
		table := "a table of their file names and classes (CSV)"
		if len(tables) == 1 {
			table = tables[0]
		}
		return fmt.Sprintf(": it holds %s without class folders: set data.labels to %s, or put the images of each class into a folder", text.Count(loose, "image"), table)
	case shards[".tar"] > 0:
		return ": it holds .tar files: of shards of the webdataset library (KEY.jpg and KEY.cls) set data.name to webdataset, else unpack them"
	case holdsParquet(dirs):
		return ": it holds Parquet files: set data.name to parquet"
	case shards[".zip"] > 0:
		return ": it holds a zip archive: unpack it"
	}
	for _, ext := range []string{".tfrecord", ".npz", ".h5", ".mat"} {
		if shards[ext] > 0 {
			return fmt.Sprintf(": it holds %d files %s, which are not read: unpack them into a folder for each class", shards[ext], ext)
		}
	}
	return ""
}
