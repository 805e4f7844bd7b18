package jpeg_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"resnet/internal/datasets/jpeg"
)

// segment is a marker segment.
func segment(marker byte, body ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2)), body...)
}

// code is a DHT segment of a table in which each symbol has a code of so many bits.
func code(kind byte, bits int, symbols ...byte) []byte {
	body := make([]byte, 17)
	body[0], body[bits] = kind, byte(len(symbols))
	return segment(0xc4, append(body, symbols...)...)
}

// begun is a file of w×h pixels and components without subsampling, up to its first scan. Of its
// codes, all of 2 bits, 0 and 1 mean a DC difference of 0 and 1, or that a block ends and that
// 16384 and more do.
func begun(sof byte, w, h, components int) []byte {
	frame := []byte{8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(components)}
	for i := range components {
		frame = append(frame, byte(i+1), 0x11, 0)
	}
	return slice([]byte{0xff, 0xd8}, segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...), segment(sof, frame...), code(0, 2, 0, 1), code(0x10, 2, 0, 0xe0, 0x01))
}

// scan is a scan of components with its entropy-coded bytes.
func scan(first, last, bits byte, components []byte, data ...byte) []byte {
	head := []byte{byte(len(components))}
	for _, c := range components {
		head = append(head, c, 0)
	}
	return append(segment(0xda, append(head, first, last, bits)...), data...)
}

