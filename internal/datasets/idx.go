package datasets

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"resnet/internal/input"
)

// idxLayout is a data set in MNIST's format: four IDX files (https://yann.lecun.com/exdb/mnist),
// plain or gzip. An IDX file is 0, 0, 8 (unsigned bytes), the number of dimensions, each dimension
// as a big-endian uint32, and the values.
type idxLayout struct {
	name    string
	folders []string // below the data folder, where others keep the files
	system  string   // a folder that is tried when none is configured
	names   []string
	size    int // pixels, square
	files   [4]idxFile
}

// idxFile is one of the four; count is its first dimension.
type idxFile struct {
	recordFile
	images bool
}

// The order of idxLayout.files.
const (
	idxTrainImages = iota
	idxTrainLabels
	idxTestImages
	idxTestLabels
)

// fashionMNIST (Xiao, Rasul and Vollgraf 2017). Debian's package dataset-fashion-mnist puts it in
// the system folder.
var fashionMNIST = idxLayout{
	name: "fashion-mnist", folders: []string{"FashionMNIST/raw", "raw"}, system: "/usr/share/datasets/fashion-mnist",
	names: fashionClasses, size: 28,
	files: [4]idxFile{
		{recordFile{"train-images-idx3-ubyte", 60000, "sha256:c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"}, true},
		{recordFile{"train-labels-idx1-ubyte", 60000, "sha256:bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"}, false},
		{recordFile{"t10k-images-idx3-ubyte", 10000, "sha256:5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"}, true},
		{recordFile{"t10k-labels-idx1-ubyte", 10000, "sha256:0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}, false},
	},
}

// mnist (LeCun, Cortes and Burges 1998).
var mnist = idxLayout{
	name: "mnist", folders: []string{"MNIST/raw", "raw"}, names: digitClasses, size: 28,
	files: [4]idxFile{
		{recordFile{"train-images-idx3-ubyte", 60000, "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"}, true},
		{recordFile{"train-labels-idx1-ubyte", 60000, "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"}, false},
		{recordFile{"t10k-images-idx3-ubyte", 10000, "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"}, true},
		{recordFile{"t10k-labels-idx1-ubyte", 10000, "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}, false},
	},
}

func (l idxLayout) dims(f idxFile) []int {
	if f.images {
		return []int{f.count, l.size, l.size}
	}
	return []int{f.count}
}

func (l idxLayout) open(ctx context.Context, c Config) (source, error) {
	var paths [4]string
	for i, f := range l.files {
		path, err := l.locate(c.Dir, f)
		if err != nil {
			return nil, err
		}
		paths[i] = path
	}
	var values [4][]byte
	for _, i := range []int{idxTrainLabels, idxTestLabels, idxTrainImages, idxTestImages} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := l.read(paths[i], l.files[i])
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	a := &array{
		names: l.names, c: 1, h: l.size, w: l.size,
		train: records{values[idxTrainImages], values[idxTrainLabels], []recordFile{l.files[idxTrainImages].recordFile}},
		test:  records{values[idxTestImages], values[idxTestLabels], []recordFile{l.files[idxTestImages].recordFile}},
	}
	return a, a.downsample(l.name, c.Downsample)
}

// locate finds a file under its official name, plain or gzip, in dir or a known folder below it.
// Some copies write a point in place of the dash before "idx".
func (l idxLayout) locate(dir string, f idxFile) (string, error) {
	given := dir
	dir, err := resolveDir(l.name, dir)
	if err != nil {
		return "", err
	}
	roots := []string{dir}
	for _, sub := range l.folders {
		roots = append(roots, filepath.Join(dir, filepath.FromSlash(sub)))
	}
	if given == "" && l.system != "" {
		roots = append(roots, l.system)
	}
	dotted := strings.Replace(f.name, "-idx", ".idx", 1)
	for _, root := range roots {
		for _, name := range []string{f.name, f.name + ".gz", dotted, dotted + ".gz"} {
			path := filepath.Join(root, name)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
		}
	}
	// Archives are those of the files that are there.
	other := instead(dir, ".gz", ".tgz", ".7z", ".rar")
	return "", faultf(ErrMissing, "%s: %s holds no %s, plain or .gz%s; %s", l.name, dir, f.name, other, remedy(l.name))
}

// read returns the values of an IDX file after checking its header, its length and, of labels, the
// range.
func (l idxLayout) read(path string, f idxFile) ([]byte, error) {
	file, err := input.Open(path)
	if err != nil {
		return nil, openFault(l.name+": "+path, err, remedy(l.name))
	}
	defer file.Close()
	values, err := readIDX(file, l.dims(f))
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", l.name, path, err)
	}
	if !f.images {
		for i, v := range values {
			if int(v) >= len(l.names) {
				return nil, faultf(ErrData, "%s: %s: record %d at byte offset %d: label %d > %d", l.name, path, i, 8+i, v, len(l.names)-1)
			}
		}
	}
	return values, nil
}

// maybeGzip decompresses a stream that starts as gzip does, whatever its name: some downloaders
// decompress and keep ".gz".
func maybeGzip(in io.Reader) (io.Reader, error) {
	buf := bufio.NewReaderSize(in, 1<<16)
	if magic, _ := buf.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buf, nil
	}
	z, err := gzip.NewReader(buf)
	if err != nil {
		return nil, streamFault(err, "gzip header")
	}
	return z, nil
}

// readIDX reads an IDX stream of unsigned bytes, plain or gzip, whose dimensions must be dims. It
// allocates the size of dims, never what the header claims, and reads no further than one byte
// beyond it: a compressed bomb stays compressed. Offsets in its errors count decompressed bytes.
func readIDX(in io.Reader, dims []int) ([]byte, error) {
	in, err := maybeGzip(in)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 4+4*len(dims))
	if _, err := io.ReadFull(in, head[:4]); err != nil {
		return nil, streamFault(err, "byte offset 0: the IDX header is cut off")
	}
	if want := [4]byte{0, 0, 8, byte(len(dims))}; [4]byte(head) != want {
		return nil, faultf(ErrData, "byte offset 0: % x is not the start of an IDX file of bytes in %d dimensions (% x)", head[:4], len(dims), want)
	}
	if _, err := io.ReadFull(in, head[4:]); err != nil {
		return nil, streamFault(err, "byte offset 4: the IDX header is cut off")
	}
	total := 1
	for i, want := range dims {
		if got := binary.BigEndian.Uint32(head[4+4*i:]); got != uint32(want) {
			return nil, faultf(ErrData, "byte offset %d: dimension %d is %d, want %d", 4+4*i, i, got, want)
		}
		total *= want
	}
	values := make([]byte, total)
	if n, err := io.ReadFull(in, values); err != nil {
		rec := total / dims[0]
		return nil, cutOff(n/rec, len(head)+n/rec*rec, dims[0], err)
	}
	return values, atEnd(in, dims[0]-1, len(head)+total)
}

// streamFault reports an error from reading: bad data where the stream itself is malformed, else as
// it is.
func streamFault(err error, place string, args ...any) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrHeader) ||
		errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return faultf(ErrData, place+": %w", append(args, err)...)
	}
	return fmt.Errorf(place+": %w", append(args, err)...)
}
