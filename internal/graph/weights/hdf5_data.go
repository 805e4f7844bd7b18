package weights

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The filters of chunks that h5py offers: gzip, the transposition of bytes before it, a checksum.
const hdf5Deflate, hdf5Shuffle, hdf5Fletcher = 1, 2, 3

// dataset reads the values of a data set by the messages of its header.
func (h *hdf5Reader) dataset(set map[uint16][]byte) (Tensor, error) {
	t := Tensor{DType: F32}
	var err error
	if t.Shape, err = hdf5Shape(set[hdf5Space]); err != nil {
		return t, err
	}
	d, err := hdf5Number(set[hdf5Type])
	if err != nil {
		return t, err
	}
	n := int64(d.Size())
	for _, x := range t.Shape {
		if n *= int64(x); n > maxHDF5Growth*h.size {
			return t, fmt.Errorf("a shape of %v in a file of %d bytes", t.Shape, h.size)
		}
	}
	if h.values += n; h.values > maxHDF5Growth*h.size {
		return t, errors.New("its values are many times more than the file has bytes")
	}
	raw, err := h.raw(set, t.Shape, d, n)
	if err != nil {
		return t, err
	}
	t.Data = make([]float32, n/int64(d.Size()))
	decodeFloat32(t.Data, raw, d)
	return t, nil
}

// raw are the n bytes of a data set: in its header, in one piece, or in chunks.
func (h *hdf5Reader) raw(set map[uint16][]byte, shape []int, d DType, n int64) ([]byte, error) {
	b, le := set[hdf5Layout], binary.LittleEndian
	if len(b) < 4 || b[0] != 3 {
		return nil, errors.New("values laid out in a way of another version of HDF5")
	}
	switch b[1] {
	case 0:
		if size := int64(le.Uint16(b[2:])); size != n || int64(len(b)) < 4+n {
			return nil, fmt.Errorf("%d bytes, and the shape %v needs %d", size, shape, n)
		}
		return b[4 : 4+n], nil
	case 1:
		if len(b) < 18 || le.Uint64(b[10:]) != uint64(n) {
			return nil, fmt.Errorf("its bytes are not the %d that the shape %v needs", n, shape)
		}
		return h.bytes(le.Uint64(b[2:]), n)
	case 2:
		c := chunks{shape: shape, size: d.Size(), out: make([]byte, n), seen: map[[8]int]bool{}}
		rank := len(shape)
		if int(b[2]) != rank+1 || rank == 0 || len(b) < 11+4*rank+4 {
			return nil, errors.New("chunks of another rank")
		}
		c.bytes = int64(c.size)
		for i := range rank {
			k := int64(le.Uint32(b[11+4*i:]))
			if c.bytes *= k; k == 0 || k > int64(shape[i]) {
				return nil, errors.New("chunks of an unlikely size")
			}
			c.each = append(c.each, int(k))
		}
		var err error
		if c.filters, err = hdf5Pipeline(set[hdf5Filters]); err != nil {
			return nil, err
		}
		if err := h.chunks(le.Uint64(b[3:]), &c, 0); err != nil {
			return nil, err
		}
		if c.copied != n {
			return nil, fmt.Errorf("chunks for %d of %d bytes", c.copied, n)
		}
		return c.out, nil
	}
	return nil, errors.New("values laid out in a way that is not known")
}

// hdf5Pipeline lists the filters of a data set in the order of writing.
func hdf5Pipeline(b []byte) ([]uint16, error) {
	if len(b) == 0 {
		return nil, nil
	}
	fail := errors.New("filters of an unknown form")
	if len(b) < 8 || b[0] != 1 || b[1] > 8 {
		return nil, fail
	}
	le := binary.LittleEndian
	var list []uint16
	count := int(b[1])
	b = b[8:]
	for range count {
		if len(b) < 8 {
			return nil, fail
		}
		id, name, n := le.Uint16(b), int(le.Uint16(b[2:])), int(le.Uint16(b[6:]))
		if id < hdf5Deflate || id > hdf5Fletcher {
			return nil, fmt.Errorf("filter %d: gzip, shuffle and fletcher32 are known", id)
		}
		length := 8 + (name+7)/8*8 + 4*(n+n%2)
		if len(b) < length {
			return nil, fail
		}
		list = append(list, id)
		b = b[length:]
	}
	return list, nil
}

