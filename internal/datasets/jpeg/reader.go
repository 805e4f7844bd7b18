package jpeg

import (
	"bytes"
	"encoding/binary"
)

const (
	// blockBytes is more than a block can take: 64 codes of 16 bits with values of 15, and what
	// has been loaded ahead.
	blockBytes = 64*31/8 + 24
	bitsBuffer = 8192
)

// reader gives the bits of a scan, up to the next marker: of its entropy-coded bytes.
//
// They are copied without their stuffing to a buffer, a part at a time, and zeros are put behind
// the last, so that a block is decoded without a look at where the bytes end: fill, before a block,
// sees to it that there are enough, and notices afterwards if a block has taken what was not there.
type reader struct {
	in   *input
	buf  [bitsBuffer + blockBytes]byte
	p    int    // buf[p:] has not been loaded
	end  int    // buf[:end] is filled
	soft int    // fill has to be called before a block that begins beyond
	last bool   // nothing follows buf[:end] but a marker, or the end of the file
	acc  uint64 // the next n bits, from the highest one on; what is below belongs to buf[p]
	n    uint
}

// begin starts at the input's place.
func (r *reader) begin(in *input) {
	r.in, r.p, r.end, r.last, r.acc, r.n = in, 0, 0, false, 0, 0
	r.soft = -1
}

// fill makes the next block's bits available. It fails if more bits have been taken than there are.
func (r *reader) fill() error {
	if r.last {
		return r.check()
	}
	r.end = copy(r.buf[:], r.buf[r.p:r.end])
	r.p = 0
	in := r.in
	for r.end < bitsBuffer {
		part := in.data[in.pos:min(len(in.data), in.pos+bitsBuffer-r.end)]
		i := bytes.IndexByte(part, 0xff)
		if i < 0 {
			i = len(part)
		}
		r.end += copy(r.buf[r.end:], part[:i])
		in.pos += i
		if i < len(part) && r.stuffed() {
			continue
		}
		if i < len(part) || in.pos == len(in.data) {
			r.last = true
			break
		}
	}
	r.soft = r.end - blockBytes
	if r.last {
		clear(r.buf[r.end : r.end+blockBytes])
		r.soft = r.end
	}
	return nil
}

// stuffed takes a byte 0xff with the zero behind it, and says whether it was that, not a marker.
func (r *reader) stuffed() bool {
	in := r.in
	i := in.pos + 1
	for i < len(in.data) && in.data[i] == 0xff {
		i++
	}
	if i == len(in.data) || in.data[i] != 0 {
		return false
	}
	r.buf[r.end] = 0xff
	r.end++
	in.pos = i + 1
	return true
}

// check fails if more bits have been taken than there were.
func (r *reader) check() error {
	if 8*r.p-int(r.n) <= 8*r.end {
		return nil
	}
	if r.in.pos >= len(r.in.data) {
		return r.in.invalid("short Huffman data: the file ends within a scan")
	}
	return r.in.invalid("short Huffman data: a marker within a scan")
}

// restart goes to the restart marker of a number, from 0 to 7, and behind it.
func (r *reader) restart(number int) error {
	if err := r.check(); err != nil {
		return err
	}
	in := r.in
	for {
		i := bytes.IndexByte(in.data[in.pos:], 0xff)
		if i < 0 || in.pos+i+1 >= len(in.data) {
			in.pos = len(in.data)
			return in.invalid("short Huffman data: the file ends before a restart marker")
		}
		in.pos += i
		switch marker := in.data[in.pos+1]; marker {
		case 0:
			in.pos += 2
		case 0xff:
			in.pos++
		case byte(mRST0 + number):
			in.pos += 2
			r.begin(in)
			return nil
		default:
			return in.invalid("bad RST marker: %#02x, want %#02x", marker, mRST0+number)
		}
	}
}

// load makes at least 56 bits available.
func (r *reader) load() {
	r.acc |= binary.BigEndian.Uint64(r.buf[r.p:]) >> (r.n & 63)
	r.p += int(63-r.n) >> 3
	r.n |= 56
}

// take gives the next bits, at most 16.
func (r *reader) take(bits uint) int {
	if r.n < 16 {
		r.load()
	}
	v := int(r.acc >> 48 >> ((16 - bits) & 63))
	r.acc <<= bits & 63
	r.n -= bits
	return v
}

// next decodes a symbol, or gives -1 for bits that are no code. Behind it are at least 16 bits for
// its value.
func (r *reader) next(t *table) int {
	if r.n < 32 {
		r.load()
	}
	s := t.symbol[r.acc>>(64-lookBits)]
	if s == 0 {
		return r.long(t)
	}
	r.acc <<= s & 63
	r.n -= uint(s & 63)
	return int(s >> 8)
}

// long decodes a code of more than lookBits bits.
func (r *reader) long(t *table) int {
	code := uint32(r.acc >> 48)
	for length := lookBits + 1; length <= 16; length++ {
		if code < t.limit[length] {
			r.acc <<= uint(length) & 63
			r.n -= uint(length)
			return int(t.values[byte(int32(code>>(16-length))+t.offset[length])])
		}
	}
	return -1
}
