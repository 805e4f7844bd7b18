package parquet

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"

	"resnet/internal/datasets/fault"
)

const (
	// maxPage bounds a page, decompressed: writers make pages of 1 MiB, or of one row group
	// where its images are large.
	maxPage = 256 << 20
	// maxPageValues bounds the values of a page of images.
	maxPageValues = 1 << 20
	// The most that a byte can become: what a header claims beyond is refused before it is
	// allocated. Snappy's longest copy is 64 bytes of 3; a block of zstd is 128 KiB of 4.
	snappyRatio, otherRatio = 64, 1 << 15
)

// plainDictionary is what older writers call RLEDictionary in the header of a page.
const plainDictionary format.Encoding = 2

// pageRef is where a page is, as its header has it.
type pageRef struct {
	at         int64 // byte offset of what follows the header
	size, full int32 // bytes, as stored and decompressed
	values     int32 // with nulls
	row        int32 // of its row group, the first
	crc        int32 // 0: none
	encoding   format.Encoding
	v2         bool
	plain      bool  // v2: not compressed
	levels     int32 // v2: bytes of the definition levels, which are never compressed
}

// zstdDecoder is for frames in memory, by several goroutines at once.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPage))
})

// readAt fills buf; what ends before is bad, what cannot be read is another matter.
func readAt(in io.ReaderAt, buf []byte, at int64) error {
	n, err := in.ReadAt(buf, at)
	switch {
	case n == len(buf):
		return nil
	case errors.Is(err, io.EOF):
		return fault.Dataf("it ends at byte offset %d", at+int64(n))
	}
	return err
}

// readPage reads a page and decompresses it: its definition levels, "" where it has none, and its
// values.
func (c *column) readPage(in io.ReaderAt, p pageRef) (levels, values []byte, err error) {
	stored := make([]byte, p.size)
	if err := readAt(in, stored, p.at); err != nil {
		return nil, nil, fmt.Errorf("the page at byte offset %d: %w", p.at, err)
	}
	if p.crc != 0 && crc32.ChecksumIEEE(stored) != uint32(p.crc) {
		return nil, nil, fault.Dataf("the checksum of the page at byte offset %d is wrong", p.at)
	}
	if p.v2 {
		levels, stored = stored[:p.levels], stored[p.levels:]
	}
	codec := c.codec
	if p.plain {
		codec = format.Uncompressed
	}
	values, err = decompressPage(codec, stored, int(p.full-p.levels))
	if err != nil {
		return nil, nil, fault.Dataf("the page at byte offset %d: %w", p.at, err)
	}
	if !p.v2 && c.maxLevel > 0 {
		if len(values) < 4 || uint64(binary.LittleEndian.Uint32(values)) > uint64(len(values)-4) {
			return nil, nil, fault.Dataf("the page at byte offset %d: its definition levels are longer than it", p.at)
		}
		n := 4 + int(binary.LittleEndian.Uint32(values))
		levels, values = values[4:n], values[n:]
	}
	return levels, values, nil
}

// decompressPage gives exactly size bytes, or an error. size has been held to the page's own size.
func decompressPage(codec format.CompressionCodec, data []byte, size int) ([]byte, error) {
	switch codec {
	case format.Uncompressed:
		if len(data) != size {
			return nil, fault.Dataf("%d bytes, and its header says %d", len(data), size)
		}
		return data, nil
	case format.Snappy:
		n, err := snappy.DecodedLen(data)
		if err != nil || n != size {
			return nil, fault.Dataf("compressed by Snappy: %d bytes, and its header says %d", n, size)
		}
		return snappy.Decode(nil, data)
	case format.Zstd:
		var head zstd.Header
		if err := head.Decode(data); err != nil || head.HasFCS && head.FrameContentSize != uint64(size) {
			return nil, fault.Dataf("compressed by zstd: its frame does not hold %d bytes", size)
		}
		z, err := zstdDecoder()
		if err != nil {
			return nil, err
		}
		out, err := z.DecodeAll(data, make([]byte, 0, size))
		if err == nil && len(out) != size {
			err = fault.Dataf("%d bytes, and its header says %d", len(out), size)
		}
		return out, err
	case format.Gzip:
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		out := make([]byte, size)
		_, err = io.ReadFull(z, out)
		return out, err
	}
	return nil, fault.Dataf("compressed by %v, which is not read: snappy, zstd and gzip are", codec)
}

