package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const devkitData = "../../testdata/devkit"

// photo is a small JPEG of one colour, the same for the same number.
func photo(t testing.TB, n int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 12+n%5, 10+n%3))
	for i := 0; i < len(m.Pix); i += 4 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = byte(17*n), byte(255-9*n), byte(40+n), 255
	}
	m.SetRGBA(0, 0, color.RGBA{255, 255, 255, 255})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plainTar is an archive that is not compressed.
func plainTar(t testing.TB, items ...item) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archiveOf(t, items...)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(devkitData, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// trainWnids are three classes, ranks 0, 1 and 999; each has two images of its own number.
var trainWnids = []string{"n01440764", "n01443537", "n15075141"}

func trainPhoto(t testing.TB, class, i int) (name string, data []byte) {
	return fmt.Sprintf("%s_%d.JPEG", trainWnids[class], 10*i+3), photo(t, 2*class+i)
}

func trainFolders(t testing.TB, dir string) {
	for c, wnid := range trainWnids {
		for i := range 2 {
			name, data := trainPhoto(t, c, i)
			put(t, filepath.Join(dir, "train", wnid, name), data)
		}
	}
}

// trainTar is the official form: an archive of an archive for each class, here not in the order of
// the classes.
func trainTar(t testing.TB) []byte {
	var outer []item
	for _, c := range []int{2, 0, 1} {
		var inner []item
		for _, i := range []int{1, 0} {
			name, data := trainPhoto(t, c, i)
			inner = append(inner, item{name: name, data: data})
		}
		outer = append(outer, item{name: trainWnids[c] + ".tar", data: plainTar(t, inner...)})
	}
	return plainTar(t, outer...)
}

// valTruth are labels of the validation images 1 to 6: five that are known, and one more.
var valTruth = []int{65, 970, 230, 809, 516, 7}

func valName(i int) string { return fmt.Sprintf("ILSVRC2012_val_%08d.JPEG", i+1) }

func valFlat(t testing.TB, dir string) {
	for i := range valTruth {
		put(t, filepath.Join(dir, "val", valName(i)), photo(t, i))
	}
}

// truthFile is the ground truth of the fixture's development kit for valTruth.
func truthFile(t testing.TB) []byte {
	rows, err := readSynsets(fixture(t, "meta.mat"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, rank := range valTruth {
		i := slices.IndexFunc(rows, func(r synset) bool { return r.wnid == imagenetClasses()[rank].ID })
		fmt.Fprintf(&b, "%d\n", rows[i].id)
	}
	return b.Bytes()
}

func devkitTar(t testing.TB) []byte {
	const data = "ILSVRC2012_devkit_t12/data/"
	return archiveOf(t, item{name: "ILSVRC2012_devkit_t12/", kind: tar.TypeDir}, item{name: "ILSVRC2012_devkit_t12/readme.txt", data: []byte("x")},
		item{name: data + truthName, data: truthFile(t)}, item{name: data + metaName, data: fixture(t, "meta.mat")})
}

func openIn(t testing.TB, dir string, change func(c *Config)) (*Dataset, error) {
	c := Config{Name: "imagenet", Dir: dir, Size: 8, Resize: 9}
	if change != nil {
		change(&c)
	}
	return Open(t.Context(), c, 1)
}

// describe lists a split: labels, and the first byte of the images, which tells them apart.
func describe(t testing.TB, d *Dataset, s Split) string {
	t.Helper()
	var out []string
	buf := make([]byte, 3*8*8)
	for i := range d.Len(s) {
		label, err := d.Image(s, i, buf)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%d:%d,%d", label, buf[40], buf[100]))
	}
	return strings.Join(out, " ")
}

func TestEveryLayoutOfImageNetGivesTheSameImages(t *testing.T) {
	reference := t.TempDir()
	trainFolders(t, reference)
	for i, rank := range valTruth {
		put(t, filepath.Join(reference, "val", imagenetClasses()[rank].ID, valName(i)), photo(t, i))
	}
	want, err := openIn(t, reference, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want.Len(Train) != 6 || want.Len(Test) != 6 || len(want.Info().Classes) != 1000 || want.Label(Train, 5) != 999 {
		t.Fatalf("%d training and %d validation images, %d classes", want.Len(Train), want.Len(Test), len(want.Info().Classes))
	}
	wantTrain, byClass := describe(t, want, Train), strings.Fields(describe(t, want, Test))
	slices.Sort(byClass)

	lists := map[string]func(i, rank int) string{
		"val.txt":           func(i, rank int) string { return fmt.Sprintf("%s %d\n", valName(i), rank) },
		"val_map.txt":       func(i, rank int) string { return valName(i) + "\t" + imagenetClasses()[rank].ID + "\r\n" },
		"synset_labels.txt": func(_, rank int) string { return imagenetClasses()[rank].ID + "\n" },
		"LOC_val_solution.csv": func(i, rank int) string {
			return strings.TrimSuffix(valName(i), ".JPEG") + "," + imagenetClasses()[rank].ID + " 1 2 3 4\n"
		},
	}
	list := func(name string) []byte {
		text := ""
		if strings.HasSuffix(name, ".csv") {
			text = "ImageId,PredictionString\n"
		}
		for i, rank := range valTruth {
			text += lists[name](i, rank)
		}
		return []byte(text)
	}
	layouts := map[string]func(dir string) (explicit string){
		"official archives": func(dir string) string {
			put(t, filepath.Join(dir, trainArchive), trainTar(t))
			var items []item
			for i := range valTruth {
				items = append(items, item{name: valName(i), data: photo(t, i)})
			}
			put(t, filepath.Join(dir, valArchive), plainTar(t, items...))
			put(t, filepath.Join(dir, devkitArchive), devkitTar(t))
			return ""
		},
		"an archive for each class, flat val/, unpacked kit": func(dir string) string {
			for c, wnid := range trainWnids {
				a, da := trainPhoto(t, c, 0)
				b, db := trainPhoto(t, c, 1)
				put(t, filepath.Join(dir, "train", wnid+".tar"), plainTar(t, item{name: a, data: da}, item{name: b, data: db}))
			}
			valFlat(t, dir)
			put(t, filepath.Join(dir, "ILSVRC2012_devkit_t12", "data", metaName), fixture(t, "meta.mat"))
			put(t, filepath.Join(dir, "ILSVRC2012_devkit_t12", "data", truthName), truthFile(t))
			return ""
		},
		"Kaggle": func(dir string) string {
			trainFolders(t, filepath.Join(dir, "ILSVRC", "Data", "CLS-LOC"))
			valFlat(t, filepath.Join(dir, "ILSVRC", "Data", "CLS-LOC"))
			put(t, filepath.Join(dir, "LOC_val_solution.csv"), list("LOC_val_solution.csv"))
			return ""
		},
		"val.tar sorted by class": func(dir string) string {
			trainFolders(t, dir)
			var items []item
			for i, rank := range valTruth {
				items = append(items, item{name: "./val/" + imagenetClasses()[rank].ID + "/" + valName(i), data: photo(t, i)})
			}
			put(t, filepath.Join(dir, "val.tar"), plainTar(t, items...))
			return ""
		},
	}
	for name := range lists {
		layouts["flat val/ with "+name] = func(dir string) string {
			trainFolders(t, dir)
			valFlat(t, dir)
			put(t, filepath.Join(dir, name), list(name))
			return ""
		}
	}
	layouts["flat val/ with data.labels"] = func(dir string) string {
		trainFolders(t, dir)
		valFlat(t, dir)
		path := filepath.Join(t.TempDir(), "mine")
		put(t, path, list("val.txt"))
		return path
	}
	for name, make := range layouts {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			explicit := make(dir)
			for range 2 { // the second time from the index
				d, err := openIn(t, dir, func(c *Config) { c.Labels = explicit })
				if err != nil {
					t.Fatal(err)
				}
				if got := describe(t, d, Train); got != wantTrain {
					t.Errorf("training images\n%s, want\n%s", got, wantTrain)
				}
				got := strings.Fields(describe(t, d, Test))
				if slices.Sort(got); !slices.Equal(got, byClass) {
					t.Errorf("validation images\n%v, want\n%v", got, byClass)
				}
				if notes := strings.Join(d.Notes(), "; "); !strings.Contains(notes, "3 of the 1000 classes") {
					t.Errorf("the missing classes are not noted: %q", notes)
				}
			}
		})
	}
}

func TestWrongMappingsAreNoticed(t *testing.T) {
	text := func(f func(i, rank int) string) []byte {
		var b strings.Builder
		for i, rank := range valTruth {
			b.WriteString(f(i, rank))
		}
		return []byte(b.String())
	}
	ids := append(slices.Clone(firstIDs), 12)
	for name, c := range map[string]struct {
		prepare func(dir string)
		kind    error
		says    string
	}{
		"ILSVRC2012_IDs for ranks": {func(dir string) {
			put(t, filepath.Join(dir, "val.txt"), text(func(i, _ int) string { return fmt.Sprintln(valName(i), ids[i]) }))
		}, ErrData, "ILSVRC2012_ID"},
		"the same, less one": {func(dir string) {
			put(t, filepath.Join(dir, "val.txt"), text(func(i, _ int) string { return fmt.Sprintln(valName(i), ids[i]-1) }))
		}, ErrData, "ILSVRC2012_ID"},
		"ranks from 1": {func(dir string) {
			put(t, filepath.Join(dir, "val.txt"), text(func(i, rank int) string { return fmt.Sprintln(valName(i), rank+1) }))
		}, ErrData, "from 1"},
		"the ground truth without meta.mat": {func(dir string) { put(t, filepath.Join(dir, "val.txt"), truthFile(t)) }, ErrData, "meta.mat"},
		"another order of the images": {func(dir string) {
			put(t, filepath.Join(dir, "val_map.txt"), text(func(i, _ int) string { return valName(i) + " " + imagenetClasses()[valTruth[(i+1)%6]].ID + "\n" }))
		}, ErrData, "known to be n01751748 (sea snake)"},
		"an image without a label": {func(dir string) {
			put(t, filepath.Join(dir, "val.txt"), []byte(valName(0)+" 65\n"))
		}, ErrData, valName(1)},
		"a wnid of another set": {func(dir string) { put(t, filepath.Join(dir, "val.txt"), []byte(valName(0)+" n00007846\n")) }, ErrData, "n00007846"},
		"an image twice":        {func(dir string) { put(t, filepath.Join(dir, "val.txt"), []byte(valName(0)+" 65\n"+valName(0)+" 65\n")) }, ErrData, "line 2"},
		"no labels at all":      {func(string) {}, ErrMissing, devkitArchive},
		"an empty list":         {func(dir string) { put(t, filepath.Join(dir, "val.txt"), nil) }, ErrData, "no labels"},
		"a class of another set among the training images": {func(dir string) {
			put(t, filepath.Join(dir, "train", "dogs", "x.JPEG"), photo(t, 1))
		}, ErrData, "set data.name to folder"},
		"a kit without the ground truth": {func(dir string) {
			put(t, filepath.Join(dir, devkitArchive), archiveOf(t, item{name: "data/" + metaName, data: fixture(t, "meta.mat")}))
		}, ErrData, truthName},
		"a kit with four classes": {func(dir string) {
			put(t, filepath.Join(dir, "data", metaName), fixture(t, "plain.mat"))
			put(t, filepath.Join(dir, "data", truthName), truthFile(t))
		}, ErrData, "4 classes"},
		"a kit with a label out of range": {func(dir string) {
			put(t, filepath.Join(dir, "data", metaName), fixture(t, "meta.mat"))
			put(t, filepath.Join(dir, "data", truthName), []byte("490\n1001\n"))
		}, ErrData, "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			valFlat(t, dir)
			c.prepare(dir)
			_, err := openIn(t, dir, nil)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want one that is %v, names the folder and says %q", err, c.kind, c.says)
			}
		})
	}
	if _, err := openIn(t, t.TempDir(), nil); !errors.Is(err, ErrMissing) {
		t.Errorf("an empty folder: %v, want ErrMissing", err)
	}
}

