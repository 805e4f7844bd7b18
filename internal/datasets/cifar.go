package datasets

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"resnet/internal/input"
)

// cifarLayout is the official binary layout (https://www.cs.toronto.edu/~kriz/cifar.html). A record
// is its label bytes, the last of which is the class, and then 3072 bytes of pixels: 1024 red, 1024
// green, 1024 blue, row-major.
type cifarLayout struct {
	name   string
	folder string // inside the archive
	counts []int  // for each label byte, how many values it may take
	names  []string
	train  []recordFile
	test   []recordFile
	// pickles is the form of the archive for Python; pickled says that the files are of it.
	pickles pickledForm
	pickled bool
}

const cifarPixels = 3 * 32 * 32

func (l cifarLayout) recordSize() int { return len(l.counts) + cifarPixels }

func (l cifarLayout) files() []recordFile {
	return append(append([]recordFile{}, l.train...), l.test...)
}

// The digests of the CIFAR-10 contents are those that several projects pin for the files of the
// official archive.
var cifar10 = cifarLayout{
	name: "cifar10", folder: "cifar-10-batches-bin", counts: []int{10}, names: cifar10Classes,
	train: []recordFile{
		{"data_batch_1.bin", 10000, "md5:5dd7e06a14cb22eb9f671a540d1b7c25"},
		{"data_batch_2.bin", 10000, "md5:5ea93a67294ea407fff1d09f752e9692"},
		{"data_batch_3.bin", 10000, "md5:942cd6a4bcdd0dd3c604fbe906cb4421"},
		{"data_batch_4.bin", 10000, "md5:ae636b3ba5c66a11e91e8cb52e771fcb"},
		{"data_batch_5.bin", 10000, "md5:53f37980c15c3d472c316c40844f3f0d"},
	},
	test:    []recordFile{{"test_batch.bin", 10000, "md5:803d5f7f4d78ea53de84dbe85f74fb6d"}},
	pickles: pickled10,
}

// CIFAR-100: the first label byte is one of 20 superclasses, the second one of 100 classes.
var cifar100 = cifarLayout{
	name: "cifar100", folder: "cifar-100-binary", counts: []int{20, 100}, names: cifar100Classes,
	train:   []recordFile{{"train.bin", 50000, "sha256:f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"}},
	test:    []recordFile{{"test.bin", 10000, "sha256:d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"}},
	pickles: pickled100,
}

func (l cifarLayout) open(ctx context.Context, c Config) (source, error) {
	l, dir, err := l.locate(c.Dir)
	if err != nil {
		return nil, err
	}
	// All sizes first: a fault in the last file is known before the first is read.
	for _, f := range l.files() {
		if err := l.checkSize(filepath.Join(dir, f.name), f); err != nil {
			return nil, err
		}
	}
	a := &array{names: l.names, c: 3, h: 32, w: 32}
	if a.train, err = l.read(ctx, dir, l.train); err != nil {
		return nil, err
	}
	if a.test, err = l.read(ctx, dir, l.test); err != nil {
		return nil, err
	}
	return a, a.downsample(l.name, c.Downsample)
}

// locate finds the folder that holds the files, and their form: dir itself or the archive's folder
// inside it, and there the binary form before Python's.
func (l cifarLayout) locate(dir string) (cifarLayout, string, error) {
	dir, err := resolveDir(l.name, dir)
	if err != nil {
		return l, "", err
	}
	for _, form := range []cifarLayout{l, l.python()} {
		for _, d := range []string{dir, filepath.Join(dir, form.folder)} {
			for _, f := range form.files() {
				if st, err := os.Stat(filepath.Join(d, f.name)); err == nil && !(form.pickled && st.IsDir()) {
					return form, d, nil
				}
			}
		}
	}
	return l, "", faultf(ErrMissing, "%s: %s holds neither %s nor %s%s; %s", l.name, dir, l.files()[0].name,
		filepath.Join(l.folder, l.files()[0].name), instead(dir), remedy(l.name))
}

// checkSize fails unless the file holds exactly its records.
func (l cifarLayout) checkSize(path string, f recordFile) error {
	st, err := os.Stat(path)
	if err != nil {
		return openFault(l.name+": "+path, err, remedy(l.name))
	}
	if err := input.Refuse(st.Mode()); err != nil {
		return openFault(l.name+": "+path, err, remedy(l.name))
	}
	if l.pickled { // a pickle says itself how many it holds
		return nil
	}
	rec := int64(l.recordSize())
	want := rec * int64(f.count)
	switch got := st.Size(); {
	case got < want:
		return faultf(ErrData, "%s: %s: %d bytes, want %d (%d records of %d bytes): record %d, from byte offset %d on, is cut off; %s",
			l.name, path, got, want, f.count, rec, got/rec, got/rec*rec, remedy(l.name))
	case got > want:
		return faultf(ErrData, "%s: %s: %d bytes, want %d (%d records of %d bytes): unexpected data at byte offset %d, after record %d",
			l.name, path, got, want, f.count, rec, want, f.count-1)
	}
	return nil
}

// read gathers files whose sizes have been checked.
func (l cifarLayout) read(ctx context.Context, dir string, files []recordFile) (records, error) {
	if l.pickled {
		return l.readPickles(ctx, dir, files)
	}
	n := 0
	for _, f := range files {
		n += f.count
	}
	r := records{pixels: make([]byte, n*cifarPixels), labels: make([]uint8, n), files: files}
	at := 0
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return records{}, err
		}
		path := filepath.Join(dir, f.name)
		file, err := input.Open(path)
		if err != nil {
			return records{}, openFault(l.name+": "+path, err, remedy(l.name))
		}
		err = l.readRecords(bufio.NewReaderSize(file, 1<<18), f.count, r.pixels[at*cifarPixels:], r.labels[at:])
		file.Close()
		if err != nil {
			return records{}, fmt.Errorf("%s: %s: %w", l.name, path, err)
		}
		at += f.count
	}
	return r, nil
}

// readRecords reads exactly n records to the end of the stream. pixels and labels have room for n.
func (l cifarLayout) readRecords(in io.Reader, n int, pixels []byte, labels []uint8) error {
	rec := l.recordSize()
	head := make([]byte, len(l.counts))
	for i := range n {
		if _, err := io.ReadFull(in, head); err != nil {
			return cutOff(i, i*rec, n, err)
		}
		for b, count := range l.counts {
			if int(head[b]) >= count {
				return faultf(ErrData, "record %d at byte offset %d: label %d > %d", i, i*rec+b, head[b], count-1)
			}
		}
		labels[i] = head[len(head)-1]
		if _, err := io.ReadFull(in, pixels[i*cifarPixels:(i+1)*cifarPixels]); err != nil {
			return cutOff(i, i*rec, n, err)
		}
	}
	return atEnd(in, n-1, n*rec)
}

// cutOff reports a stream that ends, or fails, within or before record i.
func cutOff(i, offset, n int, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return faultf(ErrData, "record %d of %d, from byte offset %d on, is cut off", i, n, offset)
	}
	return streamFault(err, "record %d at byte offset %d", i, offset)
}

// atEnd fails if the stream goes on.
func atEnd(in io.Reader, last, offset int) error {
	var one [1]byte
	switch _, err := io.ReadFull(in, one[:]); {
	case err == nil:
		return faultf(ErrData, "unexpected data at byte offset %d, after record %d", offset, last)
	case !errors.Is(err, io.EOF):
		return streamFault(err, "byte offset %d", offset)
	}
	return nil
}
