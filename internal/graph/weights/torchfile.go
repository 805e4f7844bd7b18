package weights

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strings"

	"resnet/internal/pickle"
)

// legacyMagic begins the files of torch.save before PyTorch 1.6: a pickle of the number
// 0x1950a86a20f9469cfc6c.
var legacyMagic = []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.")

// maxPickle is the largest pickle accepted, in bytes. A network of 1202 layers takes 3 MB.
const maxPickle = 32 << 20

// maxZipDirectory is the largest directory of a zip file accepted, in bytes; a file of 12,000
// tensors has 1 MB.
const maxZipDirectory = 16 << 20

// torchPickle is the value of a file of torch.save, with the storages that its tensors name.
type torchPickle struct {
	value any
	read  func(storageRef) ([]byte, error)
}

// readZip reads a file of PyTorch 1.6 or later: NAME/data.pkl, and NAME/data/KEY for each storage.
// Nothing in it is compressed.
func readZip(r io.ReaderAt, size int64) (torchPickle, error) {
	if err := checkZipDirectory(r, size); err != nil {
		return torchPickle{}, err
	}
	z, err := zip.NewReader(r, size)
	// Nothing is unpacked, so paths do not matter.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return torchPickle{}, err
	}
	root := ""
	members := make(map[string]*zip.File, len(z.File))
	for _, m := range z.File {
		if _, ok := members[m.Name]; ok {
			return torchPickle{}, fmt.Errorf("the archive has %q twice", m.Name)
		}
		members[m.Name] = m
		if dir, base := path.Split(m.Name); base == "data.pkl" && strings.Count(dir, "/") <= 1 {
			root = dir
		}
	}
	b, err := zipMember(members[root+"data.pkl"], root+"data.pkl", maxPickle)
	if err != nil {
		return torchPickle{}, err
	}
	if m := members[root+"byteorder"]; m != nil {
		if order, err := zipMember(m, m.Name, 16); err != nil || string(order) != "little" {
			return torchPickle{}, errors.New("its numbers are not little-endian")
		}
	}
	u := &pickle.Reader{In: bufio.NewReader(bytes.NewReader(b)), Limit: int64(len(b)), Call: rebuild, Persistent: persistentStorage}
	v, err := u.Load()
	if err != nil {
		return torchPickle{}, err
	}
	return torchPickle{v, func(s storageRef) ([]byte, error) {
		name := root + "data/" + s.key
		return zipMember(members[name], name, size)
	}}, nil
}

// zipMember reads a member that is stored as it is.
func zipMember(m *zip.File, name string, most int64) ([]byte, error) {
	switch {
	case m == nil:
		return nil, fmt.Errorf("the archive has no %q", name)
	case m.Method != zip.Store:
		return nil, fmt.Errorf("%q is compressed, and torch.save compresses nothing", name)
	case m.UncompressedSize64 > uint64(most) || m.UncompressedSize64 != m.CompressedSize64:
		return nil, fmt.Errorf("%q of %d bytes; at most %d", name, m.UncompressedSize64, most)
	}
	f, err := m.Open()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	defer f.Close()
	b := make([]byte, m.UncompressedSize64) // at most the size of the file
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, io.EOF) { // checks the sum
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return b, nil
}

// checkZipDirectory bounds the directory before archive/zip makes a record of each member. That
// reads on as long as it finds members, whatever the directory's size is said to be: so the
// directory has to lie where it says, right before its end.
func checkZipDirectory(r io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, 1<<16+22))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || i+22 > len(tail) {
		return errors.New("the archive is cut off: it has no directory")
	}
	directory, offset := uint64(binary.LittleEndian.Uint32(tail[i+12:])), uint64(binary.LittleEndian.Uint32(tail[i+16:]))
	end := uint64(size) - uint64(len(tail)-i)
	if i >= 20 && bytes.HasPrefix(tail[i-20:], []byte("PK\x06\x07")) { // zip64
		record := make([]byte, 56)
		end = binary.LittleEndian.Uint64(tail[i-20+8:])
		if end > uint64(size) {
			return errors.New("the archive's directory is beyond its end")
		}
		if n, err := r.ReadAt(record, int64(end)); n < len(record) {
			return fmt.Errorf("the archive's directory: %w", err)
		}
		// All ones stand for the number of 64 bits.
		for at, short := range map[int]*uint64{40: &directory, 48: &offset} {
			long := binary.LittleEndian.Uint64(record[at:])
			if *short != math.MaxUint32 && *short != long {
				return errors.New("the archive's directory contradicts itself")
			}
			*short = long
		}
	}
	if directory > maxZipDirectory {
		return fmt.Errorf("the archive's directory takes %d bytes; at most %d", directory, maxZipDirectory)
	}
	if offset > end || end-offset != directory {
		return errors.New("the archive's directory is not where it says")
	}
	return nil
}

