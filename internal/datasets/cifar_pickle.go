package datasets

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"resnet/internal/input"
	"resnet/internal/pickle"
)

// The archives for Python hold the images of the binary ones in the same order. Each file is a
// dictionary: "data" is an array [N, 3072] of bytes in the order of a binary record's, "labels"
// (CIFAR-100: "fine_labels" and "coarse_labels") a list of N numbers. What else is in it is passed
// over, and class names are those of the binary form. The digests are those of torchvision.
var (
	pickled10 = pickledForm{"cifar-10-batches-py", []string{"labels"}, map[string]string{
		"data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
		"data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
		"data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
		"data_batch_4": "md5:634d18415352ddfa80567beed471001a",
		"data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
		"test_batch":   "md5:40351d587109b95175f43aff81a1287e",
	}}
	pickled100 = pickledForm{"cifar-100-python", []string{"coarse_labels", "fine_labels"}, map[string]string{
		"train": "md5:16019d7e3df5f24257cddd939b257f8d",
		"test":  "md5:f0ef6b0ae62326f3e7ffdfab6717acfc",
	}}
)

// pickledForm is what the archive for Python has otherwise.
type pickledForm struct {
	folder string // inside the archive
	// The lists that stand for a binary record's label bytes, in their order.
	labels  []string
	digests map[string]string // of the files: the binary ones' names without their ending
}

// python is the layout of the same images in the archive for Python.
func (l cifarLayout) python() cifarLayout {
	of := func(files []recordFile) (out []recordFile) {
		for _, f := range files {
			name := strings.TrimSuffix(f.name, ".bin")
			out = append(out, recordFile{name, f.count, l.pickles.digests[name]})
		}
		return out
	}
	l.folder, l.train, l.test, l.pickled = l.pickles.folder, of(l.train), of(l.test), true
	return l
}

// pickleSize is the most bytes that a file of so many records has: bytes as text of UTF-8 take up
// to twice their number, and beside them are a file name and labels for each.
func pickleSize(count int) int64 { return int64(count)*(2*cifarPixels+512) + 1<<16 }

// readPickles gathers files of as many records as they have, at most the published number: each
// says how many it holds, so that a part of the images is no file that is cut off.
func (l cifarLayout) readPickles(ctx context.Context, dir string, files []recordFile) (records, error) {
	var r records
	parts := make([]string, len(files))
	for i, f := range files {
		err := ctx.Err()
		if err != nil {
			return records{}, err
		}
		var labels []uint8
		if parts[i], labels, err = l.readPickle(filepath.Join(dir, f.name), f.count); err != nil {
			return records{}, err
		}
		f.count = len(labels)
		r.labels, r.files = append(r.labels, labels...), append(r.files, f)
	}
	r.pixels = make([]byte, 0, len(r.labels)*cifarPixels)
	for _, part := range parts {
		r.pixels = append(r.pixels, part...)
	}
	return r, nil
}

// readPickle reads a file of at most so many records.
func (l cifarLayout) readPickle(path string, most int) (pixels string, labels []uint8, err error) {
	f, err := input.Open(path)
	if err != nil {
		return "", nil, openFault(l.name+": "+path, err, remedy(l.name))
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", nil, err
	}
	if st.Size() > pickleSize(most) {
		return "", nil, faultf(ErrData, "%s: %s: %d bytes, and %d records take %d at most", l.name, path, st.Size(), most, pickleSize(most))
	}
	if pixels, labels, err = l.parsePickle(bufio.NewReaderSize(f, 1<<18), st.Size(), most); err != nil {
		return "", nil, fmt.Errorf("%s: %s: %w", l.name, path, err)
	}
	return pixels, labels, nil
}

// parsePickle reads the only pickle of a stream of so many bytes.
func (l cifarLayout) parsePickle(in *bufio.Reader, size int64, most int) (pixels string, labels []uint8, err error) {
	// Beside its bytes, an image takes labels and a file name: 300 bytes.
	left := size // bytes that are decoded from text: each text once
	u := pickle.Reader{In: in, Limit: size, Memory: 1<<20 + 1024*int64(most) + 2*size, Call: func(f pickle.Global, args []any) (any, error) {
		return numpyValue(f, args, &left)
	}}
	v, err := u.Load()
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return "", nil, fmt.Errorf("byte offset %d: %w", u.Read(), err)
	}
	if err != nil {
		return "", nil, faultf(ErrData, "not a whole pickle of CIFAR: byte offset %d: %w; %s", u.Read(), err, remedy(l.name))
	}
	d, ok := v.(*pickle.Dict)
	if !ok {
		return "", nil, faultf(ErrData, "it holds %s, and no dictionary of data and labels", pickle.Describe(v))
	}
	a, ok := d.Get("data").(*numpyArray)
	if !ok {
		return "", nil, faultf(ErrData, "its \"data\" is %s, and no array of NumPy", pickle.Describe(d.Get("data")))
	}
	n, err := a.rows(cifarPixels)
	if err != nil {
		return "", nil, err
	}
	if n < 1 || n > most {
		return "", nil, faultf(ErrData, "%d images; 1 to %d are in the published file", n, most)
	}
	for i, name := range l.pickles.labels {
		if labels, err = labelBytes(d.Get(name), n, l.counts[i]); err != nil {
			return "", nil, faultf(ErrData, "its %q: %w", name, err)
		}
	}
	return a.data, labels, nil
}

