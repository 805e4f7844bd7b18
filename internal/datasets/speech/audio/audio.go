package audio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"resnet/internal/datasets/fault"
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

// Channel is the recording of one channel, counted from 0. With -1 there has to be one alone.
func (a Audio) Channel(c int) (Audio, error) {
	switch {
	case c == -1 && len(a.Channels) == 1:
		c = 0
	case c == -1:
		return Audio{}, fault.Dataf("%d channels: choose one, 0 to %d", len(a.Channels), len(a.Channels)-1)
	case c < 0 || c >= len(a.Channels):
		return Audio{}, fault.Dataf("no channel %d: there are %d, counted from 0", c, len(a.Channels))
	}
	return Audio{Rate: a.Rate, Channels: a.Channels[c : c+1], Encoding: a.Encoding}, nil
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

// Read reads a recording; name stands in messages. Whether it is WAV or FLAC is seen from its first
// bytes.
func Read(r io.Reader, name string) (Audio, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	head, err := b.Peek(12)
	if err != nil && err != io.EOF {
		return Audio{}, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("RIFF")):
		return readWAV(b, name)
	case bytes.HasPrefix(head, []byte("fLaC")):
		return readFLAC(b, name)
	case len(head) == 0:
		return Audio{}, fault.Dataf("%s: the file is empty", name)
	}
	for _, o := range others {
		if bytes.HasPrefix(head, []byte(o.magic)) {
			return Audio{}, fault.Dataf("%s: this is %s, which is not read: %s", name, o.name, o.remedy)
		}
	}
	return Audio{}, fault.Dataf("%s: neither WAV nor FLAC: it begins with %q", name, head)
}

// ReadFile reads the recording of a file.
func ReadFile(path string) (Audio, error) {
	f, err := os.Open(path)
	if err != nil {
		return Audio{}, fault.Opening(path, unwrapPath(err), "check the path")
	}
	defer f.Close()
	return Read(f, path)
}

// unwrapPath takes the operation and the path off a system error, which the message names already.
func unwrapPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Part is the recording from start to end, in seconds; an end of 0 or less is that of the
// recording.
func (a Audio) Part(start, end float64) (Audio, error) {
	from, to := a.sampleAt(start), a.Len()
	if end > 0 {
		to = min(to, a.sampleAt(end))
	}
	if from < 0 || from >= to && (from > 0 || end > 0) {
		return Audio{}, fault.Dataf("the part from %g to %g s of a recording of %g s", start, end, a.Duration().Seconds())
	}
	part := Audio{Rate: a.Rate, Encoding: a.Encoding}
	for _, c := range a.Channels {
		part.Channels = append(part.Channels, c[from:to])
	}
	return part, nil
}

// sampleAt is the sample that plays at a time, or -1 where no recording is that long.
func (a Audio) sampleAt(seconds float64) int {
	if n := seconds * float64(a.Rate); n >= 0 && n < 1<<40 {
		return int(n)
	}
	return -1
}
