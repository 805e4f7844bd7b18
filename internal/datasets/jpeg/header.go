package jpeg

import (
	"bytes"
	"errors"
	"io"
)

// Space says what the components of a file are.
type Space int

// The spaces in which files keep their colours.
const (
	Grey  Space = iota
	YCbCr       // ITU-R BT.601 of full range, as JFIF has it
	RGB
	CMYK // inverted, as Adobe writes it, and as Pillow takes all
	YCCK // CMYK whose inks are kept as YCbCr
)

// Header is what a file says before its first scan.
type Header struct {
	Width, Height int // pixels
	Components    int // 1, 3 or 4
	Space         Space
	Progressive   bool

	comps      [4]component
	hMax, vMax int

	jfif, adobe bool
	transform   byte // Adobe's
}

// component is a plane of the frame. Its sampling factors relate to the largest ones: with h of
// hMax, a sample is hMax/h pixels wide.
type component struct {
	id, tq byte
	h, v   int
	// w×rows are its samples, bw×bh the blocks that hold them.
	w, rows, bw, bh int
}

// ReadHeader reads a file up to its frame and whatever decides about its colours, and no more than
// it needs. It fails for everything that Decode does not support, but not for a file that ends
// behind its frame.
func ReadHeader(r io.Reader) (Header, error) {
	var h Header
	in := input{from: r}
	if err := in.start(); err != nil {
		return h, err
	}
	for {
		marker, body, err := in.next()
		if errors.Is(err, io.ErrUnexpectedEOF) && h.Components > 0 { // Decode will say it
			return h, nil
		}
		if err != nil {
			return h, err
		}
		if marker == mSOS || marker == mEOI {
			if h.Components == 0 {
				return h, in.invalid("missing SOF marker")
			}
			return h, nil
		}
		if err := h.segment(&in, marker, body); err != nil {
			return h, err
		}
		if h.Components > 0 && h.jfif { // nothing that follows changes the colours
			return h, nil
		}
	}
}

// Memory is how many bytes Decode allocates at most: for each block of 64 samples, 64 bytes; of a
// progressive file 136, the coefficients and a mask of those that are not zero. Rows and tables are
// some tens of thousands. A picture without subsampling therefore takes 3 bytes a pixel, 6.4 if it
// is progressive, and one of halved chroma half as much.
func (h Header) Memory() int64 {
	total := int64(unsizedMemory)
	for _, c := range h.comps[:h.Components] {
		blocks := int64(c.bw) * int64(c.bh)
		if h.Progressive {
			total += 136*blocks + 128*int64(c.bw)
		} else {
			total += 64 * blocks
		}
		total += 8 * int64(h.Width) // rows of RGB that are interpolated
	}
	return total
}

// unsizedMemory is what does not depend on the picture.
const unsizedMemory = 96 << 10

// segment reads what a segment says about the frame and its colours.
func (h *Header) segment(in *input, marker byte, body []byte) error {
	switch marker {
	case mSOF0, mSOF1, mSOF2:
		h.Progressive = marker == mSOF2
		return h.frame(in, body)
	case mAPP0:
		// A shorter one is none: libjpeg wants the whole of its 14 bytes.
		h.jfif = h.jfif || len(body) >= 14 && bytes.HasPrefix(body, []byte("JFIF\x00"))
	case mAPPE:
		if len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")) {
			h.adobe, h.transform = true, body[11]
		}
	}
	h.Space = h.space()
	return nil
}

// frame reads a start of frame (T.81, B.2.2).
func (h *Header) frame(in *input, body []byte) error {
	if h.Components != 0 {
		return in.invalid("multiple SOF markers")
	}
	if len(body) < 6 {
		return in.invalid("SOF has wrong length")
	}
	n := int(body[5])
	switch {
	case body[0] != 8:
		return in.unsupported("a precision of %d bits", body[0])
	case n != 1 && n != 3 && n != 4:
		return in.unsupported("number of components %d", n)
	case len(body) != 6+3*n:
		return in.invalid("SOF has wrong length")
	}
	h.Height, h.Width = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
	for i := range n {
		b := body[6+3*i:]
		c := component{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), tq: b[2]}
		for _, other := range h.comps[:i] {
			if other.id == c.id {
				return in.invalid("repeated component identifier")
			}
		}
		if c.tq > 3 {
			return in.invalid("bad Tq value")
		}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return in.invalid("luma/chroma subsampling ratio")
		}
		h.comps[i] = c
		h.hMax, h.vMax = max(h.hMax, c.h), max(h.vMax, c.v)
	}
	for i := range n {
		c := &h.comps[i]
		if h.hMax%c.h != 0 || h.vMax%c.v != 0 {
			return in.unsupported("luma/chroma subsampling ratio")
		}
		c.w, c.rows = ceilDiv(h.Width*c.h, h.hMax), ceilDiv(h.Height*c.v, h.vMax)
		c.bw, c.bh = ceilDiv(c.w, 8), ceilDiv(c.rows, 8)
	}
	h.Components = n
	h.Space = h.space()
	return nil
}

// space decides as libjpeg does: JFIF means YCbCr, then Adobe's marker says it, then the names of
// the components do.
func (h *Header) space() Space {
	switch {
	case h.Components == 1:
		return Grey
	case h.Components == 4 && h.adobe && h.transform != 0:
		return YCCK
	case h.Components == 4:
		return CMYK
	case h.jfif:
		return YCbCr
	case h.adobe && h.transform == 0:
		return RGB
	case !h.adobe && h.comps[0].id == 'R' && h.comps[1].id == 'G' && h.comps[2].id == 'B':
		return RGB
	}
	return YCbCr
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
