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

// flacStream is a native FLAC stream. Every frame's checksum is compared, and the MD5 of the
// samples where the file has one.
type flacStream struct {
	name    string
	read    *countingReader
	decoder *flac.Stream
	sum     hash.Hash
	samples uint64      // of a channel, so far
	part    [][]float32 // of the frame in hand
	raw     []byte      // the same, as the sum is over them
}

func streamFLAC(r *bufio.Reader, name string) (*Stream, error) {
	f := &flacStream{name: name, read: &countingReader{r: r}, sum: md5.New()}
	if err := f.guarded(func() (err error) { f.decoder, err = flac.New(bufio.NewReader(f.read)); return err }); err != nil {
		return nil, fault.Dataf("%s: no usable FLAC header: %v", name, err)
	}
	info := f.decoder.Info
	if info.SampleRate == 0 || info.NChannels == 0 || info.BitsPerSample == 0 {
		return nil, fault.Dataf("%s: the FLAC header names %d samples a second, %d channels, %d bits", name, info.SampleRate, info.NChannels, info.BitsPerSample)
	}
	f.part = make([][]float32, info.NChannels)
	return &Stream{Rate: int(info.SampleRate), Channels: int(info.NChannels), Encoding: fmt.Sprintf("flac%d", info.BitsPerSample), Name: name, next: f.next}, nil
}

// guarded calls the decoder, which is not ours: what it does not foresee is a damaged file, too.
func (f *flacStream) guarded(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Dataf("%v", p)
		}
	}()
	return call()
}

// next is Stream.Next. Behind the samples may be tags, or the next entry of an archive.
func (f *flacStream) next() ([][]float32, error) {
	info := f.decoder.Info
	if info.NSamples != 0 && f.samples >= info.NSamples {
		return nil, f.end()
	}
	var in *frame.Frame
	begun := false
	err := f.guarded(func() (err error) {
		if in, err = f.decoder.Next(); err != nil {
			return err
		}
		begun = true
		if in.BitsPerSample == 0 { // "as the header says"
			in.BitsPerSample = info.BitsPerSample
		}
		if err := sameShape(in, len(f.part), info.BitsPerSample); err != nil {
			return err
		}
		return in.Parse()
	})
	if err == io.EOF && !begun { //nolint:errorlint // a wrapped one is a frame that was cut
		return nil, f.end()
	}
	if err != nil {
		return nil, fault.Dataf("%s: damaged or cut FLAC after sample %d (near byte %d): %v: copy or encode it anew", f.name, f.samples, f.read.n, err)
	}
	f.samples += uint64(in.BlockSize)
	if f.samples*uint64(len(f.part)) > flacFree+flacPerByte*uint64(f.read.n) {
		return nil, fault.Dataf("%s: %d bytes unpack to more than %d samples: no recording is that empty", f.name, f.read.n, f.samples-uint64(in.BlockSize))
	}
	f.take(in)
	return f.part, nil
}

// end is io.EOF where the samples are those that the header promised.
func (f *flacStream) end() error {
	info := f.decoder.Info
	if info.NSamples != 0 && info.NSamples != f.samples {
		return fault.Dataf("%s: the FLAC ends after %d of the %d samples that its header claims: copy or encode it anew", f.name, f.samples, info.NSamples)
	}
	if info.MD5sum != [md5.Size]byte{} && !bytes.Equal(info.MD5sum[:], f.sum.Sum(nil)) {
		return fault.Dataf("%s: the samples do not have the MD5 that the FLAC header names: the file is damaged", f.name)
	}
	return io.EOF
}

func sameShape(f *frame.Frame, channels int, bits uint8) error {
	if f.Channels.Count() != channels || f.BitsPerSample != bits {
		return fmt.Errorf("a frame of %d channels of %d bits in a stream of %d of %d", f.Channels.Count(), f.BitsPerSample, channels, bits)
	}
	return nil
}

// take makes a decoded frame the part in hand and adds it to the digest, which is over the samples
// of all channels in turn, each in as many little-endian bytes as its bits need.
func (f *flacStream) take(in *frame.Frame) {
	width, scale := (int(in.BitsPerSample)+7)/8, float32(math.Ldexp(1, 16-int(in.BitsPerSample)))
	f.raw = f.raw[:0]
	for c := range f.part {
		f.part[c] = f.part[c][:0]
	}
	for i := range in.Subframes[0].Samples {
		for c, s := range in.Subframes {
			v := s.Samples[i]
			f.part[c] = append(f.part[c], float32(v)*scale)
			for b := range width {
				f.raw = append(f.raw, byte(v>>(8*b)))
			}
		}
	}
	f.sum.Write(f.raw)
}
