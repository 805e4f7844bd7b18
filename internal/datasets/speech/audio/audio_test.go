package audio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/fault/faulttest"
	"resnet/internal/datasets/speech/audio"
	"resnet/internal/datasets/speech/kaldi"
)

// fixtures is made by ../../../../testdata/speech/generate.py with libsndfile.
const fixtures = "../../../../testdata/speech/audio/"

func TestEveryEncodingIsReadAsByLibsndfile(t *testing.T) {
	n := 0
	for _, archive := range []string{"expected.ark", "containers.ark"} {
		err := kaldi.Each(fixtures+archive, func(file string, want kaldi.Value) error {
			n++
			a, err := audio.ReadFile(fixtures + file)
			if err != nil {
				return err
			}
			if a.Rate != 11025 || len(a.Channels) != 2 || a.Len() != want.Rows || a.Duration().Round(time.Millisecond) != 50*time.Millisecond {
				t.Errorf("%s: %d samples a second, %d channels of %d, %v", file, a.Rate, len(a.Channels), a.Len(), a.Duration())
			}
			for c, samples := range a.Channels {
				for i, v := range samples {
					if v != want.Floats[2*i+c] {
						t.Fatalf("%s: channel %d, sample %d is %v, want %v", file, c, i, v, want.Floats[2*i+c])
					}
				}
			}
			kind := strings.TrimPrefix(strings.TrimSuffix(file, filepath.Ext(file)), "extensible")
			if archive == "expected.ark" && !strings.HasSuffix(a.Encoding, strings.TrimPrefix(kind, "-")) {
				t.Errorf("%s has the encoding %s", file, a.Encoding)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if n < 24 {
		t.Errorf("%d files", n)
	}
}

// part is what Each gives of a recording.
func part(t *testing.T, data []byte, channel int, start, end float64) ([]float32, error) {
	t.Helper()
	s, err := audio.NewStream(bytes.NewReader(data), "x")
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	n, err := s.Each(channel, start, end, func(samples []float32) error { got = append(got, samples...); return nil })
	if err == nil && int(n) != len(got) {
		t.Errorf("%d samples counted, %d given", n, len(got))
	}
	return got, err
}

func TestAChannelIsChosen(t *testing.T) {
	data, err := os.ReadFile(fixtures + "pcm16.wav")
	if err != nil {
		t.Fatal(err)
	}
	a, err := audio.Read(bytes.NewReader(data), "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []int{0, 1} {
		if got, err := part(t, data, c, 0, 0); err != nil || !slices.Equal(got, a.Channels[c]) {
			t.Errorf("channel %d: %v", c, err)
		}
	}
	for _, c := range []int{-1, 2, -2} {
		if _, err := part(t, data, c, 0, 0); !errors.Is(err, fault.ErrData) {
			t.Errorf("channel %d: %v", c, err)
		}
	}
}

// chunk is a RIFF chunk, padded to an even length.
func chunk(id string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data)))
	b = append(b, data...)
	return append(b, make([]byte, len(data)%2)...)
}

func format(tag, channels, rate, bits int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16(le.AppendUint16(nil, uint16(tag)), uint16(channels))
	b = le.AppendUint32(le.AppendUint32(b, uint32(rate)), uint32(rate*channels*bits/8))
	return chunk("fmt ", le.AppendUint16(le.AppendUint16(b, uint16(channels*bits/8)), uint16(bits)))
}

func wav(chunks ...[]byte) []byte {
	body := slices.Concat(chunks...)
	return append(append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(body))), "WAVE"...), body...)
}

func read(b []byte) (audio.Audio, error) { return audio.Read(bytes.NewReader(b), "x.wav") }

