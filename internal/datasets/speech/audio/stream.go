package audio

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
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
	// Seconds by which the end that Each was last asked for lies behind that of the recording.
	Beyond float64

	next   func() ([][]float32, error)
	file   io.Closer
	filter *polyphase // to Rate, for Each; nil: as the file has it
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

// Bits is how many bits of an integer hold a sample without loss, and false where the file has
// floating-point samples.
func (s *Stream) Bits() (bits int, whole bool) {
	switch {
	case strings.HasPrefix(s.Encoding, "float"):
		return 0, false
	case s.Encoding == "mulaw" || s.Encoding == "alaw":
		return 14, true
	}
	bits, err := strconv.Atoi(strings.TrimLeft(s.Encoding, "pcmfla"))
	return bits, err == nil
}

// Resample makes Each give samples of another rate, which becomes s.Rate. It fails with
// fault.ErrData for rates that are too far apart or have no small ratio.
func (s *Stream) Resample(rate int) error {
	if rate == s.Rate {
		return nil
	}
	filter, err := filterFor(s.Rate, rate)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	s.Rate, s.filter = rate, filter
	return nil
}

// Pick makes the stream one of a single channel of those it has, counted from 0. It fails with
// fault.ErrData when there is no such channel.
func (s *Stream) Pick(channel int) error {
	if channel < 0 || channel >= s.Channels {
		return fmt.Errorf("%s: %w", s.Name, s.noChannel(channel))
	}
	all := s.next
	s.Channels, s.next = 1, func() ([][]float32, error) {
		part, err := all()
		if err != nil {
			return nil, err
		}
		return part[channel : channel+1], nil
	}
	return nil
}

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
	next := s.pieces(channel, max(from, 0))
	var total int64
	for {
		samples, at, err := next()
		if err == io.EOF { //nolint:errorlint // as from a reader
			break
		}
		if err != nil {
			return 0, err
		}
		length := int64(len(samples))
		total = at + length
		lo, hi := max(from-at, 0), min(to-at, length)
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
		return 0, fault.Dataf("%s: the part from %g to %g s of a recording of %g s", s.Name, start, end, float64(total)/float64(s.Rate))
	}
	if s.Beyond = 0; end > 0 && to > total {
		s.Beyond = end - float64(total)/float64(s.Rate)
	}
	return n, nil
}

// pieces gives the samples of a channel and the place of the first of them, at s.Rate, to the end
// of the recording. What is resampled begins at sample start at the earliest.
func (s *Stream) pieces(channel int, start int64) func() (samples []float32, at int64, err error) {
	var read int64 // samples of the file
	if s.filter == nil {
		return func() ([]float32, int64, error) {
			part, err := s.next()
			if err != nil {
				return nil, 0, err
			}
			at := read
			read += int64(len(part[channel]))
			return part[channel], at, nil
		}
	}
	r, ended := newResampler(s.filter, start), false
	return func() ([]float32, int64, error) {
		if ended {
			return nil, 0, io.EOF
		}
		part, err := s.next()
		var out []float32
		switch {
		case err == io.EOF: //nolint:errorlint // as from a reader
			ended = true
			if last := r.length(read); r.next > last { // all of it lies before start
				return nil, last, nil
			}
			out = r.end(read)
		case err != nil:
			return nil, 0, err
		default:
			out = r.add(part[channel], read)
			read += int64(len(part[channel]))
		}
		return out, r.next - int64(len(out)), nil
	}
}

func (s *Stream) channel(c int) (int, error) {
	switch {
	case c == -1 && s.Channels == 1:
		return 0, nil
	case c == -1:
		return 0, fault.Dataf("%d channels: choose one, 0 to %d", s.Channels, s.Channels-1)
	case c < 0 || c >= s.Channels:
		return 0, s.noChannel(c)
	}
	return c, nil
}

func (s *Stream) noChannel(c int) error {
	return fault.Dataf("no channel %d: there are %d, counted from 0", c, s.Channels)
}

// sampleAt is the sample that plays at a time, or -1 where no recording is that long.
func sampleAt(seconds float64, rate int) int64 {
	if n := seconds * float64(rate); n >= 0 && n < 1<<40 {
		return int64(n)
	}
	return -1
}
