package audio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"resnet/internal/datasets/fault"
)

// WAVE format tags (mmreg.h).
const (
	formatPCM        = 1
	formatFloat      = 3
	formatExtensible = 0xFFFE
)

// formatNames are tags of encodings that are met in speech data and not read.
var formatNames = map[uint16]string{2: "Microsoft ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 49: "GSM 6.10", 85: "MP3"}

// maxChannels is far above any microphone array and keeps a frame small.
const maxChannels = 256

// subformatTail is what follows the tag in the GUID of an extensible format.
var subformatTail = []byte{0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71}

// wavFormat is the chunk "fmt ".
type wavFormat struct {
	tag      uint16 // formatPCM or formatFloat
	channels int
	rate     int
	bits     int // of a sample's container: 8, 16, 24, 32 or 64
}

func (f wavFormat) encoding() string {
	if f.tag == formatFloat {
		return fmt.Sprintf("float%d", f.bits)
	}
	return fmt.Sprintf("pcm%d", f.bits)
}

// streamWAV reads RIFF/WAVE: chunks in any order as long as "fmt " comes before "data"; what
// follows the data is not looked at.
func streamWAV(r *bufio.Reader, name string) (*Stream, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[8:]) != "WAVE" {
		return nil, fault.Dataf("%s: a RIFF file that is no WAVE", name)
	}
	at := int64(len(head))
	var format *wavFormat
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
		id, size := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch id {
		case "fmt ":
			f, err := readFormat(r, size, name, at)
			if err != nil {
				return nil, err
			}
			format = &f
		case "data":
			if format == nil {
				return nil, fault.Dataf("%s: byte %d: the samples come before the chunk \"fmt \" that describes them", name, at)
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

// cut says that the file ends where something should be; another error of reading stays what it is.
func cut(name string, at int64, err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Dataf("%s: the file ends at byte %d: %s: copy or record it anew", name, at, what)
	}
	return fmt.Errorf("%s: byte %d: %w", name, at, err)
}

func readFormat(r io.Reader, size int64, name string, at int64) (wavFormat, error) {
	if size < 16 || size > 1<<16 {
		return wavFormat{}, fault.Dataf("%s: byte %d: a chunk \"fmt \" of %d bytes: it has 16, 18 or 40", name, at, size)
	}
	b := make([]byte, size)
	if n, err := io.ReadFull(r, b); err != nil {
		return wavFormat{}, cut(name, at+int64(n), err, fmt.Sprintf("the chunk \"fmt \" claims %d bytes", size))
	}
	f := wavFormat{
		tag: binary.LittleEndian.Uint16(b), channels: int(binary.LittleEndian.Uint16(b[2:])),
		rate: int(binary.LittleEndian.Uint32(b[4:])), bits: int(binary.LittleEndian.Uint16(b[14:])),
	}
	block := int(binary.LittleEndian.Uint16(b[12:]))
	if f.tag == formatExtensible {
		if size < 40 || !bytes.Equal(b[26:40], subformatTail) {
			return wavFormat{}, fault.Dataf("%s: byte %d: an extensible format without a known encoding: convert it: sox IN.wav -e signed -b 16 OUT.wav", name, at)
		}
		f.tag = binary.LittleEndian.Uint16(b[24:])
	}
	switch {
	case f.tag == formatPCM && (f.bits == 8 || f.bits == 16 || f.bits == 24 || f.bits == 32):
	case f.tag == formatFloat && (f.bits == 32 || f.bits == 64):
	default:
		kind, ok := formatNames[f.tag]
		if f.tag == formatPCM || f.tag == formatFloat {
			kind, ok = fmt.Sprintf("samples of %d bits", f.bits), true
		}
		if !ok {
			kind = fmt.Sprintf("encoding %d", f.tag)
		}
		return wavFormat{}, fault.Dataf("%s: %s: PCM of 8, 16, 24 and 32 bits and float of 32 and 64 are read: convert it: sox IN.wav -e signed -b 16 OUT.wav", name, kind)
	}
	if f.channels < 1 || f.channels > maxChannels {
		return wavFormat{}, fault.Dataf("%s: %d channels: between 1 and %d are possible", name, f.channels, maxChannels)
	}
	if f.rate < 1 || f.rate > math.MaxInt32 {
		return wavFormat{}, fault.Dataf("%s: %d samples a second", name, f.rate)
	}
	if block != f.channels*f.bits/8 {
		return wavFormat{}, fault.Dataf("%s: %d bytes hold a sample of %d channels of %d bits: the header contradicts itself", name, block, f.channels, f.bits)
	}
	return f, nil
}

// streamed reports whether a size of data is what programs write that cannot go back to a header:
// then the data lasts to the end.
func streamed(size int64) bool {
	return size == 0 || size == 0xFFFFFFFF || size == 0x7FFFF000 || size == 0x7FFFFFFF
}

// stream reads the chunk "data".
func (f wavFormat) stream(r io.Reader, size int64, name string, at int64) (*Stream, error) {
	frame := f.channels * f.bits / 8
	open := streamed(size)
	if !open && size%int64(frame) != 0 {
		return nil, fault.Dataf("%s: byte %d: %d bytes of data are no whole number of samples of %d bytes", name, at, size, frame)
	}
	buf, channels := make([]byte, (1<<16)/frame*frame), make([][]float32, f.channels)
	var done int64
	ended := false
	next := func() ([][]float32, error) {
		if ended || !open && done >= size {
			return nil, io.EOF
		}
		part := buf
		if left := size - done; !open && left < int64(len(part)) {
			part = part[:left]
		}
		n, err := io.ReadFull(r, part)
		done += int64(n)
		ended = err == io.EOF || err == io.ErrUnexpectedEOF
		switch {
		case ended && !open:
			return nil, fault.Dataf("%s: the file ends at byte %d: it has %s of the %d samples that its header claims: copy or record it anew",
				name, at+done, count(done/int64(frame)), size/int64(frame))
		case err != nil && !ended:
			return nil, fmt.Errorf("%s: byte %d: %w", name, at+done, err)
		}
		for c := range channels {
			channels[c] = channels[c][:0]
		}
		f.decode(channels, part[:n/frame*frame]) // half a sample at the end of a stream is dropped
		return channels, nil
	}
	return &Stream{Rate: f.rate, Channels: f.channels, Encoding: f.encoding(), Name: name, next: next}, nil
}

func count(n int64) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}

// decode appends whole frames to the channels.
func (f wavFormat) decode(channels [][]float32, b []byte) {
	width := f.bits / 8
	for len(b) > 0 {
		for c := range channels {
			channels[c] = append(channels[c], f.sample(b[:width]))
			b = b[width:]
		}
	}
}

// sample is a stored value in the range of 16-bit integers.
func (f wavFormat) sample(b []byte) float32 {
	switch {
	case f.tag == formatFloat && f.bits == 64:
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)) * 32768)
	case f.tag == formatFloat:
		return math.Float32frombits(binary.LittleEndian.Uint32(b)) * 32768
	case f.bits == 8: // the one width that is unsigned
		return float32(int(b[0])-128) * 256
	case f.bits == 16:
		return float32(int16(binary.LittleEndian.Uint16(b)))
	case f.bits == 24:
		return float32(int32(b[0])<<8|int32(b[1])<<16|int32(int8(b[2]))<<24) / 65536
	default:
		return float32(int32(binary.LittleEndian.Uint32(b))) / 65536
	}
}
