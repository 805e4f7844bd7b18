package datasets

import (
	"bytes"
	"encoding/binary"
	"io"
)

// The EXIF orientation says how a camera was held: rows and columns of the stored image as they are
// seen (JEITA CP-3451, 4.6.4). 1 is upright; 2 mirrored, 3 upside down, 4 both; 5 to 8 have rows
// and columns exchanged: 6 is to be turned clockwise by a quarter, 8 counterclockwise, 5 and 7 are
// mirrored besides.
const upright = 1

const tagOrientation = 0x0112

// ifd is the first directory of a TIFF file, which an EXIF block is too.
type ifd struct {
	r     io.ReaderAt
	order binary.ByteOrder
	at    int64
	n     int
}

// readIFD finds it; false where the file is none, or damaged.
func readIFD(r io.ReaderAt) (ifd, bool) {
	var head [8]byte
	if n, _ := r.ReadAt(head[:], 0); n < len(head) {
		return ifd{}, false
	}
	d := ifd{r: r, order: binary.ByteOrder(binary.LittleEndian)}
	switch string(head[:4]) {
	case "II*\x00":
	case "MM\x00*":
		d.order = binary.BigEndian
	default:
		return ifd{}, false
	}
	d.at = int64(d.order.Uint32(head[4:]))
	if n, _ := r.ReadAt(head[:2], d.at); n < 2 {
		return ifd{}, false
	}
	d.n = int(d.order.Uint16(head[:2]))
	return d, true
}

// number is the first value of a tag of whole numbers of 16 or 32 bits; false where there is none.
func (d ifd) number(tag uint16) (uint32, bool) {
	var e [12]byte
	for i := range d.n {
		if n, _ := d.r.ReadAt(e[:], d.at+2+int64(12*i)); n < len(e) {
			return 0, false
		}
		if d.order.Uint16(e[:]) != tag || d.order.Uint32(e[4:]) != 1 {
			continue
		}
		switch d.order.Uint16(e[2:]) {
		case 3:
			return uint32(d.order.Uint16(e[8:])), true
		case 4:
			return d.order.Uint32(e[8:]), true
		}
	}
	return 0, false
}

// orientationOf reads the orientation of an EXIF block, or of a TIFF file; a broken one is upright.
func orientationOf(block []byte) int {
	d, ok := readIFD(bytes.NewReader(bytes.TrimPrefix(block, []byte("Exif\x00\x00"))))
	if !ok {
		return upright
	}
	if v, ok := d.number(tagOrientation); ok && v >= 1 && v <= 8 {
		return int(v)
	}
	return upright
}

func tiffOrientation(data []byte) int { return orientationOf(data) }

// jpegOrientation looks for the segment APP1 with EXIF before the first scan.
func jpegOrientation(data []byte) int {
	const app1, sos = 0xe1, 0xda
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker := data[at+1]
		if marker == 0xff { // fill
			at++
			continue
		}
		if marker == sos {
			break
		}
		if marker >= 0xd0 && marker <= 0xd8 || marker == 0x01 { // without a length
			at += 2
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if end < at+4 || end > len(data) {
			break
		}
		if body := data[at+4 : end]; marker == app1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return orientationOf(body)
		}
		at = end
	}
	return upright
}

// pngOrientation looks for the chunk eXIf, which may also stand behind the pixels.
func pngOrientation(data []byte) int {
	for at := 8; at+12 <= len(data); {
		n := int(binary.BigEndian.Uint32(data[at:]))
		if n < 0 || n > len(data)-at-12 {
			break
		}
		if string(data[at+4:at+8]) == "eXIf" {
			return orientationOf(data[at+8 : at+8+n])
		}
		at += 12 + n
	}
	return upright
}