func TestOddChunksArePassedOver(t *testing.T) {
	data := chunk("data", []byte{1, 0, 2, 0, 255, 255})
	want := []float32{1, 2, -1}
	streamedSize := slices.Concat([]byte("data\xff\xff\xff\xff"), []byte{1, 0, 2, 0, 255, 255, 9})
	for name, b := range map[string][]byte{
		"plain":         wav(format(1, 1, 16000, 16), data),
		"lists between": wav(chunk("LIST", []byte("INFOx")), format(1, 1, 16000, 16), chunk("fact", []byte{3, 0, 0, 0}), chunk("odd ", []byte{1}), data),
		"behind":        wav(format(1, 1, 16000, 16), data, chunk("LIST", []byte("INFO"))),
		"a long format": wav(chunk("fmt ", append(format(1, 1, 16000, 16)[8:], 0, 0)), data),
		"a stream":      wav(format(1, 1, 16000, 16), streamedSize),
		"an empty size": wav(format(1, 1, 16000, 16), append([]byte("data\x00\x00\x00\x00"), data[8:]...)),
	} {
		if a, err := read(b); err != nil || !slices.Equal(a.Channels[0], want) || a.Rate != 16000 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestOtherFormatsAreNamedWithARemedy(t *testing.T) {
	for file, want := range map[string]string{"aiff.aiff": "AIFF", "ogg.ogg": "ffmpeg"} {
		if _, err := audio.ReadFile(fixtures + file); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
	for text, want := range map[string]string{
		"NIST_1A\n   1024\n": "claims 1024 bytes", "": "empty", "<html>": "no recording that is read", "RIFF\x04\x00\x00\x00AVI LIST": "no WAVE",
		id3(9) + "\xff\xfb\x90\x00mp3": "MP3", "\xff\xfb\x90\x00": "MP3", "\xff\xf3\x40\xc0": "MP3", "ID3": "MP3", "\xff\xf1\x50\x80": "AAC", "\xff\xff\xff\xff": "begins with",
		id3(0): "ID3v2 tag and no sound", id3(500)[:100]: "claims 510 bytes", "\x00\x00\x00\x20ftypM4A ": "M4A", "ajkg\x02": "shorten -x",
	} {
		if _, err := read([]byte(text)); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := audio.ReadFile("nowhere.wav"); !errors.Is(err, fault.ErrMissing) {
		t.Error(err)
	}
}

// id3 is an ID3v2 tag of n bytes behind its header.
func id3(n int) string {
	return "ID3\x04\x00\x00\x00\x00" + string([]byte{byte(n >> 7), byte(n & 0x7f)}) + strings.Repeat("x", n)
}

func TestRecordingsThatLieAreRefusedBeforeMemoryIsSpent(t *testing.T) {
	claim := func(id string, size uint32) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte(id), size), 1, 2, 3, 4)
	}
	good := format(1, 1, 16000, 16)
	for name, b := range map[string][]byte{
		"gigabytes of data":             wav(good, claim("data", 0xFFFFFFF0)),
		"gigabytes of a list":           wav(claim("LIST", 0xFFFFFFF0)),
		"gigabytes of format":           wav(claim("fmt ", 0xFFFFFFF0)),
		"no format":                     wav(chunk("data", []byte{1, 2})),
		"no data":                       wav(good),
		"nothing":                       wav(),
		"no channels":                   wav(format(1, 0, 16000, 16), chunk("data", []byte{1, 2})),
		"65535 channels":                wav(format(3, 65535, 16000, 64), chunk("data", []byte{1, 2})),
		"no rate":                       wav(format(1, 1, 0, 16), chunk("data", []byte{1, 2})),
		"12 bits":                       wav(format(1, 2, 16000, 12), chunk("data", []byte{1, 2, 3})),
		"half precision":                wav(format(3, 1, 16000, 16), chunk("data", []byte{1, 2})),
		"ADPCM":                         wav(format(2, 1, 16000, 4), chunk("data", []byte{1, 2})),
		"an unknown extension":          wav(chunk("fmt ", slices.Concat([]byte{0xfe, 0xff}, good[10:], make([]byte, 24))), chunk("data", []byte{1, 2})),
		"half a sample":                 wav(good, chunk("data", []byte{1, 2, 3})),
		"a wrong block":                 wav(chunk("fmt ", append(slices.Clone(good[8:20]), 9, 0, 16, 0)), chunk("data", []byte{1, 2})),
		"FLAC of nothing":               []byte("fLaC"),
		"a SPHERE header of a gigabyte": []byte("NIST_1A\n1000000000\n"),
		"a SPHERE file without a rate":  sphere("channel_count -i 1", "sample_n_bytes -i 2", "sample_byte_format -s2 01"),
		"SPHERE samples without end":    sphere("channel_count -i 1", "sample_rate -i 8000", "sample_byte_format -s2 01", "sample_count -i 9223372036854775807"),
		"a SPHERE byte order":           sphere("channel_count -i 1", "sample_rate -i 8000", "sample_byte_format -s2 22"),
		"a SPHERE coding":               sphere("channel_count -i 1", "sample_rate -i 8000", "sample_coding -s5 adpcm"),
		"a Wave64 chunk of exabytes":    []byte("riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x0012345678wave\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8adata\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a\xff\xff\xff\xff\xff\xff\xff\x7f"),
		"FLAC with gigabytes":           []byte("fLaC\x04\xff\xff\xff" + strings.Repeat("x", 64)),
	} {
		var err error
		spent := faulttest.Allocated(func() { _, err = read(b) })
		if !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "x.wav") || spent > 1<<20 {
			t.Errorf("%s: %d bytes allocated, %v", name, spent, err)
		}
	}
}

