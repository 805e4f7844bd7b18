package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// ErrHDF5 marks an HDF5 file that cannot be read.
var ErrHDF5 = errors.New("not an HDF5 file that can be read")

// hdf5Magic begins an HDF5 file.
var hdf5Magic = []byte("\x89HDF\r\n\x1a\n")

// Limits of an HDF5 file, far above any network's.
const (
	maxHDF5Objects = 1 << 16 // headers, nodes of trees and tables in all
	maxHDF5Depth   = 16      // groups in groups, and levels of a tree
	maxHDF5Header  = 1 << 20 // bytes of a header's block or of a heap
	maxHDF5Growth  = 64      // times the file's size that its values may take
)

// hdf5Reader reads the first version of the format, which h5py writes unless it is told otherwise:
// groups as symbol tables, data sets contiguous or in chunks, packed by gzip or not.
type hdf5Reader struct {
	r       io.ReaderAt
	size    int64
	base    int64
	objects int
	values  int64 // bytes of values so far
	list    []Tensor
}

// readHDF5 reads all data sets of numbers, named by their paths: "conv1/W". Floating-point types
// become float32, whole numbers of up to 8 bytes too.
func readHDF5(r io.ReaderAt, size int64) ([]Tensor, error) {
	h := &hdf5Reader{r: r, size: size}
	b, err := h.bytes(0, min(size, 96))
	if err != nil {
		return nil, err
	}
	if len(b) < 96 || b[8] > 1 {
		return nil, errors.New("its format is that of a later version of HDF5: write it without libver, or with libver='earliest'")
	}
	if b[13] != 8 || b[14] != 8 {
		return nil, fmt.Errorf("offsets of %d and lengths of %d bytes; 8 is known", b[13], b[14])
	}
	at := 24
	if b[8] == 1 {
		at = 28
	}
	le := binary.LittleEndian
	h.base = int64(le.Uint64(b[at:]))
	// The base, the free space, the end and the driver; then the root's name and header.
	root := le.Uint64(b[at+40:])
	if h.base != 0 {
		return nil, errors.New("it begins within another file")
	}
	if err := h.object(root, "", 0); err != nil {
		return nil, err
	}
	return h.list, nil
}

// bytes reads n bytes, which have to be in the file.
func (h *hdf5Reader) bytes(at uint64, n int64) ([]byte, error) {
	if n < 0 || at > uint64(h.size) || n > h.size-int64(at) {
		return nil, errors.New("it points beyond its end: truncated?")
	}
	b := make([]byte, n)
	if k, err := h.r.ReadAt(b, int64(at)); k < len(b) {
		return nil, err
	}
	return b, nil
}

// visit counts what is read, so that no circle of pointers goes on for ever.
func (h *hdf5Reader) visit(depth int) error {
	if h.objects++; h.objects > maxHDF5Objects || depth > maxHDF5Depth {
		return errors.New("too many groups or levels")
	}
	return nil
}

// hdf5Message is a message of an object's header.
type hdf5Message struct {
	kind uint16
	data []byte
}

// The messages that say what an object is.
const (
	hdf5Space, hdf5Type, hdf5Layout, hdf5Filters, hdf5Continued, hdf5Table = 1, 3, 8, 11, 16, 17
)

// header reads the messages of an object.
func (h *hdf5Reader) header(at uint64) ([]hdf5Message, error) {
	le := binary.LittleEndian
	b, err := h.bytes(at, 16)
	if err != nil {
		return nil, err
	}
	if b[0] != 1 {
		return nil, errors.New("an object of a later version of HDF5: write it without libver, or with libver='earliest'")
	}
	count := int(le.Uint16(b[2:]))
	type block struct{ at, n uint64 }
	blocks := []block{{at + 16, uint64(le.Uint32(b[8:]))}}
	var list []hdf5Message
	for i := 0; i < len(blocks); i++ {
		if err := h.visit(0); err != nil {
			return nil, err
		}
		if blocks[i].n > maxHDF5Header {
			return nil, errors.New("a header of unlikely length")
		}
		b, err := h.bytes(blocks[i].at, int64(blocks[i].n))
		if err != nil {
			return nil, err
		}
		for len(b) >= 8 && len(list) < count {
			m := hdf5Message{kind: le.Uint16(b)}
			n := int(le.Uint16(b[2:]))
			if n > len(b)-8 {
				return nil, errors.New("a message that is longer than its header")
			}
			m.data = b[8 : 8+n]
			if m.kind == hdf5Continued && n >= 16 {
				blocks = append(blocks, block{le.Uint64(m.data), le.Uint64(m.data[8:])})
			}
			list = append(list, m)
			b = b[8+n:]
		}
	}
	return list, nil
}