func TestASetWithoutTrainingImagesTrainsOnTheOthersWhenAsked(t *testing.T) {
	dir := t.TempDir()
	for c, wnid := range trainWnids {
		name, data := trainPhoto(t, c, 0)
		put(t, filepath.Join(dir, "val", wnid, name), data)
	}
	onTest := func(c *Config) { c.TrainOn = TrainOnTest }
	d, err := openIn(t, dir, onTest)
	if err != nil {
		t.Fatal(err)
	}
	if d.Len(Train) != 3 || d.Len(Test) != 3 || !strings.Contains(strings.Join(d.Notes(), ";"), "smoke test") {
		t.Errorf("%d training and %d test images, notes %q", d.Len(Train), d.Len(Test), d.Notes())
	}
	if d, err = openIn(t, dir, nil); err != nil || d.Len(Train) != 0 {
		t.Errorf("without asking: %d training images, %v", d.Len(Train), err)
	}
	trainFolders(t, dir)
	if _, err := openIn(t, dir, onTest); !errors.Is(err, ErrConfig) {
		t.Errorf("with training images of its own: %v, want ErrConfig", err)
	}
}

func TestVerifyDecodesEveryImageOfImageNet(t *testing.T) {
	dir := t.TempDir()
	trainFolders(t, dir)
	r, err := Verify(t.Context(), "imagenet", dir)
	if err != nil || !r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	bad := filepath.Join(dir, "train", trainWnids[1], "broken.JPEG")
	put(t, bad, photo(t, 1)[:200])
	if r, err = Verify(t.Context(), "imagenet", dir); err != nil || r.Usable() || r.Files[0].Path != bad {
		t.Errorf("a broken image: %+v, %v", r, err)
	}
	archives := t.TempDir()
	put(t, filepath.Join(archives, trainArchive), trainTar(t))
	if r, err = Verify(t.Context(), "imagenet", archives); err != nil || r.OK() || !r.Usable() || r.Files[0].Status != StatusDiffers {
		t.Errorf("archives that are not the official ones: %+v, %v", r, err)
	}
}
