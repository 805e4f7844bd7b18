package datasets

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
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
	if what := detection(dirs); what != "" {
		return ": " + what
	}
	var tables, images []string
	others := map[string]int{}
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir) // what cannot be read has been reported
		for _, e := range entries {
			switch ext := strings.ToLower(filepath.Ext(e.Name())); {
			case isTable(e.Name()):
				tables = append(tables, e.Name())
			case isImageName(e.Name()):
				images = append(images, e.Name())
			case e.Name() == "data.mdb" || fileThere(filepath.Join(dir, e.Name(), "data.mdb")):
				others["data.mdb"]++
			case strings.Contains(e.Name(), ".tfrecord") || tfRecordName.MatchString(e.Name()):
				others[".tfrecord"]++
			default:
				others[ext]++
			}
		}
	}
	if loose > 0 {
		return ": " + unsorted(text.Count(loose, "image")+" without class folders", tables, images)
	}
	switch {
	case others[".tar"] > 0:
		return ": it holds .tar files: of shards of the webdataset library (KEY.jpg and KEY.cls) set data.name to webdataset, else unpack them"
	case holdsParquet(dirs):
		return ": it holds Parquet files: set data.name to parquet"
	}
	for _, o := range otherContents {
		if n := others[o.ending]; n > 0 {
			return fmt.Sprintf(": it holds %s: %s", o.what, o.remedy)
		}
	}
	return ""
}

// tfRecordName is that of a shard as TensorFlow's datasets write it.
var tfRecordName = regexp.MustCompile(`^[^.]+-\d{5}-of-\d{5}$`)

// otherContents are files in which data sets come that are not read, by their endings.
var otherContents = []struct{ ending, what, remedy string }{
	{".zip", "a zip archive", "unpack it"},
	{".gz", "an archive (.gz)", "unpack it (tar xzf FILE)"},
	{".tgz", "an archive (.tgz)", "unpack it (tar xzf FILE)"},
	{".7z", "an archive of 7-Zip", "unpack it"},
	{".rar", "an archive of RAR", "unpack it"},
	{".arrow", "Arrow files, as datasets.save_to_disk writes them", "write Parquet from them, datasets.load_from_disk(FOLDER).to_parquet(\"train-00000-of-00001.parquet\"), and set data.name to parquet"},
	{".tfrecord", "records of TensorFlow", "write the images into a folder for each class in Python, with tensorflow_datasets or tf.data.TFRecordDataset"},
	{"data.mdb", "an LMDB database", "write the images into a folder for each class in Python, with the package lmdb"},
	{".npz", "arrays of NumPy (.npz)", arraysRemedy},
	{".npy", "arrays of NumPy (.npy)", arraysRemedy},
	{".h5", "HDF5", "write the images into a folder for each class in Python, with h5py and Pillow"},
	{".mat", "files of MATLAB", "write the images into a folder for each class in Python, with scipy.io.loadmat and Pillow"},
	{".pkl", "pickles", "write the images into a folder for each class in Python, where you trust their source"},
}

// instead says what a folder without the files of a data set holds, where that is known: an
// archive, or arrays of NumPy such as those of CIFAR-10.1 and CIFAR-10-C. It begins with a comma,
// and says nothing where what is found first has one of the endings in but.
func instead(dir string, but ...string) string {
	for _, o := range otherContents {
		for _, pattern := range []string{"*" + o.ending, filepath.Join("CIFAR*", "*"+o.ending)} {
			// The patterns are right: there is no other error.
			if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) == 0 {
				continue
			}
			if slices.Contains(but, o.ending) {
				return ""
			}
			return ", but " + o.what + ": " + o.remedy
		}
	}
	return ""
}

const arraysRemedy = "write their images into a folder for each class in Python, PIL.Image.fromarray(x[i]).save(f\"test/{classes[y[i]]}/{i}.png\") with the names of the network's classes, and set data.name to folder"

// isTable reports whether a file has the name of a table, which may be one of labels.
func isTable(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return (ext == ".csv" || ext == ".tsv") && name != SplitFile
}

