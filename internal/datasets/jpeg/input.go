package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The markers that are obeyed (ITU T.81, table B.1).
const (
	mTEM  = 0x01
	mSOF0 = 0xc0
	mSOF1 = 0xc1
	mSOF2 = 0xc2
	mDHT  = 0xc4
	mRST0 = 0xd0
	mRST7 = 0xd7
	mSOI  = 0xd8
	mEOI  = 0xd9
	mSOS  = 0xda
	mDQT  = 0xdb
	mDRI  = 0xdd
	mAPP0 = 0xe0
	mAPPE = 0xee
	mAPPF = 0xef
	mCOM  = 0xfe
)

// unread names what has a marker and is not decoded.
var unread = map[byte]string{
	0xc3: "lossless coding", 0xc5: "hierarchical coding", 0xc6: "hierarchical coding", 0xc7: "hierarchical lossless coding",
	0xc8: "a coding extension", 0xc9: "arithmetic coding", 0xca: "progressive arithmetic coding", 0xcb: "lossless arithmetic coding",
	0xcc: "arithmetic coding", 0xcd: "hierarchical arithmetic coding", 0xce: "hierarchical arithmetic coding", 0xcf: "hierarchical lossless arithmetic coding",
	0xde: "hierarchical coding", 0xdf: "hierarchical coding", 0xf7: "JPEG-LS coding", 0xf8: "JPEG-LS coding",
}

// input is a file, of which data[pos:] has not been looked at. from brings what follows data; it is
// nil if nothing does.
type input struct {
	data []byte
	pos  int
	base int // the place of data[0] in the file
	from io.Reader
}

func (in *input) invalid(format string, args ...any) error {
	return fmt.Errorf("invalid JPEG format: %s (byte %d)", fmt.Sprintf(format, args...), in.base+in.pos)
}

func (in *input) unsupported(format string, args ...any) error {
	return fmt.Errorf("unsupported JPEG feature: %s (byte %d)", fmt.Sprintf(format, args...), in.base+in.pos)
}

// need makes sure that data[pos:] has n bytes. It holds no more than the largest segment.
func (in *input) need(n int) error {
	have := len(in.data) - in.pos
	if have >= n {
		return nil
	}
	if in.from == nil {
		in.pos = len(in.data)
		return fmt.Errorf("the file ends at byte %d: %w", in.base+in.pos, io.ErrUnexpectedEOF)
	}
	room := in.data[:cap(in.data)]
	if len(room) < n {
		room = make([]byte, max(n, 4096))
	}
	copy(room, in.data[in.pos:])
	in.base += in.pos
	got, err := io.ReadAtLeast(in.from, room[have:], n-have)
	in.data, in.pos = room[:have+got], 0
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		in.from = nil
		return in.need(n)
	case err != nil:
		return err
	}
	return nil
}

// start reads the marker that every file begins with.
func (in *input) start() error {
	if err := in.need(2); err != nil {
		return err
	}
	if in.data[in.pos] != 0xff || in.data[in.pos+1] != mSOI {
		return in.invalid("missing SOI marker")
	}
	in.pos += 2
	return nil
}

// next goes to the next marker that stands before a segment, or to EOI, and gives the segment's
// contents, valid until the next call. What lies in between is skipped, as are lone restart
// markers: encoders leave both behind.
func (in *input) next() (marker byte, body []byte, err error) {
	for {
		if err := in.need(2); err != nil {
			return 0, nil, err
		}
		skip := bytes.IndexByte(in.data[in.pos:len(in.data)-1], 0xff)
		if skip < 0 {
			in.pos = len(in.data) - 1
			continue
		}
		in.pos += skip
		marker = in.data[in.pos+1]
		if marker == 0xff { // any number of them may stand before a marker
			in.pos++
			continue
		}
		in.pos += 2
		if marker != 0 && marker != mTEM && (marker < mRST0 || marker > mRST7) {
			break
		}
	}
	if marker == mEOI {
		return marker, nil, nil
	}
	if marker < mSOF0 || marker == mSOI {
		return 0, nil, in.invalid("unknown marker %#02x", marker)
	}
	if what := unread[marker]; what != "" {
		return 0, nil, in.unsupported("%s, marker %#02x", what, marker)
	}
	if marker > mAPPF && marker < mCOM {
		return 0, nil, in.unsupported("unknown marker %#02x", marker)
	}
	if err := in.need(2); err != nil {
		return 0, nil, err
	}
	n := int(in.data[in.pos])<<8 | int(in.data[in.pos+1])
	if n < 2 {
		return 0, nil, in.invalid("short segment length")
	}
	if err := in.need(n); err != nil {
		return 0, nil, err
	}
	body = in.data[in.pos+2 : in.pos+n]
	in.pos += n
	return marker, body, nil
}
