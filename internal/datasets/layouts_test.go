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
		},
		"folders in class folders, as torchvision walks them": {
			files: map[string]string{"train/a/z.png": "", "train/a/2021/x.png": "", "train/a/2021/10/y.png": "", "train/a/2020/q.png": "", "test/a/1.png": ""},
			train: "train/a/z.png=a train/a/2020/q.png=a train/a/2021/x.png=a train/a/2021/10/y.png=a", test: "test/a/1.png=a",
		},
		"names in two Unicode forms": {
			files: map[string]string{"train/caf\u00e9/1.png": "", "train/the/2.png": "", "test/cafe\u0301/3.png": "", "test/the/4.png": ""},
			train: "train/caf\u00e9/1.png=caf\u00e9 train/the/2.png=the", test: "test/cafe\u0301/3.png=caf\u00e9 test/the/4.png=the",
		},
		"one class in two Unicode forms": {
			files: map[string]string{"train/caf\u00e9/1.png": "", "train/cafe\u0301/2.png": "", "test/caf\u00e9/3.png": ""},
			train: "train/cafe\u0301/2.png=cafe\u0301 train/caf\u00e9/1.png=cafe\u0301", test: "test/caf\u00e9/3.png=cafe\u0301",
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
		"images alone":             {map[string]string{"train/cat.0.jpg": "", "train/dog.1.jpg": ""}, datasets.Config{}, datasets.ErrMissing, "it holds 2 images without class folders: set data.labels to a table"},
		"images and one table":     {map[string]string{"1.jpg": "", "train.csv": "a,b"}, datasets.Config{}, datasets.ErrMissing, "set data.labels to train.csv"},
		"CIFAR-10 as pickles":      {map[string]string{"cifar-10-batches-py/data_batch_1": "x"}, datasets.Config{}, datasets.ErrMissing, "set data.name to cifar10"},
		"Parquet":                  {map[string]string{"data-00000.parquet": "PAR1"}, datasets.Config{}, datasets.ErrMissing, "set data.name to parquet"},
		"two classes more in test": {map[string]string{"train/Cat/1.png": "", "test/cat/2.png": "", "test/emu/3.png": ""}, datasets.Config{}, datasets.ErrData, `class "cat", "emu" are not one of the training set's - did you mean "Cat"?`},
		"a row without its image":  {map[string]string{"l.csv": "path,label\nx.png,a\ny.png,b\n", "x.png": ""}, datasets.Config{Labels: "l.csv"}, datasets.ErrMissing, "1 of its 2 images are not in"},
		"a name of two images":     {map[string]string{"l.csv": "path,label\nx,a\n", "a/x.png": "", "b/x.png": ""}, datasets.Config{Labels: "l.csv"}, datasets.ErrData, "several images"},
		"columns without names":    {map[string]string{"l.csv": "1,2,3\nx.png,a,b\n", "x.png": ""}, datasets.Config{Labels: "l.csv"}, datasets.ErrData, "which hold file name and class?"},
		"a name that leads out":    {map[string]string{"l.csv": "path,label\n../../etc/x.png,a\n", "y.png": ""}, datasets.Config{Labels: "l.csv"}, datasets.ErrMissing, "1 of its 1 images"},
		"a split of others":        {map[string]string{"a/1.png": "", "split.csv": "a/9.png,test\n"}, datasets.Config{}, datasets.ErrMissing, `"a/9.png"`},
		"a split that is none":     {map[string]string{"a/1.png": "", "split.csv": "a/1.png,exam\n"}, datasets.Config{}, datasets.ErrData, `"exam"`},
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