// unsorted says what to set for images, which are described, in one folder: a table that is beside
// them, or their names.
func unsorted(images string, tables, names []string) string {
	if len(tables) == 1 {
		return fmt.Sprintf("it holds %s: set data.labels to %s, or put the images of each class into a folder", images, tables[0])
	}
	if classes := classesByName(names); classes != nil {
		return fmt.Sprintf("it holds %s, whose names begin with their classes, it seems (%s): set data.label_pattern to %s", images, listed(classes, len(classes), ", "), NameNumber)
	}
	return fmt.Sprintf("it holds %s: set data.labels to a table of their file names and classes (CSV), data.label_pattern to how their names have their classes, or put the images of each class into a folder", images)
}

// detection says of a set whose images have boxes what it is and what to do, or "".
func detection(dirs []string) string {
	for _, dir := range dirs {
		// The pattern is right: there is no other error.
		coco, _ := filepath.Glob(filepath.Join(dir, "annotations", "instances_*.json"))
		voc := folderThere(filepath.Join(dir, "JPEGImages")) && folderThere(filepath.Join(dir, "Annotations"))
		yolo := folderThere(filepath.Join(dir, "images")) && folderThere(filepath.Join(dir, "labels")) && !holdsImages(filepath.Join(dir, "labels"))
		if len(coco) > 0 || voc || yolo {
			return "it is a set for detection: its images have boxes, and no one class each; cut the objects out, into a folder for each class"
		}
	}
	return ""
}

// holdsImages reports whether a folder has an image in or below it.
func holdsImages(dir string) bool { return new(leftOut).holdsImages(dir) }

// misplaced says that the class folders of a folder without splits are none, and what to set; "" is
// that they may be.
func (p *photoSet) misplaced(dir string) string {
	var below []string // the folders in the class that was looked at last
	split := ""        // that of the first class, where every class has one
	for i, name := range p.names {
		var err error
		if below, err = subfolders("folder", filepath.Join(dir, name)); err != nil {
			return ""
		}
		k := slices.IndexFunc(below, func(f string) bool { _, ok := splitNamed(f); return ok })
		if k < 0 {
			split = ""
			break
		}
		if i == 0 {
			split = below[k]
		}
	}
	boxes := detection([]string{dir})
	switch {
	case boxes != "":
		return boxes
	case len(p.names) == 1 && split != "":
		return fmt.Sprintf("its splits are in %s/: set data.dir to %s", p.names[0], filepath.Join(dir, p.names[0]))
	case split != "":
		return fmt.Sprintf("the splits are in the folders of the classes, as in %s/%s/: put them the other way round, or set data.label_pattern to '%s'", p.names[0], split, `^(?P<class>[^/]+)/(?P<split>[^/]+)/`)
	case len(p.names) > 1:
		return ""
	}
	one := filepath.Join(dir, p.names[0])
	full := slices.DeleteFunc(below, func(f string) bool { return !holdsImages(filepath.Join(one, f)) })
	if len(full) > 1 {
		return fmt.Sprintf("it has one folder of images, %s/, and folders of images in that (%s): set data.dir to %s", p.names[0], listed(full, len(full), ", "), one)
	}
	var tables []string
	entries, _ := os.ReadDir(dir) // it has been read before
	for _, e := range entries {
		if isTable(e.Name()) {
			tables = append(tables, e.Name())
		}
	}
	images, err := imageNames("folder", one)
	if err != nil || len(tables) == 0 && classesByName(images) == nil {
		return ""
	}
	return unsorted(fmt.Sprintf("its images in one folder, %s/", p.names[0]), tables, images)
}

// noteLayout says that all images are of one class, or that a class has folders within its folder.
func (p *photoSet) noteLayout() {
	if len(p.names) == 1 {
		p.notes = append(p.notes, fmt.Sprintf("all images are of one class, %s: a network has nothing to tell apart", p.names[0]))
	}
	list, ok := p.splits[Train].(*fileList)
	if !ok || list.folders == nil {
		return
	}
	below := make([]map[string]bool, len(p.names))
	for i, name := range list.names {
		first, _, ok := strings.Cut(name, "/")
		if !ok {
			first = "" // in the folder itself
		}
		if k := list.label(i); below[k] == nil {
			below[k] = map[string]bool{first: true}
		} else {
			below[k][first] = true
		}
	}
	for k, folders := range below {
		if len(folders) > 1 && !folders[""] && len(p.names) > 1 && list.folders[k] != "" {
			inner := slices.Sorted(maps.Keys(folders))
			p.notes = append(p.notes, fmt.Sprintf("classes are the first folders: %s is one, with the images of %s in it (data.label_pattern takes others)", p.names[k], listed(inner, len(inner), ", ")))
			return
		}
	}
}
