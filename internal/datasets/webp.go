package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

// webp is what the chunks of a WebP say: a picture as VP8 or VP8L, or the first of an animation.
type webp struct {
	width, height int // of the canvas
	left, top     int // of the first frame of an animation
	frame         []byte
	lossless      bool
	exif          []byte
	animated      bool
}

var errWebP = errors.New("invalid or cut off")

func isWebP(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

// chunks calls each with the chunks of a RIFF, whose contents are cut off where data are, until it
// says to stop.
func chunks(data []byte, each func(name string, body []byte, whole bool) (more bool)) {
	for len(data) >= 8 {
		n := int(binary.LittleEndian.Uint32(data[4:]))
		body := data[8:]
		whole := n <= len(body)
		if whole {
			body = body[:n]
		}
		if !each(string(data[:4]), body, whole) || !whole {
			return
		}
		data = data[min(len(data), 8+n+n&1):]
	}
}

func number24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// parseWebP reads the chunks; without the whole file the frame is cut off.
func parseWebP(data []byte) (webp, error) {
	var w webp
	if !isWebP(data) {
		return w, errWebP
	}
	picture := func(name string, body []byte, _ bool) bool {
		if name == "VP8 " || name == "VP8L" {
			w.frame, w.lossless = body, name == "VP8L"
			return false
		}
		return true
	}
	chunks(data[12:], func(name string, body []byte, whole bool) bool {
		switch {
		case name == "VP8X" && len(body) >= 10:
			w.animated = body[0]&2 != 0
			w.width, w.height = number24(body[4:])+1, number24(body[7:])+1
		case name == "ANMF" && len(body) >= 16 && w.frame == nil:
			w.left, w.top = 2*number24(body), 2*number24(body[3:])
			chunks(body[16:], picture)
		case name == "EXIF" && whole:
			w.exif = body
		case w.frame == nil:
			picture(name, body, whole)
		}
		return true
	})
	if w.frame == nil {
		return w, errWebP
	}
	fw, fh, err := w.size()
	if err != nil {
		return w, err
	}
	if w.width == 0 {
		w.width, w.height = fw, fh
	}
	if w.left+fw > w.width || w.top+fh > w.height || !w.animated && (fw != w.width || fh != w.height) {
		return w, fmt.Errorf("a picture of %d×%d pixels on a canvas of %d×%d", fw, fh, w.width, w.height)
	}
	return w, nil
}

// size is that of the frame.
func (w webp) size() (width, height int, err error) {
	if w.lossless {
		c, err := vp8l.DecodeConfig(bytes.NewReader(w.frame))
		return c.Width, c.Height, err
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(w.frame), len(w.frame))
	h, err := d.DecodeFrameHeader()
	if err == nil && !h.KeyFrame {
		err = errWebP
	}
	return h.Width, h.Height, err
}

// memory is what decoding takes: a lossless picture and the copy that a transform makes; luma and
// chroma of whole blocks of 16×16 pixels, and RGB.
func (w webp) memory() int64 {
	canvas := int64(w.width) * int64(w.height)
	if w.lossless {
		return 8*canvas + 3*canvas
	}
	blocks := int64((w.width+15)/16*16) * int64((w.height+15)/16*16)
	return 2*blocks + 3*canvas + 3*canvas
}

// webpHeaderBytes is how much of a file is read for its size: colour profiles stand before the
// picture.
const webpHeaderBytes = 4 << 20

func headerOfWebP(r *io.SectionReader) (header, error) {
	head := make([]byte, min(webpHeaderBytes, r.Size()))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return header{}, err
	}
	w, err := parseWebP(head)
	return header{width: w.width, height: w.height, memory: w.memory()}, err
}

func webpOrientation(data []byte) int {
	w, err := parseWebP(data)
	if err != nil {
		return upright
	}
	return orientationOf(w.exif)
}

// decodeWebP makes the picture, or the first of an animation, without its transparency.
func decodeWebP(_ *scratch, data []byte) (rows, error) {
	w, err := parseWebP(data)
	if err != nil {
		return nil, err
	}
	img, err := w.decode()
	if err != nil {
		return nil, err
	}
	fw, fh := img.size()
	if fw == w.width && fh == w.height {
		return img, nil
	}
	p := Picture{Width: w.width, Height: w.height, Pix: make([]byte, 3*w.width*w.height)}
	for y := range fh {
		img.rgb(p.Pix[3*((w.top+y)*w.width+w.left):][:3*fw], y, 0, fw)
	}
	return p, nil
}

func (w webp) decode() (rows, error) {
	if w.lossless {
		m, err := vp8l.Decode(bytes.NewReader(w.frame))
		if err != nil {
			return nil, err
		}
		return rowsOf(m), nil
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(w.frame), len(w.frame))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return nil, err
	}
	m, err := d.DecodeFrame()
	if err != nil {
		return nil, err
	}
	return lossyWebP{m}, nil
}

// lossyWebP is a picture of VP8: luma, and chroma of half the size in both directions, which is
// enlarged and made RGB as by libwebp, to the bit: weights of 9, 3, 3 and 1 sixteenth, and the
// limited range of ITU-R BT.601.
type lossyWebP struct{ *image.YCbCr }

func (m lossyWebP) size() (width, height int) { return m.Rect.Dx(), m.Rect.Dy() }

func (m lossyWebP) rgb(dst []byte, y, x0, x1 int) {
	w, h := m.size()
	near := y / 2
	far := near - 1 + 2*(y&1)
	if far < 0 || far >= (h+1)/2 {
		far = near
	}
	cw := (w + 1) / 2
	cb, cr := m.Cb[near*m.CStride:][:cw], m.Cr[near*m.CStride:][:cw]
	fb, fr := m.Cb[far*m.CStride:][:cw], m.Cr[far*m.CStride:][:cw]
	luma := m.Y[y*m.YStride:]
	for x := x0; x < x1; x++ {
		writeYUV(dst[3*(x-x0):][:3], int(luma[x]), enlarged(cb, fb, x, w), enlarged(cr, fr, x, w))
	}
}

// enlarged is the chroma of pixel x of a row of w, between its row of samples and the other one
// that is near.
func enlarged(near, far []byte, x, w int) int {
	if x == 0 || x == w-1 && w&1 == 0 {
		return (3*int(near[x/2]) + int(far[x/2]) + 2) >> 2
	}
	left := (x - 1) / 2
	nl, nr, fl, fr := int(near[left]), int(near[left+1]), int(far[left]), int(far[left+1])
	sum := nl + nr + fl + fr + 8
	if x&1 == 1 {
		return ((sum+2*(nr+fl))>>3 + nl) >> 1
	}
	return ((sum+2*(nl+fr))>>3 + nr) >> 1
}

// writeYUV writes red, green and blue in fixed point.
func writeYUV(dst []byte, y, u, v int) {
	y = y * 19077 >> 8
	dst[0] = clip6(y + v*26149>>8 - 14234)
	dst[1] = clip6(y - u*6419>>8 - v*13320>>8 + 8708)
	dst[2] = clip6(y + u*33050>>8 - 17685)
}

func clip6(v int) byte { return byte(max(0, min(255, v>>6))) }