func slice(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

var end = []byte{0xff, 0xd9}

func TestWhatIsNotDecodedIsRefusedByName(t *testing.T) {
	all := made(t)
	baseline := all["coded-420-baseline.jpg"]
	marked := func(marker byte) []byte {
		return bytes.Replace(baseline, []byte{0xff, 0xc0, 0, 17}, []byte{0xff, marker, 0, 17}, 1)
	}
	at := bytes.Index(baseline, []byte{0xff, 0xc0})
	with := func(offset int, bytes ...byte) []byte {
		b := append([]byte(nil), baseline...)
		copy(b[at+offset:], bytes)
		return b
	}
	for want, data := range map[string][]byte{
		"unsupported JPEG feature: arithmetic coding":                              marked(0xc9),
		"unsupported JPEG feature: progressive arithmetic coding":                  marked(0xca),
		"unsupported JPEG feature: lossless coding":                                marked(0xc3),
		"unsupported JPEG feature: hierarchical coding":                            marked(0xc5),
		"unsupported JPEG feature: JPEG-LS coding":                                 marked(0xf7),
		"unsupported JPEG feature: unknown marker 0xf2":                            marked(0xf2),
		"invalid JPEG format: unknown marker 0x05":                                 marked(0x05),
		"unsupported JPEG feature: a precision of 12 bits":                         with(4, 12),
		"unsupported JPEG feature: number of components 2":                         with(9, 2),
		"unsupported JPEG feature: luma/chroma subsampling ratio":                  with(14, 0x31),
		"invalid JPEG format: luma/chroma subsampling ratio":                       with(11, 0x52),
		"invalid JPEG format: repeated component identifier":                       with(10, 2),
		"invalid JPEG format: bad Tq value":                                        with(12, 4),
		"invalid JPEG format: a picture of 45×0 pixels":                            with(5, 0, 0),
		"invalid JPEG format: missing SOI marker":                                  baseline[1:],
		"invalid JPEG format: missing SOF marker":                                  slice(baseline[:at], baseline[at+19:]),
		"invalid JPEG format: multiple SOF markers":                                slice(baseline[:at+19], baseline[at:]),
		"invalid JPEG format: missing SOS marker":                                  slice(baseline[:at+19], end),
		"invalid JPEG format: uninitialized Huffman table":                         slice(baseline[:at+19], baseline[bytes.Index(baseline, []byte{0xff, 0xda}):]),
		"invalid JPEG format: uninitialized Huffman table (":                       slice(begun(0xc0, 8, 8, 1), segment(0xda, 1, 1, 0x01, 0, 63, 0)),
		"invalid JPEG format: uninitialized quantisation table":                    slice([]byte{0xff, 0xd8}, baseline[at:]),
		"invalid JPEG format: Huffman codes of 2 bits do not fit":                  slice([]byte{0xff, 0xd8}, code(0, 2, 1, 2, 3, 4, 5)),
		"invalid JPEG format: DHT has wrong length":                                slice([]byte{0xff, 0xd8}, segment(0xc4, 0, 1)),
		"invalid JPEG format: DQT has wrong length":                                slice([]byte{0xff, 0xd8}, segment(0xdb, 0, 1)),
		"invalid JPEG format: short segment length":                                {0xff, 0xd8, 0xff, 0xfe, 0, 1},
		"invalid JPEG format: SOS has wrong length":                                slice(begun(0xc0, 8, 8, 3), segment(0xda, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)),
		"invalid JPEG format: unknown component selector":                          slice(begun(0xc0, 8, 8, 3), scan(0, 63, 0, []byte{9})),
		"invalid JPEG format: repeated component selector":                         slice(begun(0xc0, 8, 8, 3), scan(0, 63, 0, []byte{1, 1})),
		"invalid JPEG format: bad spectral selection bounds":                       slice(begun(0xc2, 8, 8, 3), scan(0, 63, 0, []byte{1})),
		"invalid JPEG format: bad successive approximation values":                 slice(begun(0xc2, 8, 8, 3), scan(1, 63, 0x31, []byte{1})),
		"invalid JPEG format: progressive AC coefficients for more than one":       slice(begun(0xc2, 8, 8, 3), scan(1, 63, 0, []byte{1, 2})),
		"invalid JPEG format: total sampling factors too large":                    bytes.Replace(slice(begun(0xc0, 8, 8, 3), scan(0, 63, 0, []byte{1, 2, 3})), []byte{1, 0x11, 0, 2}, []byte{1, 0x44, 0, 2}, 1),
		"invalid JPEG format: bad Huffman code, in the scan that begins at byte 1": slice(begun(0xc0, 8, 8, 1), scan(0, 63, 0, []byte{1}, 0x3f, 0xff, 0), end),
		"invalid JPEG format: short Huffman data: a marker within a scan":          slice(begun(0xc0, 64, 64, 1), scan(0, 63, 0, []byte{1}, 0), end),
		"invalid JPEG format: short Huffman data: the file ends within a scan":     slice(begun(0xc0, 64, 64, 1), scan(0, 63, 0, []byte{1}, 0)),
		"invalid JPEG format: short Huffman data: the file ends before a restart":  slice(begun(0xc0, 64, 64, 1), segment(0xdd, 0, 2), scan(0, 63, 0, []byte{1}, 0)),
		"invalid JPEG format: bad RST marker: 0xd1, want 0xd0":                     slice(begun(0xc0, 64, 64, 1), segment(0xdd, 0, 2), scan(0, 63, 0, []byte{1}, 0, 0xff, 0xd1), end),
		"invalid JPEG format: unexpected Huffman code":                             slice(begun(0xc2, 8, 8, 1), code(0x10, 2, 2), scan(1, 63, 0x10, []byte{1}, 0x10), end),
		"invalid JPEG format: too many coefficients":                               slice(begun(0xc2, 8, 8, 1), code(0x10, 2, 0xe1), scan(1, 3, 0x10, []byte{1}, 0x10), end),
		"invalid JPEG format: excessive DC component":                              slice(begun(0xc0, 8, 8, 1), code(0, 2, 16), scan(0, 63, 0, []byte{1}, 0x10), end),
		"the file ends at byte 0: unexpected EOF":                                  nil,
	} {
		_, err := new(jpeg.Decoder).Decode(data)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if err != nil && !strings.Contains(err.Error(), "byte ") {
			t.Errorf("%v: no place", err)
		}
	}
}

// TestAFileThatEndsEarlyIsAnError: wherever that is.
func TestAFileThatEndsEarlyIsAnError(t *testing.T) {
	all := made(t)
	var d jpeg.Decoder
	for _, name := range []string{"coded-420-baseline", "coded-420-refined-restart", "coded-cmyk-noise", "size-grey-1x1"} {
		data := all[name+".jpg"]
		if data == nil {
			t.Fatalf("no %s", name)
		}
		for n := range data {
			if _, err := d.Decode(data[:n]); err == nil || !strings.Contains(err.Error(), "byte") {
				t.Fatalf("%s: %d of %d bytes: %v", name, n, len(data), err)
			}
			if head, err := jpeg.ReadHeader(bytes.NewReader(data[:n])); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || err == nil && head.Width == 0 {
				t.Fatalf("%s: %d of %d bytes: header %v", name, n, len(data), err)
			}
		}
		if _, err := d.Decode(slice(data, []byte("\x00\xffmore"))); err != nil {
			t.Errorf("%s: with something behind it: %v", name, err)
		}
	}
}

// TestComponentsWithoutScansAreGrey: libjpeg takes coefficients that are not there for zeros.
func TestComponentsWithoutScansAreGrey(t *testing.T) {
	for _, sof := range []byte{0xc0, 0xc2} {
		last := byte(63)
		if sof == 0xc2 {
			last = 0
		}
		var d jpeg.Decoder
		_, _, pix, err := rgb(t, &d, slice(begun(sof, 8, 8, 3), scan(0, last, 0, []byte{1}, 0x0f), end))
		if err != nil || !bytes.Equal(pix, bytes.Repeat([]byte{128}, 192)) {
			t.Errorf("%#x: %v, %v", sof, pix, err)
		}
	}
}

// TestScansThatBringNothingEndSoon: 3000 scans in a few bytes each, over a large picture.
func TestScansThatBringNothingEndSoon(t *testing.T) {
	const w, h = 5000, 5000
	const blocks = 625 * 625
	zeros := make([]byte, blocks/4+1) // a DC difference of 0 takes 2 bits
	// 24 runs of 16384 blocks that end: code 1 and 14 zero bits each.
	runs := bytes.Repeat([]byte{0x40, 0x00}, 24)
	for kind, bits := range map[string]byte{"first": 0x01, "refining": 0x10} {
		nothing := scan(1, 63, bits, []byte{1}, runs...)
		file := slice(begun(0xc2, w, h, 1), scan(0, 0, 0, []byte{1}, zeros...), bytes.Repeat(nothing, 3000), end)
		_, err := new(jpeg.Decoder).Decode(file)
		want := fmt.Sprintf(": so many scans of a picture of %d×%d pixels cannot be in %d bytes", w, h, len(file))
		var n int
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s bits: %v, want %q", kind, err, want)
		} else if _, e := fmt.Sscanf(err.Error(), "invalid JPEG format: scan %d:", &n); e != nil || n < 100 || n > 110 {
			t.Errorf("%s bits: %v, want that at about the 106th scan", kind, err)
		}
	}
}

