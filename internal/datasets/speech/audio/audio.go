package audio

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"time"

	"resnet/internal/datasets/fault"
	"resnet/internal/input"
)

// Audio is a recording.
type Audio struct {
	Rate     int         // samples a second of each channel
	Channels [][]float32 // [channel][sample], all of one length, in the range of 16-bit integers
	// How the file holds a sample: pcm8, pcm16, pcm24, pcm32, float32, float64, flac16, …
	Encoding string
}

// Len is the number of samples of a channel.
func (a Audio) Len() int {
	if len(a.Channels) == 0 {
		return 0
	}
	return len(a.Channels[0])
}

// Duration is how long the recording plays.
func (a Audio) Duration() time.Duration {
	if a.Rate == 0 {
		return 0
	}
	return time.Duration(float64(a.Len()) / float64(a.Rate) * float64(time.Second))
}

// others are the formats that people have and this package does not read, by how their files begin.
var others = []struct{ magic, name, remedy string }{
	{"NIST_1A", "a NIST SPHERE file", "convert it: sph2pipe -f wav IN.sph OUT.wav"},
	{"RF64", "an RF64 file (a WAV of more than 4 GB)", "cut or convert it: sox IN.wav OUT.flac"},
	{"RIFX", "a big-endian WAV", "convert it: sox IN.wav OUT.flac"},
	{"FORM", "an AIFF file", "convert it: sox IN.aiff OUT.wav"},
	{"OggS", "an Ogg file", "convert it: ffmpeg -i IN.ogg OUT.wav"},
	{"ID3", "an MP3 file", "convert it: ffmpeg -i IN.mp3 OUT.wav"},
	{"\xff\xfb", "an MP3 file", "convert it: ffmpeg -i IN.mp3 OUT.wav"},
	{".snd", "an AU file", "convert it: sox IN.au OUT.wav"},
	{"caff", "a CAF file", "convert it: ffmpeg -i IN.caf OUT.wav"},
	{"wvpk", "a WavPack file", "convert it: wvunpack IN.wv"},
}

// Read reads a recording whole, which is for short ones: see NewStream.
func Read(r io.Reader, name string) (Audio, error) {
	s, err := NewStream(r, name)
	if err != nil {
		return Audio{}, err
	}
	a := Audio{Rate: s.Rate, Channels: make([][]float32, s.Channels), Encoding: s.Encoding}
	for {
		part, err := s.Next()
		if err == io.EOF { //nolint:errorlint // as from a reader
			return a, nil
		}
		if err != nil {
			return Audio{}, err
		}
		for c := range part {
			a.Channels[c] = append(a.Channels[c], part[c]...)
		}
	}
}

// NewStream begins to read a recording; name stands in messages. Whether it is WAV or FLAC is seen
// from its first bytes.
func NewStream(r io.Reader, name string) (*Stream, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	head, err := b.Peek(12)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("RIFF")):
		return streamWAV(b, name)
	case bytes.HasPrefix(head, []byte("fLaC")):
		return streamFLAC(b, name)
	case len(head) == 0:
		return nil, fault.Dataf("%s: the file is empty", name)
	}
	for _, o := range others {
		if bytes.HasPrefix(head, []byte(o.magic)) {
			return nil, fault.Dataf("%s: this is %s, which is not read: %s", name, o.name, o.remedy)
		}
	}
	return nil, fault.Dataf("%s: neither WAV nor FLAC: it begins with %q", name, head)
}

// ReadFile reads the recording of a file whole, see Read.
func ReadFile(path string) (Audio, error) {
	f, err := input.Open(path)
	if err != nil {
		return Audio{}, fault.Opening(path, err, "check the path")
	}
	defer f.Close()
	return Read(f, path)
}
