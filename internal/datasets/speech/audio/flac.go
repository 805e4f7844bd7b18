package audio

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"

	"resnet/internal/datasets/fault"
)

// A block of silence takes a dozen bytes however long it is. These bounds let real silence through
// (at most 500 values a byte with the blocks that encoders write) and keep a file of hostile blocks
// from filling the memory.
const (
	flacFree    = 1 << 20 // values that any file may hold
	flacPerByte = 1024    // and as many more for each of its bytes
)

// countingReader counts what has been read.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// readFLAC reads a native FLAC stream. Every frame's checksum is compared, and the MD5 of the
// samples where the file has one.
func readFLAC(r *bufio.Reader, name string) (a Audio, err error) {
	counter := &countingReader{r: r}
	defer func() { // the decoder is not ours: what it does not foresee is a damaged file, too
		if p := recover(); p != nil {
			a, err = Audio{}, fault.Dataf("%s: damaged FLAC near byte %d: %v", name, counter.n, p)
		}
	}()
	stream, err := flac.New(bufio.NewReader(counter))
	if err != nil {
		return Audio{}, fault.Dataf("%s: no usable FLAC header: %v", name, err)
	}
	info := stream.Info
	if info.SampleRate == 0 || info.NChannels == 0 || info.BitsPerSample == 0 {
		return Audio{}, fault.Dataf("%s: the FLAC header names %d samples a second, %d channels, %d bits", name, info.SampleRate, info.NChannels, info.BitsPerSample)
	}
	a = Audio{Rate: int(info.SampleRate), Channels: make([][]float32, info.NChannels), Encoding: fmt.Sprintf("flac%d", info.BitsPerSample)}
	sum := md5.New()
	// Behind the samples may be tags, or the next entry of an archive.
	for info.NSamples == 0 || uint64(a.Len()) < info.NSamples {
		f, err := stream.Next()
		if err == io.EOF { //nolint:errorlint // a wrapped one is a frame that was cut
			break
		}
		if err == nil {
			if f.BitsPerSample == 0 { // "as the header says"
				f.BitsPerSample = info.BitsPerSample
			}
			err = sameShape(f, len(a.Channels), info.BitsPerSample)
		}
		if err == nil {
			err = f.Parse()
		}
		if err != nil {
			return Audio{}, fault.Dataf("%s: damaged or cut FLAC after sample %d (near byte %d): %v: copy or encode it anew", name, a.Len(), counter.n, err)
		}
		if int64(a.Len()+int(f.BlockSize))*int64(len(a.Channels)) > flacFree+flacPerByte*counter.n {
			return Audio{}, fault.Dataf("%s: %d bytes unpack to more than %d samples: no recording is that empty", name, counter.n, a.Len())
		}
		appendFrame(&a, f, sum)
	}
	if info.NSamples != 0 && info.NSamples != uint64(a.Len()) {
		return Audio{}, fault.Dataf("%s: the FLAC ends after %d of the %d samples that its header claims: copy or encode it anew", name, a.Len(), info.NSamples)
	}
	if info.MD5sum != [md5.Size]byte{} && !bytes.Equal(info.MD5sum[:], sum.Sum(nil)) {
		return Audio{}, fault.Dataf("%s: the samples do not have the MD5 that the FLAC header names: the file is damaged", name)
	}
	return a, nil
}

func sameShape(f *frame.Frame, channels int, bits uint8) error {
	if f.Channels.Count() != channels || f.BitsPerSample != bits {
		return fmt.Errorf("a frame of %d channels of %d bits in a stream of %d of %d", f.Channels.Count(), f.BitsPerSample, channels, bits)
	}
	return nil
}

// appendFrame adds a decoded frame to the channels and to the digest, which is over the samples of
// all channels in turn, each in as many little-endian bytes as its bits need.
func appendFrame(a *Audio, f *frame.Frame, sum hash.Hash) {
	width, scale := (int(f.BitsPerSample)+7)/8, float32(math.Ldexp(1, 16-int(f.BitsPerSample)))
	n := len(f.Subframes[0].Samples)
	raw := make([]byte, 0, n*len(f.Subframes)*width)
	for i := range n {
		for c, s := range f.Subframes {
			v := s.Samples[i]
			a.Channels[c] = append(a.Channels[c], float32(v)*scale)
			for b := range width {
				raw = append(raw, byte(v>>(8*b)))
			}
		}
	}
	sum.Write(raw)
}
