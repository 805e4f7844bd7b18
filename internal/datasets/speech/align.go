package speech

import (
	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/kaldi"
)

// AlignmentSlack is by how many frames an alignment may be longer or shorter than its features:
// programs differ in the windows at the end of a recording.
const AlignmentSlack = 2

// Align cuts features and alignment to the frames that both have, and returns by how many they
// differed. A difference of more than AlignmentSlack is fault.ErrData: then they are of different
// recordings or frame shifts.
func Align(f Features, labels []int32) (Features, []int32, int, error) {
	n := min(f.Frames, len(labels))
	trimmed := max(f.Frames, len(labels)) - n
	if trimmed > AlignmentSlack {
		return Features{}, nil, 0, fault.Dataf("%d frames of features and an alignment of %d: up to %d more or fewer are trimmed", f.Frames, len(labels), AlignmentSlack)
	}
	if n == 0 {
		return Features{}, nil, 0, fault.Dataf("%d frames of features and an alignment of %d", f.Frames, len(labels))
	}
	return Features{Frames: n, Dim: f.Dim, Data: f.Data[:n*f.Dim]}, labels[:n], trimmed, nil
}

// FromKaldi takes a matrix of an archive as features. Vectors, empty matrices and values that are
// not finite are fault.ErrData.
func FromKaldi(v kaldi.Value) (Features, error) {
	data, err := v.Matrix()
	if err != nil {
		return Features{}, err
	}
	f := Features{Frames: v.Rows, Dim: v.Cols, Data: data}
	return f, f.Check()
}

// Check refuses features that hold nothing, or something that is no number.
func (f Features) Check() error {
	if f.Frames < 1 || f.Dim < 1 {
		return fault.Dataf("no frames")
	}
	for i, x := range f.Data {
		if x-x != 0 { // NaN and both infinities
			return fault.Dataf("frame %d, value %d is %v", i/f.Dim, i%f.Dim, x)
		}
	}
	return nil
}
