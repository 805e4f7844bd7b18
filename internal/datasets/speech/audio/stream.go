package audio

import (
	"fmt"
	"io"
	"math"
	"time"

	"resnet/internal/datasets/fault"
	"resnet/internal/input"
)

// Stream is a recording that is read part by part, so that it may be of any length.
type Stream struct {
	Rate     int    // samples a second of each channel
	Channels int    // at least 1
	Encoding string // see Audio
	Name     string // for messages

	next func() ([][]float32, error)
	file io.Closer
}

// Open begins to read the recording that is in a file from a byte on.
func Open(path string, offset int64) (*Stream, error) {
	f, err := input.Open(path)
	if err != nil {
		return nil, fault.Opening(path, err, "check the path")
	}
	s, err := (*Stream)(nil), error(nil)
	if _, err = f.Seek(offset, io.SeekStart); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	} else {
		s, err = NewStream(f, path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	s.file = f
	return s, nil
}

// Close closes the file of a stream that Open began.
func (s *Stream) Close() error { return s.file.Close() }

// Next gives the next samples of all channels, [channel][sample], which are valid until the next
// call, and io.EOF behind the last ones.
func (s *Stream) Next() ([][]float32, error) { return s.next() }

// MaxDuration is the longest part of a recording that Each gives.
const MaxDuration = time.Hour

// Each reads the recording to its end, and hands over the samples of one channel (-1 for the only
// one) from start to end, in seconds; an end of 0 or less is that of the recording. It returns how
// many they were. A longer part than MaxDuration is fault.ErrData.
func (s *Stream) Each(channel int, start, end float64, use func(samples []float32) error) (n int64, err error) {
	if channel, err = s.channel(channel); err != nil {
		return 0, fmt.Errorf("%s: %w", s.Name, err)
	}
	from, to := sampleAt(start, s.Rate), int64(math.MaxInt64)
	if end > 0 {
		if at := sampleAt(end, s.Rate); at >= 0 {
			to = at
		}
	}
	most := int64(MaxDuration.Seconds()) * int64(s.Rate)
	var at int64 // of the first sample of the part in hand
	for {
		part, err := s.next()
		if err == io.EOF { //nolint:errorlint // as from a reader
			break
		}
		if err != nil {
			return 0, err
		}
		samples := part[channel]
		length := int64(len(samples))
		lo, hi := max(from-at, 0), min(to-at, length)
		at += length
		if from < 0 || lo >= hi {
			continue
		}
		if n += hi - lo; n > most {
			return 0, fault.Dataf("%s: more than %v of sound in one piece: cut it, or name its parts in a file of segments", s.Name, MaxDuration)
		}
		if err := use(samples[lo:hi]); err != nil {
			return 0, err
		}
	}
	if n == 0 && (from != 0 || end > 0) {
		return 0, fault.Dataf("%s: the part from %g to %g s of a recording of %g s", s.Name, start, end, float64(at)/float64(s.Rate))
	}
	return n, nil
}

func (s *Stream) channel(c int) (int, error) {
	switch {
	case c == -1 && s.Channels == 1:
		return 0, nil
	case c == -1:
		return 0, fault.Dataf("%d channels: choose one, 0 to %d", s.Channels, s.Channels-1)
	case c < 0 || c >= s.Channels:
		return 0, fault.Dataf("no channel %d: there are %d, counted from 0", c, s.Channels)
	}
	return c, nil
}

// sampleAt is the sample that plays at a time, or -1 where no recording is that long.
func sampleAt(seconds float64, rate int) int64 {
	if n := seconds * float64(rate); n >= 0 && n < 1<<40 {
		return int64(n)
	}
	return -1
}
