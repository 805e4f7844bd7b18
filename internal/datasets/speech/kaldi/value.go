package kaldi

import (
	"math"

	"resnet/internal/datasets/fault"
)

// Kind is how a file holds an object; the names are Kaldi's tokens where it has them.
type Kind string

// The kinds of objects.
const (
	FloatMatrix  Kind = "FM"
	DoubleMatrix Kind = "DM"
	FloatVector  Kind = "FV"
	DoubleVector Kind = "DV"
	Compressed   Kind = "CM"  // a byte a value, with quartiles of each column
	Compressed2  Kind = "CM2" // two bytes a value
	Compressed3  Kind = "CM3" // a byte a value
	Integers     Kind = "int32"
	TextMatrix   Kind = "text matrix"
	TextVector   Kind = "text vector"
	TextIntegers Kind = "text integers"
)

// Value is an object of an archive. Exactly one of the slices holds it: Doubles for DM and DV, Ints
// for integers, Floats for the rest.
type Value struct {
	Kind       Kind
	Rows, Cols int // a vector is one row; integers are one row, too
	Floats     []float32
	Doubles    []float64
	Ints       []int32
}

// IsVector reports whether the value has one dimension.
func (v Value) IsVector() bool {
	switch v.Kind {
	case FloatVector, DoubleVector, TextVector, Integers, TextIntegers:
		return true
	}
	return false
}

// Matrix returns the values of a matrix [Rows, Cols] in float32, rounded where they are doubles.
// Vectors and integers are refused.
func (v Value) Matrix() ([]float32, error) {
	if v.IsVector() {
		return nil, fault.Dataf("%s where a matrix is wanted", v.describe())
	}
	if v.Doubles == nil {
		return v.Floats, nil
	}
	out := make([]float32, len(v.Doubles))
	for i, d := range v.Doubles {
		out[i] = float32(d)
	}
	return out, nil
}

// Float64 returns the values of a matrix or vector in float64, as CMVN statistics are kept.
func (v Value) Float64() ([]float64, error) {
	if v.Kind == Integers || v.Kind == TextIntegers {
		return nil, fault.Dataf("%s where a matrix is wanted", v.describe())
	}
	if v.Doubles != nil {
		return v.Doubles, nil
	}
	out := make([]float64, len(v.Floats))
	for i, f := range v.Floats {
		out[i] = float64(f)
	}
	return out, nil
}

// exactInts is below what float32 represents without gaps.
const exactInts = 1 << 24

// Alignment returns integers, one for each frame. A vector of whole numbers that is written as text
// in brackets, as kaldiio writes integers, is taken for integers, too.
func (v Value) Alignment() ([]int32, error) {
	if v.Kind == TextVector {
		ints := make([]int32, len(v.Floats))
		for i, f := range v.Floats {
			if ints[i] = int32(f); float32(ints[i]) != f || ints[i] >= exactInts || ints[i] <= -exactInts {
				return nil, fault.Dataf("%v where whole numbers are wanted, one for each frame", f)
			}
		}
		return ints, nil
	}
	if v.Kind != Integers && v.Kind != TextIntegers {
		return nil, fault.Dataf("%s where integers are wanted, one for each frame", v.describe())
	}
	return v.Ints, nil
}

func (v Value) describe() string {
	switch v.Kind {
	case Integers, TextIntegers:
		return "integers"
	case FloatVector, DoubleVector, TextVector:
		return "a vector"
	}
	return "a matrix"
}

// Range returns the smallest and largest finite value and how many are not finite. Of no finite
// values, low is above high.
func (v Value) Range() (low, high float64, odd int) {
	low, high = math.Inf(1), math.Inf(-1)
	see := func(x float64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			odd++
			return
		}
		low, high = min(low, x), max(high, x)
	}
	for _, x := range v.Floats {
		see(float64(x))
	}
	for _, x := range v.Doubles {
		see(x)
	}
	for _, x := range v.Ints {
		see(float64(x))
	}
	return low, high, odd
}
