package kaldi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"resnet/internal/datasets/fault"
)

// maxLine is longer than any line of a script; a file without line ends is none.
const maxLine = 1 << 20

// EachLine calls f for the lines of a text file (which may be compressed with gzip): the first
// word, and the rest without the spaces around it. Empty lines are passed over. Errors get file and
// line.
func EachLine(path string, f func(line int, key, rest string) error) error {
	if err := refusePipe(path, "the table"); err != nil {
		return err
	}
	src, err := openFile(path, 0)
	if err != nil {
		return err
	}
	defer src.Close()
	return scanLines(src, path, src.limit, f)
}

func scanLines(r io.Reader, path string, limit int64, f func(line int, key, rest string) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, 1<<12), maxLine)
	line, total := 0, int64(0)
	for scanner.Scan() {
		line++
		total += int64(len(scanner.Bytes())) + 1
		text := strings.TrimSpace(scanner.Text())
		if text == "" {
			continue
		}
		if strings.IndexByte(text, 0) >= 0 {
			return fault.Dataf("%s:%d: binary data: this is no script or table of text", path, line)
		}
		if limit > 0 && total > limit {
			return fault.Dataf("%s:%d: more text than a compressed file of this size should hold", path, line)
		}
		key, rest, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
		if err := f(line, key, strings.TrimSpace(rest)); err != nil {
			return fmt.Errorf("%s:%d: %w", path, line, err)
		}
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fault.Dataf("%s:%d: a line of more than %d bytes: this is no script or table of text", path, line+1, maxLine)
	} else if err != nil {
		return fault.Dataf("%s: after line %d: %w", path, line, err)
	}
	return nil
}

// Pair is a line of a table of two columns.
type Pair struct{ Key, Value string }

// ReadTable reads a table of a key and a text, such as utt2spk or text. A key without a value, or
// one that comes twice, is fault.ErrData.
func ReadTable(path string) ([]Pair, error) {
	var pairs []Pair
	seen := map[string]int{}
	err := EachLine(path, func(line int, key, rest string) error {
		if rest == "" {
			return fault.Dataf("the key %q has no value", key)
		}
		if first, twice := seen[key]; twice {
			return fault.Dataf("the key %q comes twice, first in line %d", key, first)
		}
		seen[key] = line
		pairs = append(pairs, Pair{key, rest})
		return nil
	})
	return pairs, err
}

// Segment is a line of a file `segments`: an utterance is a part of a recording.
type Segment struct {
	Utterance, Recording string
	Start, End           float64 // seconds; an end of -1 is that of the recording
	Channel              int     // counted from 0; -1 where the line has none
}

// ReadSegments reads a file `segments`.
func ReadSegments(path string) ([]Segment, error) {
	pairs, err := ReadTable(path)
	if err != nil {
		return nil, err
	}
	segments := make([]Segment, len(pairs))
	for i, p := range pairs {
		f := strings.Fields(p.Value)
		if len(f) != 3 && len(f) != 4 {
			return nil, fault.Dataf("%s: %q: a line is utterance, recording, start and end, and a channel where there are several", path, p.Key)
		}
		channel := -1
		if len(f) == 4 {
			if channel, err = channelOf(f[3]); err != nil {
				return nil, fmt.Errorf("%s: %q: %w", path, p.Key, err)
			}
		}
		start, errA := strconv.ParseFloat(f[1], 64)
		end, errB := strconv.ParseFloat(f[2], 64)
		if errA != nil || errB != nil || !(start >= 0) || !(end > start || end == -1) || math.IsInf(end, 0) {
			return nil, fault.Dataf("%s: %q: from %s to %s: seconds are wanted, the end after the start or -1", path, p.Key, f[1], f[2])
		}
		segments[i] = Segment{p.Key, f[0], start, end, channel}
	}
	return segments, nil
}

// channelOf reads a channel: a number, counted from 0 (-1 is the only one), or a letter from A.
func channelOf(text string) (int, error) {
	if len(text) == 1 && text[0] >= 'A' && text[0] <= 'Z' {
		return int(text[0] - 'A'), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < -1 {
		return 0, fault.Dataf("the channel %q: it is a number, counted from 0, a letter from A, or -1 for the only one", text)
	}
	return n, nil
}