// object reads a group with what is in it, or a data set.
func (h *hdf5Reader) object(at uint64, path string, depth int) error {
	if err := h.visit(depth); err != nil {
		return err
	}
	messages, err := h.header(at)
	if err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	set := map[uint16][]byte{}
	for _, m := range messages {
		set[m.kind] = m.data
	}
	if table := set[hdf5Table]; len(table) >= 16 {
		le := binary.LittleEndian
		heap, err := h.heap(le.Uint64(table[8:]))
		if err == nil {
			err = h.group(le.Uint64(table), heap, path, depth)
		}
		return err
	}
	if set[hdf5Layout] == nil {
		return nil
	}
	t, err := h.dataset(set)
	if err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	t.Name = path
	h.list = append(h.list, t)
	return nil
}

// heap reads the names of a group.
func (h *hdf5Reader) heap(at uint64) ([]byte, error) {
	b, err := h.bytes(at, 32)
	if err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(b[8:])
	if !bytes.HasPrefix(b, []byte("HEAP")) || n > maxHDF5Header {
		return nil, errors.New("a group without names")
	}
	return h.bytes(binary.LittleEndian.Uint64(b[24:]), int64(n))
}

// node reads a node of a tree of a kind: its level, and its keys and children, each of so many
// bytes.
func (h *hdf5Reader) node(at uint64, kind byte, each int64) (level int, entries []byte, err error) {
	b, err := h.bytes(at, 24)
	if err != nil {
		return 0, nil, err
	}
	if !bytes.HasPrefix(b, []byte("TREE")) || b[4] != kind {
		return 0, nil, errors.New("a tree without its mark")
	}
	entries, err = h.bytes(at+24, each*int64(binary.LittleEndian.Uint16(b[6:])))
	return int(b[5]), entries, err
}

// group reads what a tree of symbol tables lists.
func (h *hdf5Reader) group(at uint64, heap []byte, path string, depth int) error {
	if err := h.visit(depth); err != nil {
		return err
	}
	le := binary.LittleEndian
	level, entries, err := h.node(at, 0, 16)
	if err != nil {
		return err
	}
	for ; len(entries) > 0; entries = entries[16:] {
		child := le.Uint64(entries[8:])
		if level > 0 {
			err = h.group(child, heap, path, depth+1)
		} else {
			err = h.symbols(child, heap, path, depth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// symbols reads the objects of a table.
func (h *hdf5Reader) symbols(at uint64, heap []byte, path string, depth int) error {
	if err := h.visit(depth); err != nil {
		return err
	}
	le := binary.LittleEndian
	b, err := h.bytes(at, 8)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, []byte("SNOD")) {
		return errors.New("a group without its table")
	}
	entries, err := h.bytes(at+8, 40*int64(le.Uint16(b[6:])))
	if err != nil {
		return err
	}
	for ; len(entries) > 0; entries = entries[40:] {
		offset := le.Uint64(entries)
		if offset >= uint64(len(heap)) {
			return errors.New("an object without a name")
		}
		name, _, _ := strings.Cut(string(heap[offset:min(uint64(len(heap)), offset+256)]), "\x00")
		if path != "" {
			name = path + "/" + name
		}
		if le.Uint32(entries[16:]) == 2 {
			return fmt.Errorf("%q is a link to another object", name)
		}
		if err := h.object(le.Uint64(entries[8:]), name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// hdf5Shape reads the dimensions of a data set; none is a scalar.
func hdf5Shape(b []byte) ([]int, error) {
	if len(b) < 4 || b[0] < 1 || b[0] > 2 {
		return nil, errors.New("dimensions of an unknown form")
	}
	rank, at := int(b[1]), 8
	if b[0] == 2 {
		at = 4
	}
	if rank > 8 || len(b) < at+8*rank {
		return nil, errors.New("dimensions of an unknown form")
	}
	shape := make([]int, rank)
	for i := range shape {
		d := binary.LittleEndian.Uint64(b[at+8*i:])
		if d > math.MaxInt32 {
			return nil, errors.New("a dimension that is too large")
		}
		shape[i] = int(d)
	}
	return shape, nil
}

// hdf5Number reads the type of a data set's values.
func hdf5Number(b []byte) (DType, error) {
	if len(b) < 8 {
		return 0, errors.New("values without a type")
	}
	class, big, size := b[0]&15, b[1]&1 != 0, binary.LittleEndian.Uint32(b[4:])
	switch {
	case big && size > 1:
		return 0, errors.New("its numbers are not little-endian")
	case class == 1 && size == 4:
		return F32, nil
	case class == 1 && size == 8:
		return F64, nil
	case class == 1 && size == 2:
		return F16, nil
	case class == 0 && size == 8:
		return I64, nil
	case class == 0 && size == 4:
		return I32, nil
	case class == 0 && size == 1:
		return U8, nil
	}
	return 0, fmt.Errorf("values of class %d and %d bytes: numbers are known", class, size)
}
