// Package htk reads feature files of the Hidden Markov Model Toolkit (The HTK Book 3.4, section
// 5.10): big-endian, a header of 12 bytes, then a vector for each frame.
//
//	int32 frames   int32 period in 100 ns   int16 bytes of a vector   int16 kind
//
// The lower six bits of the kind say what a vector holds, the others how: _E energy, _N without
// absolute energy, _D deltas, _A accelerations, _C compressed, _Z mean subtracted, _K checksum, _0
// the zeroth coefficient, _V vector quantised, _T third differentials.
//
// Compressed files (_C) begin with two float32 for each value, A and B, counted as four more
// frames; a stored int16 x stands for (x + B) / A. A checksum (_K) is two bytes behind the frames;
// the book does not say how it is computed, so it is passed over and File.Checksum tells that it
// was there.
package htk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"resnet/internal/datasets/fault"
	"resnet/internal/input"
)

// Kind is the parameter kind of a file.
type Kind uint16

const (
	compressed Kind = 0o2000
	checksum   Kind = 0o10000
	base       Kind = 0o77
)

// Base kinds that are no vectors of float32.
const (
	waveform Kind = 0
	irefc    Kind = 5
	discrete Kind = 10
)

var baseNames = []string{"WAVEFORM", "LPC", "LPREFC", "LPCEPSTRA", "LPDELCEP", "IREFC", "MFCC", "FBANK", "MELSPEC", "USER", "DISCRETE", "PLP", "ANON"}

// qualifiers in the order of their bits, from 0o100 up.
const qualifiers = "ENDACZK0VT"

// String is the kind as HTK writes it: FBANK_D_A_Z.
func (k Kind) String() string {
	var b strings.Builder
	if i := int(k & base); i < len(baseNames) {
		b.WriteString(baseNames[i])
	} else {
		fmt.Fprintf(&b, "kind %d", i)
	}
	for i, q := range qualifiers {
		if k&(0o100<<i) != 0 {
			b.WriteByte('_')
			b.WriteRune(q)
		}
	}
	return b.String()
}

// File is a feature file.
type File struct {
	Kind        Kind
	Period      time.Duration // between frames
	Frames, Dim int
	Data        []float32 // [Frames, Dim]
	Checksum    bool      // the file has a checksum, which was not compared
}

// Read reads a feature file; name stands in messages. Waveforms and discrete symbols are refused,
// as is whatever contradicts the header or follows the frames, as fault.ErrData.
func Read(r io.Reader, name string) (File, error) {
	f, err := read(r)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// ReadFile reads a feature file from disk.
func ReadFile(path string) (File, error) {
	r, err := input.Open(path)
	if err != nil {
		return File{}, fault.Opening(path, err, "check the path")
	}
	defer r.Close()
	return Read(r, path)
}

// Fits reports whether the first 12 bytes of a file are a header of HTK, which has no mark, that
// fits the file's length.
func Fits(head []byte, size int64) bool {
	if len(head) < 12 {
		return false
	}
	be := binary.BigEndian
	frames, width := int64(int32(be.Uint32(head))), int64(int16(be.Uint16(head[8:])))
	rest := size - 12 - frames*width
	return frames > 0 && width > 0 && (rest == 0 || rest == 2)
}

// FileFits is Fits for a file, and false for one that does not open.
func FileFits(path string) bool {
	f, err := input.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	var head [12]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return false
	}
	return Fits(head[:], info.Size())
}

// header is what stands at the beginning.
type header struct {
	frames, period int
	width          int // bytes of a vector
	kind           Kind
}

func readHeader(r io.Reader) (header, error) {
	var b [12]byte
	if n, err := io.ReadFull(r, b[:]); err != nil {
		return header{}, ended(err, int64(n), "a header of 12 bytes")
	}
	be := binary.BigEndian
	h := header{int(int32(be.Uint32(b[:]))), int(int32(be.Uint32(b[4:]))), int(int16(be.Uint16(b[8:]))), Kind(be.Uint16(b[10:]))}
	switch {
	case h.kind&base == waveform || h.kind&base == discrete:
		return h, fault.Dataf("parameters of kind %s: features in float are read; of a waveform, convert it: HCopy or sox -t htk IN -t wav OUT.wav", h.kind)
	case int(h.kind&base) >= len(baseNames) || h.frames < 0 || h.width < 1 || h.period < 0:
		return h, fault.Dataf("no HTK header: %d frames of %d bytes every %d ns, kind %d", h.frames, h.width, 100*h.period, h.kind)
	}
	return h, nil
}

