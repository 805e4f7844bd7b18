// Package inspect says what is in a file of speech: a recording, an archive or script of Kaldi, a
// feature file of HTK. What it is, is seen from the contents; only that a script is one, its name
// says.
package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/audio"
	"resnet/internal/datasets/speech/htk"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/datasets/speech/recording"
	"resnet/internal/input"
)

// Item is one recording, matrix, vector or alignment.
type Item struct {
	Key string `json:"key"`
	// FM, CM, int32, text matrix, pcm16, FBANK_D_A_Z, …
	Kind string `json:"kind"`
	// Frames, samples of a channel; 1 for a vector and for integers.
	Rows int `json:"rows"`
	// Values of a frame, channels, elements of a vector.
	Cols     int     `json:"cols"`
	Rate     int     `json:"rate,omitempty"`      // samples a second
	Seconds  float64 `json:"seconds,omitempty"`   // of sound
	PeriodMS float64 `json:"period_ms,omitempty"` // between frames, where the file says it
	Min      float64 `json:"min"`                 // of the finite values; 0 where there are none
	Max      float64 `json:"max"`
	Odd      int     `json:"not_finite"` // values that are no numbers
}

// Report sums up a file.
type Report struct {
	File string `json:"file"`
	// Recording, HTK, Kaldi object, Kaldi archive, Kaldi script.
	Format  string         `json:"format"`
	Entries int            `json:"entries"`
	Kinds   map[string]int `json:"kinds"`
	// Rows of matrices, samples of recordings, integers of alignments.
	Frames  int64   `json:"frames"`
	Dims    []int   `json:"dims"` // the widths that occur, sorted
	Rates   []int   `json:"rates,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Odd     int     `json:"not_finite"`
}

// add takes an item into the sums.
func (r *Report) add(i Item, counted int) {
	if r.Entries == 0 || i.Min < r.Min {
		r.Min = i.Min
	}
	if r.Entries == 0 || i.Max > r.Max {
		r.Max = i.Max
	}
	r.Entries++
	r.Kinds[i.Kind]++
	r.Frames += int64(counted)
	r.Seconds += i.Seconds
	r.Odd += i.Odd
	insert(&r.Dims, i.Cols)
	if i.Rate > 0 {
		insert(&r.Rates, i.Rate)
	}
}

// maxDims is how many different widths are kept: alignments have as many as there are lengths.
const maxDims = 1000

func insert(sorted *[]int, x int) {
	if at, found := slices.BinarySearch(*sorted, x); !found && len(*sorted) < maxDims {
		*sorted = slices.Insert(*sorted, at, x)
	}
}

// File reads a file whole and calls each for what is in it. What is damaged or no such file is
// fault.ErrData, as from the readers.
func File(ctx context.Context, name string, each func(Item) error) (Report, error) {
	r := Report{File: name, Kinds: map[string]int{}}
	script, path, err := kaldi.IsScript(name)
	if err != nil {
		return r, err
	}
	see := func(i Item, counted int) error {
		r.add(i, counted)
		if err := ctx.Err(); err != nil {
			return err
		}
		return each(i)
	}
	if script {
		r.Format = "Kaldi script"
		return r, scriptItems(ctx, path, see)
	}
	head, size, err := beginning(path)
	if err != nil {
		return r, err
	}
	switch {
	case audio.Known(head):
		r.Format = "recording"
		i, err := recordingItem(ctx, recording.Recording{Key: path, Path: path})
		if err != nil {
			return r, err
		}
		return r, see(i, i.Rows)
	case htk.Fits(head, size):
		r.Format = "HTK"
		f, err := htk.ReadFile(path)
		if err != nil {
			return r, err
		}
		i := valueItem(path, kaldi.Value{Kind: kaldi.Kind(f.Kind.String()), Rows: f.Frames, Cols: f.Dim, Floats: f.Data})
		i.PeriodMS = float64(f.Period.Microseconds()) / 1000
		return r, see(i, f.Frames)
	case bytes.HasPrefix(head, []byte("\x00B")):
		r.Format = "Kaldi object"
		v, err := kaldi.ReadObject(path)
		if err != nil {
			return r, err
		}
		return r, see(valueItem(path, v), counted(v))
	}
	r.Format = "Kaldi archive"
	return r, kaldi.Each("ark:"+path, func(key string, v kaldi.Value) error { return see(valueItem(key, v), counted(v)) })
}

// headLength shows what a file is, and fits the shortest feature file of HTK.
const headLength = 16

// beginning is what a file starts with and how long it is.
func beginning(path string) (head []byte, size int64, err error) {
	f, err := input.Open(path)
	if err != nil {
		return nil, 0, fault.Opening(path, err, "check the path")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	head = make([]byte, headLength)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	if n == 0 {
		return nil, 0, fault.Dataf("%s: the file is empty", path)
	}
	return head[:n], info.Size(), nil
}

// scriptItems reads what a script points at: recordings or objects.
func scriptItems(ctx context.Context, path string, see func(Item, int) error) error {
	scp, err := recording.ReadScript(path)
	if err != nil {
		return err
	}
	for _, e := range scp.Entries {
		file, err := scp.Locate(e)
		if err != nil {
			return err
		}
		sounds := e.Command != ""
		if !sounds {
			if sounds, err = recordingAt(file, e.Offset); err != nil {
				return fmt.Errorf("%s:%d: %w", path, e.Line, err)
			}
		}
		if sounds {
			r, err := recording.Of(scp, e)
			if err != nil {
				return err
			}
			i, err := recordingItem(ctx, r)
			if err != nil && (strings.Contains(e.Command, "zip") || strings.Contains(e.Command, "zcat")) {
				err = fmt.Errorf("%w; if it is an archive of features, name %s itself: gzip is read as it is", err, file)
			}
			if err != nil {
				return fmt.Errorf("%s:%d: %w", path, e.Line, err)
			}
			if err := see(i, i.Rows); err != nil {
				return err
			}
			continue
		}
		v, err := scp.Read(e)
		if err == nil {
			err = see(valueItem(e.Key, v), counted(v))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func recordingAt(path string, offset int64) (bool, error) {
	f, err := input.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, headLength)
	n, err := f.ReadAt(head, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return audio.Known(head[:n]), nil
}

// recordingItem reads a recording, which may be of any length, part by part.
func recordingItem(ctx context.Context, r recording.Recording) (Item, error) {
	s, err := r.Open()
	if err != nil {
		return Item{}, err
	}
	defer s.Close()
	i := Item{Key: r.Key, Kind: s.Encoding, Cols: s.Channels, Rate: s.Rate}
	low, high := math.Inf(1), math.Inf(-1)
	for {
		part, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return Item{}, err
		}
		i.Rows += len(part[0])
		for _, c := range part {
			l, h, odd := (kaldi.Value{Floats: c}).Range()
			low, high, i.Odd = min(low, l), max(high, h), i.Odd+odd
		}
	}
	i.Seconds = float64(i.Rows) / float64(i.Rate)
	i.Min, i.Max = ends(low, high)
	return i, nil
}

func valueItem(key string, v kaldi.Value) Item {
	i := Item{Key: key, Kind: string(v.Kind), Rows: v.Rows, Cols: v.Cols}
	low, high, odd := v.Range()
	i.Min, i.Max = ends(low, high)
	i.Odd = odd
	return i
}

// ends makes the range of no values 0, which JSON can say.
func ends(low, high float64) (float64, float64) {
	if low > high {
		return 0, 0
	}
	return low, high
}

// counted is what a value adds to the frames.
func counted(v kaldi.Value) int {
	if v.IsVector() {
		return v.Cols
	}
	return v.Rows
}
