package conv

import (
	"slices"
	"testing"
)

// TestPaddedHasThePhasesThatAreRead counts them: strides without and with a kernel as large.
func TestPaddedHasThePhasesThatAreRead(t *testing.T) {
	for _, c := range []struct {
		s      Shape
		phases int
		pixels int   // of each
		from   []int // its first pixel in the image
	}{
		{Shape{C: 16, K: 16, H: 8, W: 8, R: 1, S: 1, Stride: 1}, 1, 64, []int{0}},
		{Shape{C: 16, K: 16, H: 8, W: 8, R: 1, S: 1, Stride: 2}, 1, 16, []int{0}},
		{Shape{C: 16, K: 16, H: 9, W: 7, R: 1, S: 1, Stride: 3}, 1, 9, []int{0}},
		{Shape{C: 16, K: 16, H: 8, W: 8, R: 3, S: 1, Stride: 2, PadH: 1}, 2, 20, []int{8 * block, 0}},
		{Shape{C: 16, K: 16, H: 8, W: 8, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1}, 4, 25, []int{9 * block, 8 * block, block, 0}},
		{Shape{C: 16, K: 16, H: 9, W: 9, R: 2, S: 2, Stride: 3, PadH: 1, PadW: 1}, 4, 16, []int{20 * block, 18 * block, 2 * block, 0}},
	} {
		p := NewForward(c.s, Direct).Input()
		var from []int
		for _, v := range p.Views() {
			from = append(from, v.From)
		}
		if len(p.Views()) != c.phases || p.Len() != c.phases*c.pixels*block || !slices.Equal(from, c.from) {
			t.Errorf("%v: %d phases of %d values from %v, want %d of %d from %v", c.s, len(p.Views()), p.Len(), from, c.phases, c.phases*c.pixels*block, c.from)
		}
	}
}