// chunks gathers the chunks of a data set.
type chunks struct {
	shape, each []int
	size        int // bytes of a value
	bytes       int64
	filters     []uint16
	out         []byte
	copied      int64
	seen        map[[8]int]bool // by where they begin
}

// chunks reads the chunks that a tree lists.
func (h *hdf5Reader) chunks(at uint64, c *chunks, depth int) error {
	if err := h.visit(depth); err != nil {
		return err
	}
	le := binary.LittleEndian
	rank := len(c.shape)
	key := 8 + 8*(rank+1)
	level, entries, err := h.node(at, 1, int64(key+8))
	if err != nil {
		return err
	}
	for ; len(entries) > 0; entries = entries[key+8:] {
		child := le.Uint64(entries[key:])
		if level > 0 {
			if err := h.chunks(child, c, depth+1); err != nil {
				return err
			}
			continue
		}
		if err := h.visit(depth); err != nil {
			return err
		}
		origin := make([]int, rank)
		for i := range origin {
			o := le.Uint64(entries[8+8*i:])
			if o >= uint64(c.shape[i]) || o%uint64(c.each[i]) != 0 {
				return errors.New("a chunk outside of its data set")
			}
			origin[i] = int(o)
		}
		var place [8]int
		copy(place[:], origin)
		if c.seen[place] {
			return errors.New("a chunk twice")
		}
		c.seen[place] = true
		b, err := h.bytes(child, int64(le.Uint32(entries)))
		if err != nil {
			return err
		}
		if b, err = c.unpack(b, le.Uint32(entries[4:])); err != nil {
			return err
		}
		c.place(b, origin)
	}
	return nil
}

// unpack undoes the filters of a chunk but those that mask says were left out.
func (c *chunks) unpack(b []byte, mask uint32) ([]byte, error) {
	for i := len(c.filters) - 1; i >= 0; i-- {
		if mask>>i&1 != 0 {
			continue
		}
		switch c.filters[i] {
		case hdf5Fletcher:
			if len(b) < 4 {
				return nil, errors.New("a chunk that is shorter than its checksum")
			}
			b = b[:len(b)-4]
		case hdf5Deflate:
			z, err := zlib.NewReader(bytes.NewReader(b))
			if err != nil {
				return nil, err
			}
			b, err = io.ReadAll(io.LimitReader(z, c.bytes+1))
			if err != nil {
				return nil, err
			}
		case hdf5Shuffle:
			n := len(b) / c.size
			out := make([]byte, len(b))
			copy(out[n*c.size:], b[n*c.size:])
			for k := range c.size {
				for j := range n {
					out[j*c.size+k] = b[k*n+j]
				}
			}
			b = out
		}
	}
	if int64(len(b)) != c.bytes {
		return nil, fmt.Errorf("a chunk of %d bytes, want %d", len(b), c.bytes)
	}
	return b, nil
}

// place copies the part of a chunk that lies within the data set, row by row.
func (c *chunks) place(b []byte, origin []int) {
	rank := len(c.shape)
	part := make([]int, rank) // of each axis
	for i := range part {
		part[i] = min(c.each[i], c.shape[i]-origin[i])
	}
	index := make([]int, rank)
	row := part[rank-1] * c.size
	for {
		from, to := 0, 0
		for i := range rank {
			from = from*c.each[i] + index[i]
			to = to*c.shape[i] + origin[i] + index[i]
		}
		copy(c.out[to*c.size:to*c.size+row], b[from*c.size:from*c.size+row])
		c.copied += int64(row)
		i := rank - 2
		for ; i >= 0; i-- {
			if index[i]++; index[i] < part[i] {
				break
			}
			index[i] = 0
		}
		if i < 0 {
			return
		}
	}
}
