package datasets_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

// files writes small images at these paths, and texts where a path has one.
func files(t *testing.T, dir string, paths map[string]string) {
	t.Helper()
	n := uint64(0)
	for _, p := range slices.Sorted(func(yield func(string) bool) {
		for p := range paths {
			if !yield(p) {
				return
			}
		}
	}) {
		data := []byte(paths[p])
		if paths[p] == "" {
			n++
			data = pngBytes(t, picture(5, 4, n))
		}
		write(t, filepath.Join(dir, filepath.FromSlash(p)), data)
	}
}

// ids lists the images of a split with their classes.
func ids(d *datasets.Dataset, s datasets.Split) string {
	var out []string
	for i := range d.Len(s) {
		out = append(out, d.ID(s, i)+"="+d.Info().Classes[d.Label(s, i)])
	}
	return strings.Join(out, " ")
}

func TestFoldersAsPeopleHaveThem(t *testing.T) {
	for name, c := range map[string]struct {
		files            map[string]string
		config           datasets.Config
		train, val, test string
		notes            []string
	}{
		"valid/ beside test/, in capitals": {
			files: map[string]string{"Train/a/1.png": "", "Train/b/2.png": "", "VALID/a/3.png": "", "Test/b/4.png": ""},
			train: "Train/a/1.png=a Train/b/2.png=b", val: "VALID/a/3.png=a", test: "Test/b/4.png=b",
			notes: []string{"the validation images are of 1 of the 2 classes; without any: b", "the test images are of 1 of the 2 classes; without any: a"},
		},
		"validation/ alone": {
			files: map[string]string{"training/a/1.png": "", "validation/a/3.png": ""},
			train: "training/a/1.png=a", test: "validation/a/3.png=a",
			notes: []string{"all images are of one class, a"},
		},
		"folders in class folders, as torchvision walks them": {
			files: map[string]string{"train/a/z.png": "", "train/a/2021/x.png": "", "train/a/2021/10/y.png": "", "train/a/2020/q.png": "", "test/a/1.png": ""},
			train: "train/a/z.png=a train/a/2020/q.png=a train/a/2021/x.png=a train/a/2021/10/y.png=a", test: "test/a/1.png=a",
			notes: []string{"all images are of one class, a"},
		},
		"names in two Unicode forms": {
			files: map[string]string{"train/caf\u00e9/1.png": "", "train/the/2.png": "", "test/cafe\u0301/3.png": "", "test/the/4.png": ""},
			train: "train/caf\u00e9/1.png=caf\u00e9 train/the/2.png=the", test: "test/cafe\u0301/3.png=caf\u00e9 test/the/4.png=the",
		},
		"one class in two Unicode forms": {
			files: map[string]string{"train/caf\u00e9/1.png": "", "train/cafe\u0301/2.png": "", "test/caf\u00e9/3.png": ""},
			train: "train/cafe\u0301/2.png=cafe\u0301 train/caf\u00e9/1.png=cafe\u0301", test: "test/caf\u00e9/3.png=cafe\u0301",
			notes: []string{"all images are of one class"},
		},
		"what is left out": {
			files: map[string]string{
				"train/a/1.png": "", "train/a/x.heic": "x", "train/a/y.heic": "x", "train/b/2.png": "", "train/b/notes.txt": "x", "train/loose.png": "", "test/a/3.png": "",
				"more/a/4.png": "", "train/a/.hidden.png": "x", "train/b/Thumbs.db": "x", "__MACOSX/train/a/._1.png": "x",
			},
			train: "train/a/1.png=a train/b/2.png=b", test: "test/a/3.png=a",
			notes: []string{"left out: 4 files: .heic 2, .png outside of the class folders 1, .txt 1; more/", "the test images are of 1 of the 2 classes; without any: b"},
		},
		"Tiny ImageNet": {
			files: map[string]string{
				"train/n02/images/n02_0.JPEG": "", "train/n02/n02_boxes.txt": "n02_0.JPEG\t0\t0\t1\t1", "train/n01/images/n01_0.JPEG": "",
				"val/images/val_0.JPEG": "", "val/images/val_1.JPEG": "", "val/val_annotations.txt": "val_0.JPEG\tn02\t0\t0\t1\t1\nval_1.JPEG\tn01\t0\t0\t1\t1\n",
				"test/images/test_0.JPEG": "", "wnids.txt": "n02\nn01\n",
			},
			train: "train/n01/images/n01_0.JPEG=n01 train/n02/images/n02_0.JPEG=n02", test: "val/images/val_1.JPEG=n01 val/images/val_0.JPEG=n02",
			notes: []string{"left out: 1 file: .txt 1; test/"},
		},
		"Tiny ImageNet, put into folders": {
			files: map[string]string{"train/n01/images/a.JPEG": "", "train/n02/images/b.JPEG": "", "val/n02/images/c.JPEG": "", "val/n01/d.JPEG": ""},
			train: "train/n01/images/a.JPEG=n01 train/n02/images/b.JPEG=n02", test: "val/n01/d.JPEG=n01 val/n02/images/c.JPEG=n02",
		},
		"a table with endings left out": {
			files:  map[string]string{"labels.csv": "id,breed\n0b,pug\n0a,beagle\n0c,pug\n", "train/0a.jpg": "", "train/0b.jpg": "", "train/0c.jpg": "", "train/0d.jpg": "", "split.csv": "path,split\ntrain/0a.jpg,train\ntrain/0b.jpg,train\ntrain/0c.jpg,test\n"},
			config: datasets.Config{Labels: "labels.csv"},
			train:  "train/0a.jpg=beagle train/0b.jpg=pug", test: "train/0c.jpg=pug",
			notes: []string{"left out: 1 image without a line in"},
		},
		"a table with splits, numbers and semicolons": {
			files:  map[string]string{"t.csv": "\ufefffilename;label;is_valid\nx/10.png;10;False\n2.png;2;False\nx/3.png;10;True\n", "x/10.png": "", "x/3.png": "", "2.png": ""},
			config: datasets.Config{Labels: "t.csv"},
			train:  "2.png=2 x/10.png=10", test: "x/3.png=10",
		},
		"a table with headers of other names": {
			files:  map[string]string{"t.csv": "photo of,verdict,\n1.png,a,\n2.png,b,\n3.png,a,\n", "u.csv": "photograph,verdict\n1,a\n2,b\n3,a\n", "1.png": "", "2.png": "", "3.png": "", "split.csv": "1.png,train\n2.png,train\n3.png,test\n"},
			config: datasets.Config{Labels: "u.csv"},
			train:  "1.png=a 2.png=b", test: "3.png=a", notes: []string{`is taken for headers: no image is called "photograph"`},
		},
		"a table of Windows' in UTF-16": {
			files:  map[string]string{"t.csv": "\xff\xfef\x00i\x00l\x00e\x00;\x00c\x00l\x00a\x00s\x00s\x00\r\x00\n\x001\x00;\x00\xe9\x00\r\x00\n\x00\x32\x00;\x00b\x00\r\x00\n\x00", "1.png": "", "2.png": "", "split.csv": "1.png,train\n2.png,train\n"},
			config: datasets.Config{Labels: "t.csv"}, train: "2.png=b 1.png=\u00e9",
		},
		"a table with a column for each class": {
			files:  map[string]string{"t.csv": "image,cat,dog,split\n1,0,1.0,train\n2,1,0,test\n3,1.0,0.0,train\n", "1.png": "", "2.png": "", "3.png": ""},
			config: datasets.Config{Labels: "t.csv"}, train: "3.png=cat 1.png=dog", test: "2.png=cat",
		},
		"a table of Excel's": {
			files:  map[string]string{"t.csv": "sep=;\r\nfile;class;split\r\n1;a;train\r\n2;b;train\r\n", "1.png": "", "2.png": ""},
			config: datasets.Config{Labels: "t.csv"}, train: "1.png=a 2.png=b",
		},
		"a list with spaces, and another with bars": {
			files:  map[string]string{"t.txt": "x/1.png   4\nx/2.png 3\n", "x/1.png": "", "x/2.png": "", "split.csv": "x/1.png,train\nx/2.png,test\n"},
			config: datasets.Config{Labels: "t.txt"}, train: "x/1.png=4", test: "x/2.png=3",
		},
		"a table of a Mac's carriage returns": {
			files:  map[string]string{"t.csv": "file|class|split\r1|a|train\r2|b|train\r", "1.png": "", "2.png": ""},
			config: datasets.Config{Labels: "t.csv"}, train: "1.png=a 2.png=b",
		},
		"names with their classes": {
			files: map[string]string{
				"train/cat.0.png": "", "train/dog.0.png": "", "train/red panda_12.png": "", "train/cat-003.png": "", "train/dog7.PNG": "", "test/cat.1.png": "", "test1/0.png": "", "train/x.png": "",
			},
			config: datasets.Config{LabelPattern: datasets.NameNumber},
			train:  "train/cat-003.png=cat train/cat.0.png=cat train/dog.0.png=dog train/dog7.PNG=dog train/red panda_12.png=red panda", test: "test/cat.1.png=cat",
			notes: []string{"left out: 2 images without a class by data.label_pattern: test1/0.png, train/x.png", "without any: dog, red panda"},
		},
		"names by a pattern": {
			files:  map[string]string{"3_0.png": "", "10_1.png": "", "7_2.png": "", "split.csv": "3_0.png,train\n10_1.png,train\n7_2.png,test\n"},
			config: datasets.Config{LabelPattern: `^(\d+)_`}, train: "3_0.png=3 10_1.png=10", test: "7_2.png=7",
		},
		"classes before splits": {
			files:  map[string]string{"a/train/1.png": "", "b/train/2.png": "", "b/test/3.png": "", "a/valid/4.png": ""},
			config: datasets.Config{LabelPattern: "^(?P<class>[^/]+)/(?P<split>[^/]+)/"}, train: "a/train/1.png=a b/train/2.png=b", val: "a/valid/4.png=a", test: "b/test/3.png=b",
		},
		"classes below others": {
			files: map[string]string{"train/pet/cat/1.png": "", "train/pet/dog/2.png": "", "train/car/bus/3.png": "", "test/pet/cat/4.png": ""},
			train: "train/car/bus/3.png=car train/pet/cat/1.png=pet train/pet/dog/2.png=pet", test: "test/pet/cat/4.png=pet",
			notes: []string{"classes are the first folders: pet is one, with the images of cat, dog in it"},
		},
		"class folders beside another": {
			files: map[string]string{"a/1.png": "", "b/1.png": "", "meta/list.txt": "x", "split.csv": "a/1.png,train\nb/1.png,train\n"},
			train: "a/1.png=a b/1.png=b", notes: []string{"left out:", "meta/"},
		},
		"a split that was kept": {
			files: map[string]string{"a/1.png": "", "a/2.png": "", "b/1.png": "", "b/2.png": "", "my.csv": "a/1.png,valid\na/2.png,train\nb/1.png,test\nb/2.png,train\n"},
			train: "a/2.png=a b/2.png=b", val: "a/1.png=a", test: "b/1.png=b", config: datasets.Config{Split: "my.csv"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files(t, dir, c.files)
			c.config.Name, c.config.Dir, c.config.Size = "folder", dir, 4
			if c.config.Split != "" {
				c.config.Split = filepath.Join(dir, c.config.Split)
			}
			d, err := datasets.Open(t.Context(), c.config, 0)
			if err != nil {
				t.Fatal(err)
			}
			for s, want := range map[datasets.Split]string{datasets.Train: c.train, datasets.Val: c.val, datasets.Test: c.test} {
				if got := ids(d, s); got != want {
					t.Errorf("%s: %s, want %s", s, got, want)
				}
			}
			notes := strings.Join(d.Notes(), "\n")
			for _, n := range c.notes {
				if !strings.Contains(notes, n) {
					t.Errorf("no note %q in %q", n, notes)
				}
			}
			if c.notes == nil && c.config.Split == "" && len(d.Notes()) > 0 && !strings.Contains(notes, "without any") {
				t.Errorf("notes %q, want none", notes)
			}
		})
	}
}