// readLegacy reads a file of PyTorch before 1.6: pickles of a magic number, the version, the
// machine, the object and the keys of its storages; then for each key the number of its elements
// and their bytes.
func readLegacy(r io.ReaderAt, size int64) (torchPickle, error) {
	begin := int64(len(legacyMagic))
	in := bufio.NewReader(io.NewSectionReader(r, begin, size-begin))
	elements := map[string]int{} // bytes of one, by the storage's key
	dtypes := map[string]DType{}
	persistent := func(id any) (any, error) {
		v, err := persistentStorage(id)
		switch s := v.(type) {
		case storageRef:
			if d, seen := dtypes[s.key]; seen && d != s.dtype {
				return nil, fmt.Errorf("storage %q is of two types", s.key)
			}
			dtypes[s.key], elements[s.key] = s.dtype, s.dtype.Size()
		case *pickle.Opaque: // a storage of another type, which is only passed over
			t, _ := id.([]any)
			if width := otherStorages[pickle.Global(s.Class)]; width > 0 && len(t) > 2 && t[0] == "storage" {
				if key, ok := t[2].(string); ok {
					elements[key] = width
				}
			}
		}
		return v, err
	}
	at := begin
	next := func() (any, error) {
		u := &pickle.Reader{In: in, Limit: min(maxPickle, size-at), Call: rebuild, Persistent: persistent}
		v, err := u.Load()
		at += u.Read()
		return v, err
	}
	var parts [4]any // version, machine, object, keys
	for i := range parts {
		var err error
		if parts[i], err = next(); err != nil {
			return torchPickle{}, err
		}
	}
	if parts[0] != int64(1001) {
		return torchPickle{}, fmt.Errorf("version %s of the legacy format; 1001 is known", pickle.Describe(parts[0]))
	}
	if machine, ok := parts[1].(*pickle.Dict); !ok || machine.Get("little_endian") != true {
		return torchPickle{}, errors.New("its numbers are not little-endian")
	}
	keys, ok := parts[3].(*pickle.List)
	if !ok {
		return torchPickle{}, errors.New("it lists no storages")
	}
	type span struct{ at, n int64 }
	spans := map[string]span{}
	for _, k := range keys.Items {
		key, ok := k.(string)
		width, known := elements[key]
		if _, twice := spans[key]; !ok || !known || twice {
			return torchPickle{}, fmt.Errorf("its list of storages has %s, which no tensor names, or twice", pickle.Describe(k))
		}
		var count [8]byte
		if n, err := r.ReadAt(count[:], at); n < len(count) {
			return torchPickle{}, fmt.Errorf("storage %q: %w", key, err)
		}
		n := binary.LittleEndian.Uint64(count[:])
		if n > uint64(size-at-8)/uint64(width) {
			return torchPickle{}, fmt.Errorf("storage %q of %d elements reaches beyond the file: truncated?", key, n)
		}
		spans[key] = span{at + 8, int64(n) * int64(width)}
		at += 8 + int64(n)*int64(width)
	}
	return torchPickle{parts[2], func(s storageRef) ([]byte, error) {
		p, ok := spans[s.key]
		if !ok {
			return nil, errors.New("it is not in the file")
		}
		b := make([]byte, p.n)
		n, err := r.ReadAt(b, p.at)
		if n == len(b) {
			err = nil
		}
		return b, err
	}}, nil
}

// materialize reads the values of tensors of a file of so many bytes. All tensors together may have
// no more elements than the file has bytes, so that many views of one storage cannot take more
// memory than the file.
func materialize(named []namedTensor, size int64, read func(storageRef) ([]byte, error)) ([]Tensor, error) {
	list := make([]Tensor, len(named))
	var total, fetched int64
	var last storageRef
	var values []float32 // of last
	for i, t := range named {
		list[i] = Tensor{Name: t.name, DType: t.storage.dtype, Shape: t.shape}
		if !t.storage.dtype.Float() {
			continue
		}
		if total += int64(t.len()); total > size {
			return nil, errors.New("its tensors have more values than the file has bytes")
		}
		if t.storage == last && values != nil {
			list[i].DType, list[i].Data = F32, t.gather(values)
			continue
		}
		if fetched += t.storage.len; fetched > 16*size {
			return nil, errors.New("its tensors have more values than the file has bytes, many times over")
		}
		b, err := read(t.storage)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: storage %q: %w", t.name, t.storage.key, err)
		}
		if int64(len(b)) != t.storage.len*int64(t.storage.dtype.Size()) {
			return nil, fmt.Errorf("tensor %q: storage %q has %d bytes, and %d elements of %s are announced", t.name, t.storage.key, len(b), t.storage.len, t.storage.dtype)
		}
		last, values = t.storage, make([]float32, t.storage.len)
		decodeFloat32(values, b, t.storage.dtype)
		list[i].DType, list[i].Data = F32, t.gather(values)
	}
	return list, nil
}