// labelBytes are the numbers of a list of n labels below count.
func labelBytes(v any, n, count int) ([]uint8, error) {
	list, ok := v.(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("%s, and no list of labels", pickle.Describe(v))
	}
	if len(list.Items) != n {
		return nil, fmt.Errorf("%d labels of %d images", len(list.Items), n)
	}
	labels := make([]uint8, n)
	for i, item := range list.Items {
		k, ok := item.(int64)
		if !ok || k < 0 || k >= int64(count) {
			return nil, fmt.Errorf("label %s of record %d is not one of 0 to %d", pickle.Describe(item), i, count-1)
		}
		labels[i] = uint8(k)
	}
	return labels, nil
}

// numpyArray is an array of bytes as NumPy pickles it; numpyType the type of an array's elements.
type (
	numpyArray struct {
		shape []any
		data  string
		built bool
	}
	numpyType string
)

// Kind names it in messages.
func (*numpyArray) Kind() string { return "an array" }

// Kind names it in messages.
func (numpyType) Kind() string { return "a type of NumPy" }

// Build passes over byte order, which bytes do not have, and alignment.
func (numpyType) Build(any) error { return nil }

// Build takes (version, shape, type, whether columns come first, bytes).
func (a *numpyArray) Build(state any) error {
	t, ok := state.([]any)
	if !ok || len(t) != 5 || a.built {
		return errors.New("an array whose state is not NumPy's")
	}
	return a.fill(t[1], t[2], t[3] == false, t[4])
}

func (a *numpyArray) fill(shape, element any, rowsFirst bool, data any) error {
	dims, ok1 := shape.([]any)
	text, ok2 := data.(string)
	if !ok1 || !ok2 {
		return errors.New("an array whose state is not NumPy's")
	}
	if t, ok := element.(numpyType); !ok || t != "u1" && t != "|u1" && t != "uint8" {
		return fmt.Errorf("an array of %s, and bytes (uint8) are wanted", elementName(element))
	}
	if !rowsFirst {
		return errors.New("an array in the order of columns, and rows are wanted: save numpy.ascontiguousarray(data)")
	}
	a.shape, a.data, a.built = dims, text, true
	return nil
}

func elementName(v any) string {
	if t, ok := v.(numpyType); ok {
		return string(t[:min(len(t), 32)])
	}
	return pickle.Describe(v)
}

// rows is the number of rows of an array of rows of so many bytes.
func (a *numpyArray) rows(width int) (int, error) {
	if len(a.shape) != 2 || a.shape[1] != int64(width) || a.shape[0] != int64(len(a.data)/width) || len(a.data)%width != 0 {
		return 0, faultf(ErrData, "its \"data\" of %d bytes is not an array of N rows of %d bytes", len(a.data), width)
	}
	return len(a.data) / width, nil
}

// numpyValue makes what a pickle of CIFAR names: arrays, their types, and bytes that Python 3
// writes as text in protocol 2. All else is opaque. left bounds the bytes of such text.
func numpyValue(f pickle.Global, args []any, left *int64) (any, error) {
	module, name, _ := cutLast(string(f), ".")
	switch {
	case name == "_reconstruct" && isNumpy(module):
		return &numpyArray{}, nil
	// Protocol 5: bytes, type, shape, order.
	case name == "_frombuffer" && isNumpy(module) && len(args) == 4:
		a := &numpyArray{}
		return a, a.fill(args[2], args[1], args[3] == "C", args[0])
	case f == "numpy.dtype" && len(args) > 0:
		if t, ok := args[0].(string); ok {
			return numpyType(t), nil
		}
	case f == "_codecs.encode" && len(args) == 2 && args[1] == "latin1":
		text, ok := args[0].(string)
		if *left -= int64(len(text)); !ok || *left < 0 {
			return nil, errors.New("bytes that are not the text of them, or the same again and again")
		}
		return latin1(text)
	}
	return &pickle.Opaque{Class: string(f)}, nil
}

// isNumpy tells the modules that arrays are made by: numpy.core's before version 2, then
// numpy._core's.
func isNumpy(module string) bool {
	return strings.HasPrefix(module, "numpy.core.") || strings.HasPrefix(module, "numpy._core.")
}

// cutLast splits at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// latin1 gives the bytes whose numbers are the characters of a text.
func latin1(text string) (string, error) {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		if r > 0xff {
			return "", errors.New("text that stands for no bytes")
		}
		b.WriteByte(byte(r))
	}
	return b.String(), nil
}