// TestMemoryIsWhatTheHeaderSays: no more, and not much less.
func TestMemoryIsWhatTheHeaderSays(t *testing.T) {
	const w, h = 1600, 1200
	zeros := make([]byte, 200*150+1)
	for name, c := range map[string]struct {
		file   []byte
		aPixel float64
	}{
		"grey":              {slice(begun(0xc0, w, h, 1), scan(0, 63, 0, []byte{1}, zeros...), end), 1},
		"colours":           {slice(begun(0xc0, w, h, 3), scan(0, 63, 0, []byte{1, 2, 3}, slice(zeros, zeros, zeros)...), end), 3},
		"inks":              {slice(begun(0xc0, w, h, 4), scan(0, 63, 0, []byte{1, 2, 3, 4}, slice(zeros, zeros, zeros, zeros)...), end), 4},
		"grey, progressive": {slice(begun(0xc2, w, h, 1), scan(0, 0, 0, []byte{1}, zeros...), end), 2.125},
		"inks, progressive": {slice(begun(0xc2, w, h, 4), scan(0, 0, 0, []byte{1, 2, 3, 4}, slice(zeros, zeros)...), end), 8.5},
	} {
		head, err := jpeg.ReadHeader(bytes.NewReader(c.file))
		if err != nil {
			t.Fatal(name, err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := new(jpeg.Decoder).Decode(c.file)
		if err != nil {
			t.Fatal(name, err)
		}
		m.RGB(make([]byte, 3*w), 0, 0, w)
		runtime.ReadMemStats(&after)
		took := int64(after.TotalAlloc - before.TotalAlloc)
		if took -= 3 * w; took > head.Memory() || took < head.Memory()*9/10 {
			t.Errorf("%s: %d bytes allocated, and the header says %d", name, took, head.Memory())
		}
		if least := c.aPixel * w * h; float64(head.Memory()) < least || float64(head.Memory()) > 1.1*least+1<<18 {
			t.Errorf("%s: the header says %d bytes, want %.3f a pixel", name, head.Memory(), c.aPixel)
		}
	}
}

// TestAPictureInTheMemoryOfAnother: whatever was decoded before.
func TestAPictureInTheMemoryOfAnother(t *testing.T) {
	all := made(t)
	var d jpeg.Decoder
	names := []string{"coded-cmyk-refined", "size-444-17x17", "coded-420-refined", "coded-420-baseline", "coded-grey-spectral", "colours-ycck", "size-grey-1x1"}
	for _, a := range names {
		for _, b := range names {
			_, _, want, err := rgb(t, new(jpeg.Decoder), all[b+".jpg"])
			if err != nil {
				t.Fatal(b, err)
			}
			_, _, _, first := rgb(t, &d, all[a+".jpg"])
			_, _, got, second := rgb(t, &d, all[b+".jpg"])
			if first != nil || second != nil || !bytes.Equal(got, want) {
				t.Errorf("%s after %s: other pixels, or %v, %v", b, a, first, second)
			}
		}
	}
}

// TestBytesThatMeanNothingChangeNothing: 0xff before the one that is stuffed, and Adobe's marker
// where the colours are settled.
func TestBytesThatMeanNothingChangeNothing(t *testing.T) {
	all := made(t)
	noisy, apart := all["quality-98.jpg"], all["coded-420-apart.jpg"]
	begin, second := bytes.Index(noisy, []byte{0xff, 0xda}), bytes.LastIndex(apart, []byte{0xff, 0xda})
	stuffed := begin + bytes.Index(noisy[begin:], []byte{0xff, 0})
	if begin < 0 || stuffed <= begin || second < 0 {
		t.Fatal(begin, stuffed, second)
	}
	adobe := segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...)
	for name, c := range map[string]struct{ plain, with []byte }{
		"fill bytes":   {noisy, slice(noisy[:stuffed], []byte{0xff, 0xff}, noisy[stuffed:])},
		"late colours": {apart, slice(apart[:second], adobe, apart[second:])},
	} {
		_, _, want, err := rgb(t, new(jpeg.Decoder), c.plain)
		_, _, got, e := rgb(t, new(jpeg.Decoder), c.with)
		if err != nil || e != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: other pixels, or %v, %v", name, err, e)
		}
	}
}

// TestRefinedBitsOfNothing: a DC bit that refines no first one is the value, whatever was decoded
// in the same memory before.
func TestRefinedBitsOfNothing(t *testing.T) {
	var d jpeg.Decoder
	if _, err := d.Decode(slice(begun(0xc2, 8, 8, 1), scan(0, 0, 0, []byte{1}, 0x5f), end)); err != nil {
		t.Fatal(err)
	}
	_, _, pix, err := rgb(t, &d, slice(begun(0xc2, 8, 8, 1), scan(0, 0, 0x54, []byte{1}, 0xff, 0), end))
	if err != nil || !bytes.Equal(pix, bytes.Repeat([]byte{128 + 16/8}, 192)) {
		t.Errorf("%v, %v", pix, err)
	}
}
