package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"resnet/internal/input"

	"resnet/internal/pickle"
)

// ForeignFile is an open file of another program. Its tensors are read when they are asked for.
type ForeignFile struct {
	// Sets are the sets of named tensors of a file of PyTorch, in the order of the file. A file of
	// Caffe or Chainer has none: see Whole.
	Sets []Set

	whole   *Foreign
	closers []io.Closer
}

// Set is a set of tensors by name: a state dict.
type Set struct {
	// Key is where it stands in the file, with points between keys: "" is the file itself,
	// "state_dict" is usual.
	Key     string
	Tensors []Tensor // without values
	// Opaque are the classes of what is no tensor, by its name in the set.
	Opaque map[string]string

	load func(keep func(name string) bool) ([]Tensor, error)
}

// Load reads the tensors that keep wants; nil means all. Floating-point types become float32; a
// tensor of another type has a name and a shape but no values.
func (s Set) Load(keep func(name string) bool) ([]Tensor, error) {
	if keep == nil {
		keep = func(string) bool { return true }
	}
	return s.load(keep)
}

// Whole is the network of a file that describes one; ok is false for sets of tensors by name.
func (f *ForeignFile) Whole() (net Foreign, ok bool) {
	if f.whole == nil {
		return Foreign{}, false
	}
	return *f.whole, true
}

// Close closes the file.
func (f *ForeignFile) Close() error {
	var errs []error
	for _, c := range f.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// OpenForeign opens a file of another program, known by its first bytes and its structure: of
// PyTorch (safetensors, torch.save, an index of shards), Caffe (.caffemodel) or Chainer (HDF5). No
// code of a pickle is run, and objects in it that are no tensors are passed over. It fails with
// ErrFormat, ErrTorch, ErrCaffe or ErrHDF5, and says what a file is that none of these reads.
func OpenForeign(path string) (*ForeignFile, error) {
	f, err := input.Open(path)
	if errors.Is(err, input.ErrNotRegular) {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var w *ForeignFile
	var shards map[string]string
	isIndex := false
	if err == nil && strings.HasSuffix(path, ".json") {
		shards, isIndex, err = shardIndex(f, info.Size())
	}
	switch {
	case err != nil && isIndex:
		err = fmt.Errorf("%s: %w: %w", path, ErrFormat, err)
	case isIndex:
		w, err = openShards(shards, path)
	case err == nil:
		w, err = openForeign(f, info.Size(), path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	w.closers = append(w.closers, f)
	return w, nil
}

// openForeign is OpenForeign of size bytes in r.
func openForeign(r io.ReaderAt, size int64, name string) (*ForeignFile, error) {
	head := make([]byte, 9)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	if n == cap(head) && bytes.HasPrefix(head, hdf5Magic) {
		list, err := readHDF5(r, size)
		var f Foreign
		if err == nil {
			f, err = wrbnNetwork(list)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w; of HDF5 only Chainer's best.nnet is read: %s", name, ErrHDF5, err, kerasRemedy)
		}
		return &ForeignFile{whole: &f}, nil
	}
	// A safetensors header may begin with any byte: its JSON stands behind its length.
	if n < cap(head) || head[8] != '{' {
		if what := recognise(r, size); what != nil {
			return nil, fmt.Errorf("%s: %w: %w", name, what.kind(), what)
		}
		spans, isCaffe, err := caffeSpans(r, size)
		if isCaffe {
			var f Foreign
			if err == nil {
				f, err = caffeNetwork(r, spans)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w (is it whole? download it again if not): %w", name, ErrCaffe, err)
			}
			return &ForeignFile{whole: &f}, nil
		}
	}
	return openTensors(r, size, name)
}

// openTensors opens sets of tensors: safetensors, or what torch.save wrote, as a zip or in the
// legacy format.
func openTensors(r io.ReaderAt, size int64, name string) (*ForeignFile, error) {
	head := make([]byte, max(len(legacyMagic), 9))
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	var p torchPickle
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06")):
		p, err = readZip(r, size)
	case bytes.HasPrefix(head, legacyMagic):
		p, err = readLegacy(r, size)
	// The length of a safetensors header may begin with the same byte: its JSON stands behind it.
	case len(head) > 0 && head[0] == pickle.Proto && (len(head) < 9 || head[8] != '{'):
		err = errors.New("a pickle that torch.save did not write")
	default:
		file, err := New(r, size, name)
		if err != nil {
			return nil, err
		}
		return &ForeignFile{Sets: []Set{file.set()}}, nil
	}
	var f *ForeignFile
	if err == nil {
		f, err = p.file(size, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrTorch, err)
	}
	return f, nil
}

// file are the sets of a pickle of torch.save in a file of so many bytes.
func (p torchPickle) file(size int64, name string) (*ForeignFile, error) {
	f := &ForeignFile{}
	for _, t := range torchSets(p.value) {
		set := Set{Key: t.key, Opaque: t.opaque}
		for _, x := range t.tensors {
			set.Tensors = append(set.Tensors, Tensor{Name: x.name, DType: x.storage.dtype, Shape: x.shape})
		}
		set.load = func(keep func(string) bool) ([]Tensor, error) {
			var kept []namedTensor
			for _, x := range t.tensors {
				if keep(x.name) {
					kept = append(kept, x)
				}
			}
			list, err := materialize(kept, size, p.read)
			if err != nil {
				return nil, fmt.Errorf("%s: %w: %w", name, ErrTorch, err)
			}
			return list, nil
		}
		f.Sets = append(f.Sets, set)
	}
	if len(f.Sets) == 0 {
		return nil, noTensors(p.value)
	}
	return f, nil
}

// noTensors says what a pickle holds instead.
func noTensors(v any) error {
	switch v := v.(type) {
	case *pickle.Dict:
		names := []string{}
		for _, key := range v.Keys[:min(len(v.Keys), 10)] {
			if o, ok := v.Values[key].(*pickle.Opaque); ok && otherTensorOf(o.Class) != nil {
				return fmt.Errorf("%s: %w", pickle.Describe(key), &ClassError{o.Class})
			}
			names = append(names, pickle.Describe(key))
		}
		return fmt.Errorf("it holds no tensors by name, but %s", strings.Join(names, ", "))
	case *pickle.Opaque:
		return &ClassError{v.Class}
	case pickle.Global:
		return &ClassError{string(v)}
	}
	return errors.New("it holds no dictionary of tensors")
}

// set are the tensors of a file of safetensors.
func (f *File) set() Set {
	s := Set{Tensors: make([]Tensor, len(f.entries))}
	for i, e := range f.entries {
		s.Tensors[i] = Tensor{Name: e.Name, DType: e.DType, Shape: e.Shape}
	}
	s.load = func(keep func(string) bool) ([]Tensor, error) {
		var list []Tensor
		for _, t := range s.Tensors {
			if !keep(t.Name) {
				continue
			}
			if t.DType.Float() {
				var err error
				if t.Data, err = f.Float32(t.Name); err != nil {
					return nil, err
				}
				t.DType = F32
			}
			list = append(list, t)
		}
		return list, nil
	}
	return s
}
