package audio_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/fault/faulttest"
	"resnet/internal/datasets/speech/audio"
	"resnet/internal/datasets/speech/kaldi"
)

// sphere is a SPHERE file with these lines in its header, and eight bytes of samples.
func sphere(lines ...string) []byte {
	head := "NIST_1A\n   1024\n" + strings.Join(lines, "\n") + "\nend_head\n"
	return []byte(head + strings.Repeat(" ", 1024-len(head)) + "\x01\x02\x03\x04\x05\x06\x07\x08")
}

// TestEveryByteOfG711IsExpanded: all 256, against libsndfile and, at three points, the standard.
func TestEveryByteOfG711IsExpanded(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	n := 0
	if err := kaldi.Each(fixtures+"g711.ark", func(name string, want kaldi.Value) error {
		n++
		tag := map[string]int{"mulaw": 7, "alaw": 6}[name]
		a, err := read(wav(format(tag, 1, 8000, 8), chunk("data", all)))
		if err != nil || !slices.Equal(a.Channels[0], want.Floats) || a.Encoding != name {
			t.Errorf("%s as %s: %v, %v", name, a.Encoding, a.Channels, err)
		}
		return nil
	}); err != nil || n != 2 {
		t.Errorf("%d codings, %v", n, err)
	}
	// The largest values of the standard, of 14 and 13 bits, are 8031 and 4032; silence is ±0 and
	// ±1.
	a, err := read(wav(format(7, 1, 8000, 8), chunk("data", []byte{0x80, 0x00, 0xff})))
	if err != nil || !slices.Equal(a.Channels[0], []float32{4 * 8031, -4 * 8031, 0}) {
		t.Errorf("mu-law: %v, %v", a.Channels, err)
	}
	a, err = read(wav(format(6, 1, 8000, 8), chunk("data", []byte{0xaa, 0x2a, 0xd5, 0x55})))
	if err != nil || !slices.Equal(a.Channels[0], []float32{8 * 4032, -8 * 4032, 8, -8}) {
		t.Errorf("A-law: %v, %v", a.Channels, err)
	}
}

func TestSphereHeaders(t *testing.T) {
	common := []string{"channel_count -i 1", "sample_rate -i 8000"}
	for name, c := range map[string]struct {
		lines []string
		want  []float32
	}{
		"little-endian":   {[]string{"sample_n_bytes -i 2", "sample_byte_format -s2 01", "sample_count -i 4"}, []float32{0x0201, 0x0403, 0x0605, 0x0807}},
		"big-endian":      {[]string{"sample_n_bytes -i 2", "sample_byte_format -s2 10", "sample_count -i 3"}, []float32{0x0102, 0x0304, 0x0506}},
		"no count":        {[]string{"sample_n_bytes -i 2", "sample_byte_format -s2 10"}, []float32{0x0102, 0x0304, 0x0506, 0x0708}},
		"32 bits":         {[]string{"sample_n_bytes -i 4", "sample_byte_format -s4 0123", "sample_coding -s3 pcm"}, []float32{0x04030201 / 65536., 0x08070605 / 65536.}},
		"odd other lines": {[]string{"database_id -s5 TIMIT", "; a remark", "", "sample_byte_format -s2 10", "sample_count -i 1"}, []float32{0x0102}},
	} {
		a, err := read(sphere(append(slices.Clone(common), c.lines...)...))
		if err != nil || !slices.Equal(a.Channels[0], c.want) {
			t.Errorf("%s: %v, %v", name, a.Channels, err)
		}
	}
	_, err := read(sphere(append(slices.Clone(common), "sample_n_bytes -i 2", "sample_byte_format -s2 01", "sample_coding -s26 pcm,embedded-shorten-v2.00")...))
	if !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "shorten-v2.00: unpack it: sph2pipe -p -f wav") {
		t.Error(err)
	}
}

// TestSizesOf64BitsAreThoseOfDs64: the chunk "data" of an RF64 says nothing itself.
func TestSizesOf64BitsAreThoseOfDs64(t *testing.T) {
	ds64 := func(data uint64) []byte {
		b := binary.LittleEndian.AppendUint64(make([]byte, 8), data)
		return chunk("ds64", append(b, make([]byte, 12)...))
	}
	rf64 := func(data uint64) []byte {
		b := wav(ds64(data), format(1, 1, 16000, 16), []byte("data\xff\xff\xff\xff"), []byte{1, 0, 2, 0}, chunk("LIST", []byte("INFO")))
		return append([]byte("RF64"), b[4:]...)
	}
	if a, err := read(rf64(4)); err != nil || !slices.Equal(a.Channels[0], []float32{1, 2}) {
		t.Errorf("%v, %v", a.Channels, err)
	}
	for _, size := range []uint64{5, 1 << 40} {
		var err error
		if spent := faulttest.Allocated(func() { _, err = read(rf64(size)) }); !errors.Is(err, fault.ErrData) || spent > 1<<20 {
			t.Errorf("%d bytes: %v, %d allocated", size, err, spent)
		}
	}
}

func TestSoundIsFoundBehindTagsAndInGzip(t *testing.T) {
	raw, err := os.ReadFile(fixtures + "flac16.flac")
	if err != nil {
		t.Fatal(err)
	}
	want, err := read(raw)
	if err != nil {
		t.Fatal(err)
	}
	ape := "APETAGEX\xd0\x07\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xa0" + strings.Repeat("\x00", 8) + "fLaC?"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(raw)
	z.Close()
	footer := []byte(id3(300) + "3DI" + strings.Repeat("y", 7))
	footer[5] = 0x10
	for name, b := range map[string][]byte{
		"ID3v2": slices.Concat([]byte(id3(300)), raw), "two of them and zeros": slices.Concat([]byte(id3(300)+id3(0)+"\x00\x00"), raw),
		"APE": slices.Concat([]byte(ape), raw), "ID3v1": slices.Concat([]byte("TAG"+strings.Repeat("t", 125)), raw), "gzip": packed.Bytes(),
		"a footer": slices.Concat(footer, raw), "behind": slices.Concat(raw, []byte("TAG"+strings.Repeat("t", 125))),
	} {
		a, err := read(b)
		if err != nil || !slices.EqualFunc(a.Channels, want.Channels, slices.Equal) {
			t.Errorf("%s: %v", name, err)
		}
		if !audio.Known(b) && name != "gzip" && name != "ID3v1" {
			t.Errorf("%s: no recording by its first bytes", name)
		}
	}
	if _, err := read(packed.Bytes()[:packed.Len()/2]); !errors.Is(err, fault.ErrData) {
		t.Errorf("half a gzip: %v", err)
	}
}

// TestGzipHasABound: 100 times its size, beside what any file may hold.
func TestGzipHasABound(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(wav(format(1, 1, 16000, 16), []byte("data\xff\xff\xff\xff")))
	zeros := make([]byte, 1<<20)
	for range 40 {
		z.Write(zeros)
	}
	z.Close()
	if _, err := read(packed.Bytes()); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "no recording is that empty") {
		t.Errorf("40 MB of zeros in %d bytes: %v", packed.Len(), err)
	}
}
