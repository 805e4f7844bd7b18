package audio

import (
	"bufio"
	"bytes"
	"errors"
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
	// How the file holds a sample: pcm8, pcm16, pcm24, pcm32, float32, float64, mulaw, alaw,
	// flac16, …
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

// NewStream begins to read a recording; name stands in messages. What it is, is seen from its first
// bytes, behind tags and within gzip.
func NewStream(r io.Reader, name string) (*Stream, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	head, err := b.Peek(peekLength)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		if b, err = gunzip(b, name); err != nil {
			return nil, err
		}
	}
	if head, err = skipTags(b, name); err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, fault.Dataf("%s: the file is empty", name)
	}
	for _, f := range readers {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.read(b, name)
		}
	}
	if err := otherFormat(head); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return nil, fault.Dataf("%s: no recording that is read (WAV, RF64, W64, FLAC, SPHERE): it begins with %q", name, head[:min(len(head), 12)])
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