func TestRecordingsCutAnywhereAreRefused(t *testing.T) {
	for _, file := range []string{"pcm24.wav", "extensible16.wav", "flac16.flac", "flac24.flac", "rf64.wav", "wave64.w64", "sphere-be.sph"} {
		raw, err := os.ReadFile(fixtures + file)
		if err != nil {
			t.Fatal(err)
		}
		for n := range raw {
			if _, err := read(raw[:n]); !errors.Is(err, fault.ErrData) {
				t.Fatalf("%s: %d of %d bytes: %v", file, n, len(raw), err)
			}
		}
	}
}

func TestADamagedFLACIsFoundByItsChecksums(t *testing.T) {
	raw, err := os.ReadFile(fixtures + "flac16.flac")
	if err != nil {
		t.Fatal(err)
	}
	want, err := read(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4; i < len(raw); i++ {
		damaged := slices.Clone(raw)
		damaged[i] ^= 0x10
		a, err := read(damaged)
		if err == nil && !slices.EqualFunc(a.Channels, want.Channels, slices.Equal) {
			t.Fatalf("byte %d changed, and the samples with it", i)
		}
		if err != nil && !errors.Is(err, fault.ErrData) {
			t.Fatal(err)
		}
	}
}

// FuzzAudio: whatever the bytes, reading is refused as fault.ErrData or gives channels of one
// length, in memory that fits the file.
func FuzzAudio(f *testing.F) {
	for _, file := range []string{"pcm8.wav", "pcm24.wav", "float64.wav", "extensible16.wav", "alaw.wav", "flac16.flac", "rf64.wav", "rifx.wav", "wave64.w64", "sphere-mulaw.sph", "sphere-le24.sph"} {
		raw, err := os.ReadFile(fixtures + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add(wav(format(1, 3, 16000, 16), chunk("data", make([]byte, 12))))
	f.Fuzz(func(t *testing.T, data []byte) {
		var a audio.Audio
		var err error
		spent := faulttest.Allocated(func() { a, err = read(data) })
		if err != nil && !errors.Is(err, fault.ErrData) {
			t.Fatal(err)
		}
		for _, c := range a.Channels {
			if len(c) != a.Len() || a.Rate < 1 {
				t.Fatalf("channels of %d and %d samples at %d", len(c), a.Len(), a.Rate)
			}
		}
		if spent > 64<<20+uint64(64*1024*len(data)) {
			t.Fatalf("%d bytes allocated for %d", spent, len(data))
		}
	})
}

// ramp is a mono WAV of n samples 0, 1, 2, … with so many a second.
func ramp(n, rate int) []byte {
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(i))
	}
	return wav(format(1, 1, rate, 16), chunk("data", b))
}

func TestAPartIsCutAtTheSample(t *testing.T) {
	whole := make([]float32, 25)
	for i := range whole {
		whole[i] = float32(i)
	}
	data := ramp(25, 10)
	for _, c := range []struct {
		start, end float64
		from, to   int
	}{{0, 0, 0, 25}, {0, -1, 0, 25}, {0, 1, 0, 10}, {0.5, 2.5, 5, 25}, {0.59, 0.7, 5, 7}, {1, 9, 10, 25}, {2.4, 0, 24, 25}} {
		if got, err := part(t, data, -1, c.start, c.end); err != nil || !slices.Equal(got, whole[c.from:c.to]) {
			t.Errorf("%g to %g s: %v (%v), want samples %d to %d", c.start, c.end, got, err, c.from, c.to)
		}
	}
	for _, c := range [][2]float64{{2.5, 0}, {3, 4}, {1, 1}, {2, 1}, {-1, 1}, {math.NaN(), 1}, {math.Inf(1), 0}, {1e300, 0}, {0, 0.01}} {
		if got, err := part(t, data, 0, c[0], c[1]); !errors.Is(err, fault.ErrData) {
			t.Errorf("%g to %g s: %d samples (%v)", c[0], c[1], len(got), err)
		}
	}
	if got, err := part(t, ramp(0, 10), 0, 0, 0); err != nil || len(got) != 0 {
		t.Errorf("an empty recording: %v", err)
	}
}

// TestAPartHasAnHourAtMost: the recording may be longer.
func TestAPartHasAnHourAtMost(t *testing.T) {
	data := ramp(3700*4, 4) // pieces of 16,384 samples, so that the hour ends within one
	if _, err := part(t, data, 0, 0, 0); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "1h0m0s") {
		t.Errorf("more than an hour: %v", err)
	}
	if got, err := part(t, data, 0, 50, 3650); err != nil || len(got) != 3600*4 || got[0] != 200 || got[3600*4-1] != 200+3600*4-1 {
		t.Errorf("an hour of it: %d samples, %v", len(got), err)
	}
}

