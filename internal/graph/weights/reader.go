package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"resnet/internal/input"
)

// MaxHeader is the largest header accepted, in bytes, and maxTensors and maxDims bound what it may
// hold: a network of ten thousand tensors has a header of 1 MB. (The safetensors library takes
// headers of 100 MB, which would fill the memory before a weight is read.)
const (
	MaxHeader  = 16 << 20
	maxTensors = 100_000
	maxDims    = 64 // as in PyTorch
)

// ErrFormat marks a file that is not valid safetensors.
var ErrFormat = errors.New("not a valid safetensors file")

// File is an open safetensors file. Its header has been checked in full, its data is read when
// asked for. Several goroutines may read from one File.
type File struct {
	// Meta is the string metadata; nil when the file has none.
	Meta map[string]string

	name    string
	r       io.ReaderAt
	closer  io.Closer
	data    int64 // where tensor data begin
	entries []Entry
	byName  map[string]int
}

// Open opens the named file. It fails with ErrFormat when the file is not valid safetensors.
func Open(path string) (*File, error) {
	f, err := input.Open(path)
	if err != nil {
		return nil, err // names the file
	}
	info, err := f.Stat()
	var w *File
	if err == nil {
		w, err = New(f, info.Size(), path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	w.closer = f
	return w, nil
}

// New reads the header of size bytes of safetensors in r; name stands in errors.
func New(r io.ReaderAt, size int64, name string) (*File, error) {
	bad := func(err error) (*File, error) {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrFormat, err)
	}
	var prefix [8]byte
	if size < int64(len(prefix)) {
		return bad(fmt.Errorf("%d bytes, want at least 8", size))
	}
	if err := readFull(r, prefix[:], 0, name); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(prefix[:], []byte("PK\x03\x04")) || bytes.HasPrefix(legacyMagic, prefix[:]) {
		return bad(ErrTorchFile)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > MaxHeader || int64(n) > size-8 {
		if bytes.HasPrefix(prefix[:], hdf5Magic) {
			return bad(ErrOtherProgram)
		}
		if _, isCaffe, err := caffeSpans(r, size); isCaffe && err == nil {
			return bad(ErrOtherProgram)
		}
		if what := recognise(r, size); what != nil {
			return bad(what)
		}
	}
	if n > MaxHeader {
		return bad(fmt.Errorf("header of %d bytes, at most %d are allowed: it begins as no file of weights that is known", n, MaxHeader))
	}
	if int64(n) > size-8 {
		return bad(fmt.Errorf("header of %d bytes in a file of %d: truncated?", n, size))
	}
	header := make([]byte, n)
	if err := readFull(r, header, 8, name); err != nil {
		return nil, err
	}
	entries, meta, err := parseHeader(header)
	if err == nil {
		err = checkLayout(entries, size-8-int64(n))
	}
	if err != nil {
		return bad(err)
	}
	f := &File{Meta: meta, name: name, r: r, data: 8 + int64(n), entries: entries, byName: make(map[string]int, len(entries))}
	for i, e := range entries {
		f.byName[e.Name] = i
	}
	return f, nil
}

// readFull fills b from offset off; the end of a file whose size was known means that it shrank
// meanwhile.
func readFull(r io.ReaderAt, b []byte, off int64, name string) error {
	n, err := r.ReadAt(b, off)
	switch {
	case n == len(b): // io.EOF may come with the last byte
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: %w: %w", name, ErrFormat, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s: read: %w", name, err)
}

// Close closes a file opened by Open.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Name is the path or name given when opening.
func (f *File) Name() string { return f.name }

// Entries are the tensors in the order of the header. The slice must not be modified.
func (f *File) Entries() []Entry { return f.entries }

// Entry describes the named tensor.
func (f *File) Entry(name string) (Entry, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Entry{}, false
	}
	return f.entries[i], true
}

// Float32 returns the values of a tensor of any type as float32, row-major.
func (f *File) Float32(name string) ([]float32, error) {
	e, ok := f.Entry(name)
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", f.name, name)
	}
	dst := make([]float32, e.Len())
	return dst, f.Float32Into(name, dst)
}

// Float32Into reads a tensor of any type into dst, which must have its length.
func (f *File) Float32Into(name string, dst []float32) error {
	e, ok := f.Entry(name)
	if !ok {
		return fmt.Errorf("%s: no tensor %q", f.name, name)
	}
	if e.Len() != len(dst) {
		return fmt.Errorf("%s: tensor %q: %d values, want %d", f.name, name, e.Len(), len(dst))
	}
	return f.chunks(e, func(at int, b []byte) {
		decodeFloat32(dst[at:at+len(b)/e.DType.Size()], b, e.DType)
	})
}

// Int64 returns the values of an I64, I32 or U8 tensor, row-major.
func (f *File) Int64(name string) ([]int64, error) {
	e, ok := f.Entry(name)
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", f.name, name)
	}
	if e.DType.Float() {
		return nil, fmt.Errorf("%s: tensor %q: %s, want integers", f.name, name, e.DType)
	}
	dst := make([]int64, 0, e.Len())
	err := f.chunks(e, func(_ int, b []byte) {
		for ; len(b) > 0; b = b[e.DType.Size():] {
			switch e.DType {
			case I64:
				dst = append(dst, int64(binary.LittleEndian.Uint64(b)))
			case I32:
				dst = append(dst, int64(int32(binary.LittleEndian.Uint32(b))))
			default:
				dst = append(dst, int64(b[0]))
			}
		}
	})
	return dst, err
}

// chunks reads the tensor's bytes in whole elements; at is the index of the first element of b.
func (f *File) chunks(e Entry, use func(at int, b []byte)) error {
	buf := make([]byte, min(1<<16, e.end-e.begin))
	for off := e.begin; off < e.end; {
		b := buf[:min(int64(len(buf)), e.end-off)]
		if err := readFull(f.r, b, f.data+off, f.name); err != nil {
			return err
		}
		use(int(off-e.begin)/e.DType.Size(), b)
		off += int64(len(b))
	}
	return nil
}
