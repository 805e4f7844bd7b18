package datasets

import (
	"bytes"
	"encoding/binary"
)

// jpegShape is what decides how much memory and time a JPEG takes to decode.
type jpegShape struct {
	width, height int
	progressive   bool
	colours       [][2]int // sampling factors, across and down
	rgb           bool     // three colours that are stored as they are
	scans         int
}

// Markers of a JPEG (ITU-T T.81, table B.1).
const (
	jpegSOF0, jpegSOF2, jpegSOI, jpegEOI, jpegSOS = 0xc0, 0xc2, 0xd8, 0xd9, 0xda
	jpegRST0, jpegRST7, jpegAPP14                 = 0xd0, 0xd7, 0xee
)

// shapeOfJPEG walks over the segments of a JPEG, as far as data has them. What is wrong with them
// is for the decoder to say.
func shapeOfJPEG(data []byte) jpegShape {
	var s jpegShape
	adobe := -1
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 || i+1 >= len(data) {
			break
		}
		marker := data[i+1]
		data = data[i+1:]
		if marker == 0xff || marker == jpegSOI || jpegRST0 <= marker && marker <= jpegRST7 {
			continue
		}
		data = data[1:]
		if marker == 0 { // a stuffed byte of a scan
			continue
		}
		if marker == jpegEOI || len(data) < 2 {
			break
		}
		size := int(binary.BigEndian.Uint16(data))
		if size < 2 || size > len(data) {
			break
		}
		body := data[2:size]
		data = data[size:]
		switch {
		case marker == jpegSOS:
			s.scans++
		case marker >= jpegSOF0 && marker <= jpegSOF2 && len(body) >= 6 && s.colours == nil:
			s.frame(marker, body)
		case marker == jpegAPP14 && bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12:
			adobe = int(body[11])
		}
	}
	s.rgb = s.rgb || adobe == 0 && len(s.colours) == 3
	return s
}

func (s *jpegShape) frame(marker byte, body []byte) {
	s.progressive = marker == jpegSOF2
	s.height, s.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	var ids []byte
	for c := body[6:]; len(c) >= 3 && len(s.colours) < int(body[5]); c = c[3:] {
		ids = append(ids, c[0])
		s.colours = append(s.colours, [2]int{max(1, int(c[1]>>4)), max(1, int(c[1]&15))})
	}
	s.rgb = string(ids) == "RGB"
}

// samples is how many values the colours have, whole blocks at the edges.
func (s jpegShape) samples() int64 {
	across, down := 1, 1
	for _, c := range s.colours {
		across, down = max(across, c[0]), max(down, c[1])
	}
	blocksX, blocksY := (s.width+8*across-1)/(8*across), (s.height+8*down-1)/(8*down)
	var n int64
	for _, c := range s.colours {
		n += int64(blocksX) * int64(blocksY) * int64(64*c[0]*c[1])
	}
	return n
}

// memory is what decoding takes at most, in bytes: a byte a value, four more for the coefficients
// of a progressive one, and four a pixel for colours that are put together. When it is done three
// bytes a pixel are made of the values.
func (s jpegShape) memory() int64 {
	values, pixels := s.samples(), int64(s.width)*int64(s.height)
	n := values
	if s.progressive {
		n *= 5
	}
	if s.rgb || len(s.colours) == 4 {
		return n + 4*pixels
	}
	return max(n, values+3*pixels)
}

// maxBlockScans bounds how often blocks are gone through: a few bytes make the decoder visit
// thousands of them again. The largest progressive images of usual encoders, with ten scans, have a
// quarter of it.
const maxBlockScans = 64 << 20

// bounded refuses a progressive JPEG that would take time out of proportion.
func (s jpegShape) bounded() error {
	blocks := s.samples() / 64
	if s.progressive && blocks*int64(s.scans) > maxBlockScans {
		return faultf(ErrData, "an image of %d×%d pixels in %d scans, and %d at most are read of one of its size", s.width, s.height, s.scans, maxBlockScans/blocks)
	}
	return nil
}