// present decodes the definition levels of n values: whether each is there; nil means all.
func present(levels []byte, most, n int) ([]bool, error) {
	if most == 0 {
		return nil, nil
	}
	there := make([]bool, 0, n)
	err := hybrid(levels, bits.Len(uint(most)), n, func(v uint32) { there = append(there, v == uint32(most)) })
	return there, err
}

// hybrid decodes n numbers of so many bits, in Parquet's mixture of runs and packed groups of 8.
func hybrid(data []byte, width, n int, emit func(v uint32)) error {
	for n > 0 {
		head, used := binary.Uvarint(data)
		if used <= 0 {
			return fault.Dataf("%d of its levels or indexes are missing", n)
		}
		data = data[used:]
		if head&1 == 0 {
			size := (width + 7) / 8
			if len(data) < size || head>>1 == 0 {
				return fault.Dataf("a run of its levels or indexes is cut off or empty")
			}
			var v uint32
			for i := range size {
				v |= uint32(data[i]) << (8 * i)
			}
			data = data[size:]
			for range min(head>>1, uint64(n)) {
				emit(v)
				n--
			}
			continue
		}
		groups := head >> 1
		if groups == 0 || width > 0 && groups > uint64(len(data)/width) {
			return fault.Dataf("packed levels or indexes are cut off or empty")
		}
		packed := data[:int(groups)*width]
		if width == 0 {
			packed, groups = nil, min(groups, uint64(n))
		}
		for i := range min(int(groups)*8, n) {
			var v uint32
			for b := range width {
				at := i*width + b
				v |= uint32(packed[at/8]>>(at%8)&1) << b
			}
			emit(v)
			n--
		}
		data = data[len(packed):]
	}
	return nil
}

// indexes decodes n places in a dictionary of size entries.
func indexes(data []byte, n, size int) ([]uint32, error) {
	if n == 0 {
		return nil, nil
	}
	if len(data) == 0 || data[0] > 32 {
		return nil, fault.Dataf("its places in the dictionary have no width")
	}
	out := make([]uint32, 0, n)
	if err := hybrid(data[1:], int(data[0]), n, func(v uint32) { out = append(out, v) }); err != nil {
		return nil, err
	}
	for _, v := range out {
		if v >= uint32(size) {
			return nil, fault.Dataf("place %d in a dictionary of %d", v, size)
		}
	}
	return out, nil
}

// binaries splits n values of type BYTE_ARRAY, which stay parts of data.
func binaries(data []byte, n int) ([][]byte, error) {
	if n > len(data)/4 {
		return nil, fault.Dataf("%d values in %d bytes", n, len(data))
	}
	out := make([][]byte, n)
	for i := range out {
		if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4) {
			return nil, fault.Dataf("value %d is longer than its page", i)
		}
		end := 4 + int(binary.LittleEndian.Uint32(data))
		out[i], data = data[4:end:end], data[end:]
	}
	return out, nil
}

// integers reads n numbers of width bytes, little-endian.
func integers(data []byte, width, n int) ([]int64, error) {
	if n > len(data)/width {
		return nil, fault.Dataf("%d values in %d bytes", n, len(data))
	}
	out := make([]int64, n)
	for i := range out {
		if width == 4 {
			out[i] = int64(int32(binary.LittleEndian.Uint32(data[4*i:])))
		} else {
			out[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
		}
	}
	return out, nil
}

// pageValues decodes a page with the values of its column's dictionary: with a zero value, and
// false in there, for a null; there is nil without nulls.
func pageValues[T any](c *column, in io.ReaderAt, p pageRef, dictionary []T, split func(data []byte, n int) ([]T, error)) (values []T, there []bool, err error) {
	levels, data, err := c.readPage(in, p)
	if err != nil {
		return nil, nil, err
	}
	if there, err = present(levels, c.maxLevel, int(p.values)); err != nil {
		return nil, nil, err
	}
	n := int(p.values)
	for _, yes := range there {
		if !yes {
			n--
		}
	}
	var dense []T
	switch p.encoding {
	case format.Plain:
		dense, err = split(data, n)
	case plainDictionary, format.RLEDictionary:
		var places []uint32
		places, err = indexes(data, n, len(dictionary))
		for _, k := range places {
			dense = append(dense, dictionary[k])
		}
	default:
		err = fault.Dataf("encoded as %v, which is not read: write it plain or with a dictionary", p.encoding)
	}
	if err != nil || there == nil || n == len(there) {
		return dense, nil, err
	}
	values = make([]T, len(there))
	for i, yes := range there {
		if yes {
			values[i], dense = dense[0], dense[1:]
		}
	}
	return values, there, nil
}
