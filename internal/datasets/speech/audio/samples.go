package audio

import (
	"fmt"
	"io"
	"math"

	"resnet/internal/datasets/fault"
)

// coding is how a stored number means a sample.
type coding int

const (
	signed   coding = iota // two's complement
	unsigned               // 8 bits with 128 for silence, as in WAV
	floating               // IEEE 754 of [-1, 1]
	muLaw                  // G.711
	aLaw
)

// maxChannels is far above any microphone array and keeps a frame small.
const maxChannels = 256

// layout is how the samples of a container without compression lie in it: the channels in turn.
type layout struct {
	coding   coding
	bits     int // of a stored sample: 8, 16, 24, 32 or 64
	big      bool
	channels int
	rate     int
}

// frame is the bytes of one sample of all channels.
func (l layout) frame() int { return l.channels * l.bits / 8 }

func (l layout) encoding() string {
	switch l.coding {
	case floating:
		return fmt.Sprintf("float%d", l.bits)
	case muLaw:
		return "mulaw"
	case aLaw:
		return "alaw"
	default:
		return fmt.Sprintf("pcm%d", l.bits)
	}
}

// check refuses a layout that no recording has.
func (l layout) check(name string) error {
	if l.channels < 1 || l.channels > maxChannels {
		return fault.Dataf("%s: %d channels: between 1 and %d are possible", name, l.channels, maxChannels)
	}
	if l.rate < 1 || l.rate > math.MaxInt32 {
		return fault.Dataf("%s: %d samples a second", name, l.rate)
	}
	return nil
}

// stream reads size bytes of samples from r, which is at byte `at` of its file; a size of -1 lasts
// to the end of r.
func (l layout) stream(r io.Reader, size int64, name string, at int64) (*Stream, error) {
	frame := l.frame()
	open := size < 0
	if !open && size%int64(frame) != 0 {
		return nil, fault.Dataf("%s: byte %d: %d bytes of data are no whole number of samples of %d bytes", name, at, size, frame)
	}
	buf, channels := make([]byte, (1<<16)/frame*frame), make([][]float32, l.channels)
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
		l.decode(channels, part[:n/frame*frame]) // half a sample at the end of a stream is dropped
		return channels, nil
	}
	return &Stream{Rate: l.rate, Channels: l.channels, Encoding: l.encoding(), Name: name, next: next}, nil
}

func count(n int64) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}

// decode appends whole frames to the channels.
func (l layout) decode(channels [][]float32, b []byte) {
	width := l.bits / 8
	for len(b) > 0 {
		for c := range channels {
			channels[c] = append(channels[c], l.sample(b[:width]))
			b = b[width:]
		}
	}
}

// sample is a stored value in the range of 16-bit integers.
func (l layout) sample(b []byte) float32 {
	switch l.coding {
	case muLaw:
		return muLawValue(b[0])
	case aLaw:
		return aLawValue(b[0])
	case unsigned:
		return float32(int(b[0])-128) * 256
	case floating, signed:
	}
	var v uint64 // the bits at the top
	for i, x := range b {
		shift := 64 - 8*len(b) + 8*i
		if l.big {
			shift = 56 - 8*i
		}
		v |= uint64(x) << shift
	}
	switch {
	case l.coding == floating && l.bits == 64:
		return float32(math.Float64frombits(v) * 32768)
	case l.coding == floating:
		return math.Float32frombits(uint32(v>>32)) * 32768
	default:
		return float32(int32(v>>32)) / 65536
	}
}

// muLawValue and aLawValue expand a byte of ITU-T G.711 to 16 bits: a sign, three bits of exponent
// and four of mantissa, in µ-law all inverted, in A-law every other bit.
func muLawValue(b byte) float32 {
	b = ^b
	v := (float32(b&0x0f)*2+33)*float32(int(4)<<(b>>4&7)) - 132
	if b&0x80 != 0 {
		return -v
	}
	return v
}

func aLawValue(b byte) float32 {
	b ^= 0x55
	v := (float32(b&0x0f)*2 + 1) * 8
	if e := b >> 4 & 7; e > 0 {
		v = (float32(b&0x0f)*2 + 33) * float32(int(4)<<e)
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}
