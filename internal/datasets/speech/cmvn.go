package speech

import (
	"fmt"
	"math"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/kaldi"
)

// CMVN holds the statistics of frames from which mean and variance are normalised: of an utterance,
// or of all those of a speaker.
type CMVN struct {
	Count        float64   // frames
	Sum, Squares []float64 // [D]
}

// NewCMVN returns the statistics of no frames of D values.
func NewCMVN(dim int) *CMVN {
	return &CMVN{Sum: make([]float64, dim), Squares: make([]float64, dim)}
}

// Add takes the frames of f into the statistics.
func (c *CMVN) Add(f Features) error {
	if f.Dim != len(c.Sum) {
		return fault.Dataf("frames of %d values in statistics of %d", f.Dim, len(c.Sum))
	}
	for t := range f.Frames {
		for i, v := range f.Row(t) {
			c.Sum[i] += float64(v)
			c.Squares[i] += float64(v) * float64(v)
		}
	}
	c.Count += float64(f.Frames)
	return nil
}

// varianceFloor is Kaldi's (cmvn.cc): a value that never changes becomes 0 and not a division by
// zero.
const varianceFloor = 1e-20

// Apply subtracts the mean from f, in place, and with variance also divides by the standard
// deviation, as Kaldi's apply-cmvn.
func (c *CMVN) Apply(f Features, variance bool) error {
	if f.Dim != len(c.Sum) {
		return fault.Dataf("frames of %d values, statistics of %d", f.Dim, len(c.Sum))
	}
	if c.Count < 1 {
		return fault.Dataf("statistics of %g frames", c.Count)
	}
	scale, offset := make([]float32, f.Dim), make([]float32, f.Dim)
	for i := range scale {
		mean, s := c.Sum[i]/c.Count, 1.0
		if variance {
			s = 1 / math.Sqrt(max(c.Squares[i]/c.Count-mean*mean, varianceFloor))
		}
		if math.IsNaN(mean*s) || math.IsInf(mean*s, 0) {
			return fault.Dataf("value %d: the statistics are not finite", i)
		}
		scale[i], offset[i] = float32(s), float32(-mean*s)
	}
	for t := range f.Frames {
		row := f.Row(t)
		for i, v := range row {
			row[i] = float32(v*scale[i]) + offset[i]
		}
	}
	return nil
}

// NormalizeUtterance applies the statistics of f to f itself.
func NormalizeUtterance(f Features, variance bool) error {
	c := NewCMVN(f.Dim)
	if err := c.Add(f); err != nil {
		return err
	}
	return c.Apply(f, variance)
}

// Matrix is the form in which Kaldi stores the statistics, [2, D+1]: sums and the count, then
// squares and a zero.
func (c *CMVN) Matrix() (rows, cols int, data []float64) {
	data = append(append(append(append(data, c.Sum...), c.Count), c.Squares...), 0)
	return 2, len(c.Sum) + 1, data
}

// CMVNFromMatrix reads that form.
func CMVNFromMatrix(rows, cols int, data []float64) (*CMVN, error) {
	if rows != 2 || cols < 2 || len(data) != rows*cols {
		return nil, fault.Dataf("CMVN statistics of %d × %d values: they are 2 × (dimension + 1)", rows, cols)
	}
	return &CMVN{Count: data[cols-1], Sum: data[:cols-1], Squares: data[cols : 2*cols-1]}, nil
}

// ReadStatistics reads the statistics of speakers or utterances from a Kaldi archive or script.
func ReadStatistics(path string) (map[string]*CMVN, error) {
	all := map[string]*CMVN{}
	err := kaldi.Each(path, func(key string, v kaldi.Value) error {
		data, err := v.Float64()
		if err == nil {
			all[key], err = CMVNFromMatrix(v.Rows, v.Cols, data)
		}
		if err != nil {
			return fmt.Errorf("%s: %q: %w", path, key, err)
		}
		return nil
	})
	return all, err
}
