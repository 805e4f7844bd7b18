package audio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"resnet/internal/datasets/fault"
)

// WAVE format tags (mmreg.h).
const (
	formatPCM        = 1
	formatFloat      = 3
	formatALaw       = 6
	formatMuLaw      = 7
	formatExtensible = 0xFFFE
)

// formatNames are tags of encodings that are met in speech data and not read.
var formatNames = map[uint16]string{2: "Microsoft ADPCM", 17: "IMA ADPCM", 49: "GSM 6.10", 80: "MPEG audio", 85: "MP3"}

// subformatTail is what follows the tag in the GUID of an extensible format.
var subformatTail = []byte{0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71}

// streamWAV reads RIFF/WAVE, its big-endian form RIFX, and RF64 (EBU Tech 3306), whose chunk "ds64"
// has the sizes that 32 bits do not hold: chunks in any order as long as "fmt " comes before
// "data"; what follows the data is not looked at.
func streamWAV(r *bufio.Reader, name string) (*Stream, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[8:]) != "WAVE" {
		return nil, fault.Dataf("%s: a RIFF file that is no WAVE", name)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(head[:4]) == "RIFX" {
		order = binary.BigEndian
	}
	long := string(head[:4]) == "RF64" || string(head[:4]) == "BW64"
	at := int64(len(head))
	var format *layout
	longData := int64(-1) // of ds64
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			what := `"data"`
			if format == nil {
				what = `"fmt "`
			}
			return nil, cut(name, at, err, "there is no chunk "+what)
		}
		at += 8
		id, size := string(chunk[:4]), int64(order.Uint32(chunk[4:]))
		switch {
		case id == "fmt ":
			f, err := readFormat(r, order, size, name, at)
			if err != nil {
				return nil, err
			}
			format = &f
		case id == "ds64" && long:
			b, err := readChunk(r, id, size, 24, 1<<16, name, at)
			if err != nil {
				return nil, err
			}
			if n := binary.LittleEndian.Uint64(b[8:]); n <= maxBytes {
				longData = int64(n)
			}
		case id == "data":
			if format == nil {
				return nil, fault.Dataf("%s: byte %d: the samples come before the chunk \"fmt \" that describes them", name, at)
			}
			if long && size == 0xFFFFFFFF && longData > 0 {
				return format.stream(r, longData, name, at)
			}
			if streamed(size) {
				size = -1
			}
			return format.stream(r, size, name, at)
		default:
			if n, err := io.CopyN(io.Discard, r, size); err != nil {
				return nil, cut(name, at+n, err, fmt.Sprintf("the chunk %q claims %d bytes", id, size))
			}
		}
		at += size
		if size%2 == 1 { // chunks begin at even places; some writers forget it after the last one
			if _, err := r.ReadByte(); err == nil {
				at++
			}
		}
	}
}

// maxBytes is above any file: sums of sizes below it do not overflow.
const maxBytes = 1 << 60

// readChunk reads a chunk of a header whole: it has from least to most bytes.
func readChunk(r io.Reader, id string, size, least, most int64, name string, at int64) ([]byte, error) {
	if size < least || size > most {
		return nil, fault.Dataf("%s: byte %d: a chunk %q of %d bytes: it has at least %d", name, at, id, size, least)
	}
	b := make([]byte, size)
	if n, err := io.ReadFull(r, b); err != nil {
		return nil, cut(name, at+int64(n), err, fmt.Sprintf("the chunk %q claims %d bytes", id, size))
	}
	return b, nil
}

// cut says that the file ends where something should be; another error of reading stays what it is.
func cut(name string, at int64, err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Dataf("%s: the file ends at byte %d: %s: copy or record it anew", name, at, what)
	}
	return fmt.Errorf("%s: byte %d: %w", name, at, err)
}

// readFormat reads the chunk "fmt ", of 16, 18 or 40 bytes.
func readFormat(r io.Reader, order binary.ByteOrder, size int64, name string, at int64) (layout, error) {
	b, err := readChunk(r, "fmt ", size, 16, 1<<16, name, at)
	if err != nil {
		return layout{}, err
	}
	tag := order.Uint16(b)
	f := layout{channels: int(order.Uint16(b[2:])), rate: int(order.Uint32(b[4:])), bits: int(order.Uint16(b[14:])), big: order == binary.BigEndian}
	if tag == formatExtensible {
		if size < 40 || !bytes.Equal(b[26:40], subformatTail) {
			return layout{}, fault.Dataf("%s: byte %d: an extensible format without a known encoding: convert it: sox IN.wav -e signed -b 16 OUT.wav", name, at)
		}
		tag = order.Uint16(b[24:])
	}
	switch {
	case tag == formatPCM && f.bits == 8:
		f.coding = unsigned
	case tag == formatPCM && (f.bits == 16 || f.bits == 24 || f.bits == 32):
		f.coding = signed
	case tag == formatFloat && (f.bits == 32 || f.bits == 64):
		f.coding = floating
	case tag == formatMuLaw && f.bits == 8:
		f.coding = muLaw
	case tag == formatALaw && f.bits == 8:
		f.coding = aLaw
	default:
		kind, known := formatNames[tag]
		if tag == formatPCM || tag == formatFloat || tag == formatMuLaw || tag == formatALaw {
			kind, known = fmt.Sprintf("samples of %d bits", f.bits), true
		}
		if !known {
			kind = fmt.Sprintf("encoding %d", tag)
		}
		return layout{}, fault.Dataf("%s: %s: PCM of 8, 16, 24 and 32 bits, float of 32 and 64, mu-law and A-law are read: convert it: sox IN.wav -e signed -b 16 OUT.wav", name, kind)
	}
	if err := f.check(name); err != nil {
		return layout{}, err
	}
	if block := int(order.Uint16(b[12:])); block != f.frame() {
		return layout{}, fault.Dataf("%s: %d bytes hold a sample of %d channels of %d bits: the header contradicts itself", name, block, f.channels, f.bits)
	}
	return f, nil
}

// streamed reports whether a size of data is what programs write that cannot go back to a header:
// then the data lasts to the end.
func streamed(size int64) bool {
	return size == 0 || size == 0xFFFFFFFF || size == 0x7FFFF000 || size == 0x7FFFFFFF
}