func read(r io.Reader) (File, error) {
	h, err := readHeader(r)
	if err != nil {
		return File{}, err
	}
	f := File{Kind: h.kind, Period: time.Duration(h.period) * 100, Frames: h.frames, Checksum: h.kind&checksum != 0}
	small := h.kind&compressed != 0 || h.kind&base == irefc
	unit := 4
	if small {
		unit = 2
	}
	if h.width%unit != 0 {
		return File{}, fault.Dataf("vectors of %d bytes in a file of kind %s: they hold values of %d bytes", h.width, h.kind, unit)
	}
	f.Dim = h.width / unit
	at := int64(12)
	scale, offset, err := scales(r, h, &f, &at)
	if err != nil {
		return File{}, err
	}
	b, err := take(r, int64(f.Frames)*int64(h.width), &at, fmt.Sprintf("%d frames of %d values", f.Frames, f.Dim))
	if err != nil {
		return File{}, err
	}
	f.Data = make([]float32, len(b)/unit)
	for i := range f.Data {
		if small {
			f.Data[i] = (float32(int16(binary.BigEndian.Uint16(b[2*i:]))) + offset[i%f.Dim]) / scale[i%f.Dim]
		} else {
			f.Data[i] = math.Float32frombits(binary.BigEndian.Uint32(b[4*i:]))
		}
	}
	if f.Checksum {
		if _, err := take(r, 2, &at, "the checksum"); err != nil {
			return File{}, err
		}
	}
	if n, err := io.CopyN(io.Discard, r, 1); n > 0 || !errors.Is(err, io.EOF) {
		return File{}, fault.Dataf("the file goes on after its %d frames, at byte %d: the header or the file is wrong", f.Frames, at)
	}
	return f, nil
}

// scales reads A and B of a compressed file and takes the four frames that stand for them from the
// count. IREFC is the older compression, by a constant.
func scales(r io.Reader, h header, f *File, at *int64) (scale, offset []float32, err error) {
	if h.kind&compressed == 0 {
		if h.kind&base != irefc {
			return nil, nil, nil
		}
		scale = slices.Repeat([]float32{32767}, f.Dim)
		return scale, make([]float32, f.Dim), nil
	}
	if f.Frames -= 4; f.Frames < 0 {
		return nil, nil, fault.Dataf("a compressed file of %d frames: its scales alone count as 4", h.frames)
	}
	b, err := take(r, 8*int64(f.Dim), at, "the scales of a compressed file")
	if err != nil {
		return nil, nil, err
	}
	all := make([]float32, 2*f.Dim)
	for i := range all {
		all[i] = math.Float32frombits(binary.BigEndian.Uint32(b[4*i:]))
		if x := all[i]; x-x != 0 || i < f.Dim && x == 0 {
			return nil, nil, fault.Dataf("value %d of a vector is scaled by %v", i%f.Dim, x)
		}
	}
	return all[:f.Dim], all[f.Dim:], nil
}

// take reads n bytes; the memory grows with what is there.
func take(r io.Reader, n int64, at *int64, what string) ([]byte, error) {
	const step = 1 << 20
	b := make([]byte, 0, min(n, step))
	for int64(len(b)) < n {
		part := min(n-int64(len(b)), max(step, int64(len(b))))
		b = slices.Grow(b, int(part))
		m, err := io.ReadFull(r, b[len(b):len(b)+int(part)])
		*at += int64(m)
		b = b[:len(b)+m]
		if err != nil {
			return nil, ended(err, *at, what)
		}
	}
	return b, nil
}

func ended(err error, at int64, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Dataf("the file ends at byte %d in %s: copy or write it anew", at, what)
	}
	return fmt.Errorf("byte %d: %w", at, err)
}