func TestFoldersThatCannotBeUsedSayWhatToSet(t *testing.T) {
	for name, c := range map[string]struct {
		files  map[string]string
		config datasets.Config
		kind   error
		says   string
	}{
		"images alone": {map[string]string{"train/cat.0.jpg": "", "train/dog.1.jpg": ""}, datasets.Config{}, datasets.ErrMissing, "it holds 2 images without class folders: set data.labels to a table"},
		"images with classes in their names": {
			map[string]string{"cat.0.jpg": "", "cat.1.jpg": "", "cat.2.jpg": "", "dog.1.jpg": "", "dog.2.jpg": "", "dog.3.jpg": ""},
			datasets.Config{},
			datasets.ErrMissing,
			"it holds 6 images without class folders, whose names begin with their classes, it seems (cat, dog): set data.label_pattern to name-number",
		},
		"the same in one folder": {
			map[string]string{"all/cat_0.jpg": "", "all/cat_1.jpg": "", "all/cat_2.jpg": "", "all/dog_1.jpg": "", "all/dog_2.jpg": "", "all/dog_3.jpg": ""},
			datasets.Config{},
			datasets.ErrMissing,
			"its images in one folder, all/, whose names begin with their classes",
		},
		"splits within classes, beside others": {
			map[string]string{"a/notes/1.png": "", "a/train/1.png": "", "b/train/1.png": ""},
			datasets.Config{},
			datasets.ErrMissing,
			"as in a/train/: put them",
		},
		"images and a split of them": {
			map[string]string{"1.jpg": "", "split.csv": "1.jpg,train\n"},
			datasets.Config{},
			datasets.ErrMissing,
			"set data.labels to a table of their file names",
		},
		"one folder beside its table":  {map[string]string{"img/1.jpg": "", "img/2.jpg": "", "t.csv": "file,class"}, datasets.Config{}, datasets.ErrMissing, "its images in one folder, img/: set data.labels to t.csv"},
		"splits one folder further":    {map[string]string{"set/train/a/1.png": "", "set/test/a/1.png": ""}, datasets.Config{}, datasets.ErrMissing, "its splits are in set/: set data.dir to"},
		"classes one folder further":   {map[string]string{"images/a/1.png": "", "images/b/1.png": "", "meta/x.txt": "x"}, datasets.Config{}, datasets.ErrMissing, "it has one folder of images, images/, and folders of images in that (a, b): set data.dir to"},
		"splits within classes":        {map[string]string{"a/train/1.png": "", "b/train/1.png": "", "b/test/1.png": ""}, datasets.Config{}, datasets.ErrMissing, `as in a/train/: put them the other way round, or set data.label_pattern to '^(?P<class>`},
		"images with boxes":            {map[string]string{"train2017/1.png": "", "annotations/instances_train2017.json": "{}"}, datasets.Config{}, datasets.ErrMissing, "it is a set for detection"},
		"Arrow":                        {map[string]string{"data-00000-of-00001.arrow": "ARROW1"}, datasets.Config{}, datasets.ErrMissing, "datasets.load_from_disk(FOLDER).to_parquet"},
		"records of TensorFlow":        {map[string]string{"train-00000-of-00002": "x"}, datasets.Config{}, datasets.ErrMissing, "records of TensorFlow"},
		"an LMDB":                      {map[string]string{"train_lmdb/data.mdb": "x"}, datasets.Config{}, datasets.ErrMissing, "an LMDB database"},
		"arrays":                       {map[string]string{"pathmnist.npz": "PK"}, datasets.Config{}, datasets.ErrMissing, "arrays of NumPy (.npz)"},
		"a pattern of no name":         {map[string]string{"a.png": ""}, datasets.Config{LabelPattern: "^(x)"}, datasets.ErrMissing, "takes a class out of the paths of none of the 1 image in"},
		"a pattern with another split": {map[string]string{"a/exam/1.png": ""}, datasets.Config{LabelPattern: "^(?P<class>[^/]+)/(?P<split>[^/]+)/"}, datasets.ErrData, `a/exam/1.png: split "exam" is none`},
		"a table that is not UTF-8":    {map[string]string{"t.csv": "file,class\n1,a\n2,caf\xe9\n", "1.png": ""}, datasets.Config{Labels: "t.csv"}, datasets.ErrData, "line 3 is not UTF-8: save the table as UTF-8"},
		"a table in JSON":              {map[string]string{"t.jsonl": "{\"file_name\": \"1\"}", "1.png": ""}, datasets.Config{Labels: "t.jsonl"}, datasets.ErrData, "it is JSON, and a table is wanted"},
		"two classes of one image":     {map[string]string{"t.csv": "image,cat,dog\n1,1,1\n", "1.png": ""}, datasets.Config{Labels: "t.csv"}, datasets.ErrData, "line 2: it is of 2 classes"},
		"columns of other numbers":     {map[string]string{"t.csv": "image,x,y1\n1,0.5,1\n", "1.png": ""}, datasets.Config{Labels: "t.csv"}, datasets.ErrData, `"0.5" in column "x", and columns of classes hold 0 and 1`},
		"an image of another ending":   {map[string]string{"t.csv": "file,class\nx/1.png,a\n", "1.jpg": ""}, datasets.Config{Labels: "t.csv"}, datasets.ErrMissing, "line 2: x/1.png (there is 1.jpg)"},
		"images and one table":         {map[string]string{"1.jpg": "", "train.csv": "a,b"}, datasets.Config{}, datasets.ErrMissing, "set data.labels to train.csv"},
		"CIFAR-10 as pickles":          {map[string]string{"cifar-10-batches-py/data_batch_1": "x"}, datasets.Config{}, datasets.ErrMissing, "set data.name to cifar10"},
		"Parquet":                      {map[string]string{"data-00000.parquet": "PAR1"}, datasets.Config{}, datasets.ErrMissing, "set data.name to parquet"},
		"two classes more in test":     {map[string]string{"train/Cat/1.png": "", "test/cat/2.png": "", "test/emu/3.png": ""}, datasets.Config{}, datasets.ErrData, `classes "cat", "emu" are not one of the training set's - did you mean "Cat"?`},
		"a row without its image":      {map[string]string{"l.csv": "path,label\nx.png,a\ny.png,b\n", "x.png": ""}, datasets.Config{Labels: "l.csv"}, datasets.ErrMissing, "1 of its 2 images are not in"},
		"a name of two images":         {map[string]string{"l.csv": "path,label\nx,a\n", "a/x.png": "", "b/x.png": ""}, datasets.Config{Labels: "l.csv"}, datasets.ErrData, "several images"},
		"columns without names":        {map[string]string{"l.csv": "1,2,3\nx.png,a,b\n", "x.png": ""}, datasets.Config{Labels: "l.csv"}, datasets.ErrData, "which hold file name and class?"},
		"a name that leads out":        {map[string]string{"l.csv": "path,label\n../../etc/x.png,a\n", "y.png": ""}, datasets.Config{Labels: "l.csv"}, datasets.ErrMissing, "1 of its 1 images"},
		"a split of others":            {map[string]string{"a/1.png": "", "split.csv": "a/9.png,test\n"}, datasets.Config{}, datasets.ErrMissing, `"a/9.png"`},
		"a split that is none":         {map[string]string{"a/1.png": "", "split.csv": "a/1.png,exam\n"}, datasets.Config{}, datasets.ErrData, `"exam"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files(t, dir, c.files)
			c.config.Name, c.config.Dir, c.config.Size = "folder", dir, 4
			_, err := datasets.Open(t.Context(), c.config, 0)
			wantError(t, err, c.kind, c.says)
		})
	}
}

// TestAFolderWithoutSplitsIsDividedByClass: the share of each class, by seed, and the same again
// from the file that keeps it.
func TestAFolderWithoutSplitsIsDividedByClass(t *testing.T) {
	dir := t.TempDir()
	for class, n := range map[string]int{"common": 20, "rare": 3, "single": 1} {
		for i := range n {
			files(t, dir, map[string]string{fmt.Sprintf("%s/%02d.png", class, i): ""})
		}
	}
	open := func(c datasets.Config) *datasets.Dataset {
		t.Helper()
		c.Name, c.Dir, c.Size = "folder", dir, 4
		d, err := datasets.Open(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	count := func(d *datasets.Dataset, s datasets.Split) string {
		var n [3]int
		for i := range d.Len(s) {
			n[d.Label(s, i)]++
		}
		return fmt.Sprint(n)
	}
	d := open(datasets.Config{Test: 0.25, Validation: 0.2})
	// 6 of 24 to the test: 5 of 20, and 1 of 3. 0.2 of the 18 left are 4: of 15, 2 and 1.
	if got := count(d, datasets.Test) + count(d, datasets.Val) + count(d, datasets.Train); got != "[5 1 0][3 1 0][12 1 1]" {
		t.Errorf("test, validation and training images by class: %s", got)
	}
	other := open(datasets.Config{Test: 0.25, SplitSeed: 1})
	if count(other, datasets.Test) != "[5 1 0]" || ids(other, datasets.Test) == ids(d, datasets.Test) {
		t.Errorf("with another seed: %s", ids(other, datasets.Test))
	}
	file := filepath.Join(t.TempDir(), "kept.csv")
	if err := datasets.WriteSplit(file, d); err != nil {
		t.Fatal(err)
	}
	again := open(datasets.Config{Split: file, SplitSeed: 7})
	for _, s := range []datasets.Split{datasets.Train, datasets.Val, datasets.Test} {
		if ids(again, s) != ids(d, s) {
			t.Errorf("%s from the file: %s, want %s", s, ids(again, s), ids(d, s))
		}
	}
}

// TestEveryBadFileIsListedAtOnce, and data.on_corrupt covers files that are no images at all.
func TestEveryBadFileIsListedAtOnce(t *testing.T) {
	dir := t.TempDir()
	for i := range 2001 {
		name := filepath.Join(dir, "train", "a", fmt.Sprintf("%04d.png", i))
		if i == 0 {
			files(t, dir, map[string]string{"train/a/0000.png": "", "test/a/0.png": ""})
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(dir, "train", "a", "0000.png"), name); err != nil {
			t.Skip("no links here")
		}
	}
	files(t, dir, map[string]string{"train/a/x.png": "<html>403</html>", "train/a/y.jpg": "\x00\x00\x00\x18ftypavif"})
	write(t, filepath.Join(dir, "train", "a", "z.webp"), nil)
	r, err := datasets.Verify(t.Context(), "folder", dir)
	if err != nil || len(r.Files) != 3 || !strings.Contains(r.Files[1].Detail, "AVIF") || !strings.Contains(r.Files[2].Detail, "empty") {
		t.Errorf("%+v, %v", r.Files, err)
	}
	c := datasets.Config{Name: "folder", Dir: dir, Size: 4}
	_, err = datasets.Open(t.Context(), c, 0)
	wantError(t, err, datasets.ErrData, "x.png: it is a web page")
	wantError(t, err, datasets.ErrData, "2 more of its files cannot be used: `resnet data verify folder --dir "+dir+"` lists them")
	c.OnCorrupt = datasets.CorruptSkip
	_, err = datasets.Open(t.Context(), c, 0)
	wantError(t, err, datasets.ErrData, "3 of 2004 training images cannot be read, and data.on_corrupt skips 0.1 % at most, 2 of them")
	os.Remove(filepath.Join(dir, "train", "a", "z.webp"))
	d, err := datasets.Open(t.Context(), c, 0)
	if err != nil || d.Len(datasets.Train) != 2001 || d.Skipped() != 2 || !strings.Contains(strings.Join(d.Notes(), "\n"), "y.jpg") {
		t.Fatalf("%d images, %d skipped, notes %q (%v)", d.Len(datasets.Train), d.Skipped(), d.Notes(), err)
	}
	if d.ID(datasets.Train, 2000) != "train/a/2000.png" {
		t.Errorf("the last is %s", d.ID(datasets.Train, 2000))
	}
}

// Files in which training scripts keep their classes give the names in the order of the numbers.
func TestListsOfClassesAsPeopleHaveThem(t *testing.T) {
	for text, want := range map[string][]string{
		"b\tbee\r\na\n":                              {"b", "a"},
		`["b", "a"]`:                                 {"b", "a"},
		"\ufeff{\"b\": 0, \"a\": 1}":                 {"b", "a"},
		`{"1": "a", "0": "b"}`:                       {"b", "a"},
		`{"0": ["n02", "bee"], "1": ["n01", "ant"]}`: {"n02", "n01"},
		`{"3": 1, "7": 0}`:                           {"7", "3"},
		// What gives no number each a name is lines of text.
		`{"a": 0, "b": 2}`:     {`{"a": 0, "b": 2}`},
		`{"a": 0, "b": 0}`:     {`{"a": 0, "b": 0}`},
		`{"a": {"b": 1}}`:      {`{"a": {"b": 1}}`},
		"{brackets}\n[others]": {"{brackets}", "[others]"},
	} {
		if got := datasets.ClassList(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAFolderWithoutCIFARsFilesSaysWhatItHolds(t *testing.T) {
	for file, want := range map[string]string{
		"cifar-10-python.tar.gz":        "an archive (.gz): unpack it",
		"cifar10.1_v6_data.npy":         "arrays of NumPy (.npy)",
		"CIFAR-10-C/gaussian_noise.npy": "arrays of NumPy (.npy)",
	} {
		dir := t.TempDir()
		files(t, dir, map[string]string{file: "x"})
		_, err := datasets.Open(t.Context(), datasets.Config{Name: "cifar10", Dir: dir, Downsample: 1}, 0)
		wantError(t, err, datasets.ErrMissing, "cifar10: "+dir+" holds neither", want)
	}
	dir := t.TempDir()
	files(t, dir, map[string]string{"train-labels-idx1-ubyte.gz": "x", "mnist.npz": "x"})
	_, err := datasets.Open(t.Context(), datasets.Config{Name: "mnist", Dir: dir, Downsample: 1}, 0)
	wantError(t, err, datasets.ErrMissing, "train-images-idx3-ubyte, plain or .gz; set data.dir")
}
