package datasets_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/datasetstest"
)

// picklers write the array and the texts of a pickle as Python 2 and 3 do.
var picklers = map[string]func(binary []byte, hundred bool) string{
	"Python 2, protocol 2": func(b []byte, hundred bool) string {
		return pickled("\x80\x02", b, hundred, shortString, func(shape string, data []byte) string {
			return "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01" + shape +
				"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + u32(len(data)) + string(data) + "tb"
		})
	},
	"Python 3, protocol 2": func(b []byte, hundred bool) string {
		return pickled("\x80\x02", b, hundred, unicode, func(shape string, data []byte) string {
			var text strings.Builder
			for _, c := range data {
				text.WriteRune(rune(c))
			}
			return "cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85c_codecs\nencode\nq\x09" + unicode("b") + unicode("latin1") + "q\x0b\x86R\x87R(K\x01" + shape +
				"cnumpy\ndtype\n" + unicode("u1") + "\x89\x88\x87R(K\x03" + unicode("|") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89h\x09" + unicode(text.String()) + "h\x0b\x86Rtb"
		})
	},
	"Python 3, protocol 5": func(b []byte, hundred bool) string {
		return pickled("\x80\x05", b, hundred, unicode, func(shape string, data []byte) string {
			return unicode("numpy._core.numeric") + unicode("_frombuffer") + "\x93(\x96" + u32(len(data)) + u32(0) + string(data) +
				unicode("numpy") + unicode("dtype") + "\x93" + unicode("u1") + "\x89\x88\x87R(K\x03" + unicode("|") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb" + shape + unicode("C") + "tR"
		})
	},
}

func u32(n int) string            { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
func unicode(s string) string     { return "X" + u32(len(s)) + s }
func shortString(s string) string { return "U" + string(rune(len(s))) + s }

// pickled is the dictionary of a binary file's records.
func pickled(begin string, records []byte, hundred bool, text func(string) string, array func(shape string, data []byte) string) string {
	keys := []string{"labels"}
	if hundred {
		keys = []string{"coarse_labels", "fine_labels"}
	}
	size := len(keys) + 3072
	var data []byte
	labels := make([]string, len(keys))
	names := ""
	n := len(records) / size
	for r := records; len(r) > 0; r = r[size:] {
		for k := range keys {
			labels[k] += "K" + string(r[k:k+1])
		}
		data = append(data, r[len(keys):size]...)
		names += text("leptodactylus_s_000004.png")
	}
	out := begin + "}(" + text("batch_label") + text("training batch 1 of 5")
	for k, key := range keys {
		out += text(key) + "](" + labels[k] + "e"
	}
	return out + text("data") + array(fmt.Sprintf("J%sM\x00\x0c\x86", u32(n)), data) + text("filenames") + "](" + names + "eu."
}

// pickledFolder writes the binary files of a folder as pickles beside it.
func pickledFolder(t testing.TB, bin, to string, hundred bool, pickle func([]byte, bool) string) {
	paths, err := filepath.Glob(filepath.Join(bin, "*.bin"))
	if err != nil || len(paths) == 0 {
		t.Fatal(bin, err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, strings.TrimSuffix(filepath.Base(p), ".bin")), []byte(pickle(b, hundred)))
	}
}

// TestPicklesOfCIFARAreTheBinaryFiles: the same images, labels, order and class names, from the
// folder or the one above it.
func TestPicklesOfCIFARAreTheBinaryFiles(t *testing.T) {
	for version, pickle := range picklers {
		for _, hundred := range []bool{false, true} {
			name, folder := "cifar10", "cifar-10-batches-py"
			bin, above := t.TempDir(), t.TempDir()
			if hundred {
				name, folder = "cifar100", "cifar-100-python"
				write(t, filepath.Join(bin, "train.bin"), cifarRecords(4, true, 1))
				write(t, filepath.Join(bin, "test.bin"), cifarRecords(4, true, 2))
			} else {
				cifarFolder(t, bin, 4)
			}
			pickledFolder(t, bin, filepath.Join(above, folder), hundred, pickle)
			var prints []datasets.Fingerprint
			var infos []datasets.Info
			var images [][]byte
			for _, dir := range []string{bin, above, filepath.Join(above, folder)} {
				d, err := datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(hundred, 4), datasets.Config{Name: name, Dir: dir}, 1)
				if err != nil {
					t.Fatal(version, name, err)
				}
				print, err := d.Fingerprint(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				image := make([]byte, 3072)
				if _, err := d.Image(datasets.Train, 3, image); err != nil {
					t.Fatal(err)
				}
				prints, infos, images = append(prints, print), append(infos, d.Info()), append(images, image)
			}
			for i := range prints[1:] {
				if !reflect.DeepEqual(prints[0], prints[1+i]) || !reflect.DeepEqual(infos[0], infos[1+i]) || !bytes.Equal(images[0], images[1+i]) {
					t.Errorf("%s, %s: %v and %v", version, name, prints[0], prints[1+i])
				}
			}
		}
	}
}

