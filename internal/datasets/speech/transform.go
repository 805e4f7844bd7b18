package speech

import (
	"fmt"
	"math"

	"resnet/internal/datasets/fault"
)

// Transform is a linear map of frames, x to W·x + b: that of a speaker, before a network that was
// trained on others.
type Transform struct {
	Dim    int
	Weight []float32 // [Dim, Dim], row-major
	Bias   []float32 // [Dim]
}

// Check fails with fault.ErrData when sizes disagree or a value is not finite.
func (t Transform) Check() error {
	if t.Dim < 1 || len(t.Weight) != t.Dim*t.Dim || len(t.Bias) != t.Dim {
		return fault.Dataf("a transform of %d values with a matrix of %d and a bias of %d", t.Dim, len(t.Weight), len(t.Bias))
	}
	for _, list := range [][]float32{t.Weight, t.Bias} {
		for _, v := range list {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fault.Dataf("a transform with a value that is not finite")
			}
		}
	}
	return nil
}

// Apply maps every frame of f in place. Products are rounded to float32 and added in the order of
// the values, so that the identity changes no bit and every processor gives the same. It fails when
// f has frames of another size.
func (t Transform) Apply(f Features) error {
	if f.Dim != t.Dim {
		return fmt.Errorf("a transform for frames of %d values, and these have %d", t.Dim, f.Dim)
	}
	x := make([]float32, t.Dim)
	for at := 0; at < len(f.Data); at += t.Dim {
		y := f.Data[at : at+t.Dim]
		copy(x, y)
		for i := range y {
			var sum float32
			for j, w := range t.Weight[i*t.Dim : (i+1)*t.Dim] {
				sum += float32(w * x[j])
			}
			y[i] = sum + t.Bias[i]
		}
	}
	return nil
}