// TestBitsOfAFrameMayBeThoseOfTheHeader has a second frame that names other bits, and one that
// leaves them to the header (code 0).
func TestBitsOfAFrameMayBeThoseOfTheHeader(t *testing.T) {
	var b bytes.Buffer
	enc, err := flac.NewEncoder(&b, &meta.StreamInfo{BlockSizeMin: 16, BlockSizeMax: 16, SampleRate: 8000, NChannels: 1, BitsPerSample: 16})
	if err != nil {
		t.Fatal(err)
	}
	var want []float32
	second := 0
	for k := range 2 {
		samples := make([]int32, 16)
		for i := range samples {
			samples[i] = int32(100*k + i)
			want = append(want, float32(samples[i]))
		}
		second = b.Len()
		err := enc.WriteFrame(&frame.Frame{
			Header:    frame.Header{HasFixedBlockSize: true, BlockSize: 16, SampleRate: 8000, Channels: frame.ChannelsMono, BitsPerSample: 16},
			Subframes: []*frame.Subframe{{SubHeader: frame.SubHeader{Pred: frame.PredVerbatim}, Samples: samples, NSamples: 16}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// 16 bits, the header's, 8 and 24.
	for code, fits := range map[byte]bool{4: true, 0: true, 1: false, 6: false} {
		raw := slices.Clone(b.Bytes())
		f := raw[second:]
		f[3] = f[3]&^0x0e | code<<1
		const head = 6 // sync, sizes, channels and bits, number, size of the block
		f[head] = byte(crc(f[:head], 0x07, 8))
		binary.BigEndian.PutUint16(f[len(f)-2:], crc(f[:len(f)-2], 0x8005, 16))
		a, err := read(raw)
		if fits && (err != nil || !slices.Equal(a.Channels[0], want)) || !fits && (!errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "in a stream of 1 of 16")) {
			t.Errorf("code %d: %v, %v", code, a, err)
		}
	}
}

// crc is the checksum of FLAC, bit by bit: x^bits + poly, from 0, the highest bit first.
func crc(data []byte, poly uint16, bits int) uint16 {
	var c uint32
	for _, b := range data {
		c ^= uint32(b) << (bits - 8)
		for range 8 {
			if c <<= 1; c>>bits&1 == 1 {
				c ^= uint32(poly) | 1<<bits
			}
		}
	}
	return uint16(c)
}