func TestPicklesOfCIFAR10PassTheSuite(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	cifarFolder(t, bin, 7)
	pickledFolder(t, bin, dir, false, picklers["Python 2, protocol 2"])
	datasetstest.Run(t, datasetstest.Case{
		Open: func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
			return datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(false, 7), datasets.Config{Name: "cifar10", Dir: dir, Validation: float64(val)}, seed)
		},
		Want:   datasets.Info{Name: "cifar10", Classes: tenClasses, Channels: 3, Height: 32, Width: 32, Train: 35, Test: 7},
		Damage: func(t testing.TB) { cutInHalf(t, filepath.Join(dir, "data_batch_4")) },
	})
}

// A part of the images is read, and is not the published data.
func TestPicklesOfFewerImagesAreACopy(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	cifarFolder(t, bin, 2)
	pickledFolder(t, bin, dir, false, picklers["Python 3, protocol 2"])
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "cifar10", Dir: dir}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := d.Identity(t.Context()); name != "cifar10 (converted copy)" || err != nil || d.Info().Train != 10 {
		t.Errorf("%q, %v: %+v", name, err, d.Info())
	}
	r, err := datasets.Verify(t.Context(), "cifar10", dir)
	if err != nil || !r.Usable() || len(r.Files) != 6 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, f := range r.Files {
		if f.Status != datasets.StatusDiffers || !strings.Contains(f.Detail, "2 of 10000 images") || len(f.Want) != len("md5:")+32 || len(f.Got) != len(f.Want) {
			t.Errorf("%+v", f)
		}
	}
	if err := os.Remove(filepath.Join(dir, "data_batch_2")); err != nil {
		t.Fatal(err)
	}
	_, err = datasets.Open(t.Context(), datasets.Config{Name: "cifar10", Dir: dir}, 0)
	wantError(t, err, datasets.ErrMissing, "data_batch_2")
}

func TestPicklesThatAreNotOfCIFARAreRefused(t *testing.T) {
	good := picklers["Python 2, protocol 2"](cifarRecords(2, false, 1), false)
	array, _, _ := strings.Cut(good[strings.Index(good, "cnumpy.core"):], "U\x09filenames")
	for want, text := range map[string]string{
		"at most 0 are left; set data.dir": "\x80", "are left": good[:3000], "no dictionary": "\x80\x02K\x01.", "no array": "\x80\x02}U\x04dataK\x01s.",
		"None, and no list":                "\x80\x02}U\x04data" + array + "s.",
		"outside of the file":              "\x80\x02cos\nsystem\nU\x02ls\x85Q.",
		"posix.system":                     strings.Replace(good, array, "cposix\nsystem\nU\x02ls\x85R", 1),
		"label 10 of record 1":             strings.Replace(good, "](K\x00K\x01e", "](K\x00K\x0ae", 1),
		"1 labels of 2 images":             strings.Replace(good, "](K\x00K\x01e", "](K\x00e", 1),
		"an array of i1":                   strings.Replace(good, "U\x02u1", "U\x02i1", 1),
		"in the order of columns":          strings.Replace(good, "tb\x89T", "tb\x88T", 1),
		"is not an array of N rows":        strings.Replace(good, "M\x00\x0c\x86", "M\x00\x06\x86", 1),
		"not a whole pickle":               strings.Replace(good, "}(", "}}(", 1)[:100],
		"3 images; 1 to 2 are":             picklers["Python 2, protocol 2"](cifarRecords(3, false, 1), false),
		"bytes, and 2 records take":        good + strings.Repeat("x", 100_000),
		"text that stands for no bytes":    "\x80\x02c_codecs\nencode\n" + unicode("€") + unicode("latin1") + "\x86R.",
		"the same again and again":         "\x80\x02c_codecs\nencode\nq\x01" + unicode(strings.Repeat("a", 99)) + "q\x02" + strings.Repeat("h\x01h\x02"+unicode("latin1")+"\x86R", 9) + ".",
		"and bytes (uint8) are wanted":     strings.Replace(good, "U\x02u1", "U\x02f8", 1),
		"state is not NumPy's":             strings.Replace(good, "tb\x89T", "tb\x89NT", 1),
		"a dictionary, and no array":       "\x80\x02}U\x04data}s.",
		"take more than":                   "\x80\x02(" + strings.Repeat("}", 20_000) + ".",
		"operation 0x50 is not one that a": "\x80\x02P",
	} {
		bin, dir := t.TempDir(), t.TempDir()
		cifarFolder(t, bin, 2)
		pickledFolder(t, bin, dir, false, picklers["Python 2, protocol 2"])
		write(t, filepath.Join(dir, "data_batch_3"), []byte(text))
		_, err := datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(false, 2), datasets.Config{Name: "cifar10", Dir: dir}, 0)
		wantError(t, err, datasets.ErrData, want)
		wantError(t, err, datasets.ErrData, "data_batch_3")
	}
}

// A folder of images by split has names that pickles have too.
func TestAFolderIsNoPickleOfCIFAR(t *testing.T) {
	dir := t.TempDir()
	files(t, dir, map[string]string{"train/cat/1.png": "", "test/cat/2.png": ""})
	_, err := datasets.Open(t.Context(), datasets.Config{Name: "cifar100", Dir: dir}, 0)
	wantError(t, err, datasets.ErrMissing, "holds neither train.bin")
}
