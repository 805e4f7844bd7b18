package schedule

import (
	"slices"
	"testing"

	"resnet/internal/graph"
)

// TestWindowRunsHaveTheWindowsOfTheirOutputs, also where the padding cuts windows off at both
// sides.
func TestWindowRunsHaveTheWindowsOfTheirOutputs(t *testing.T) {
	for _, s := range []graph.PoolShape{
		{H: 2, W: 2, Kernel: 3, Stride: 1, Pad: 1},
		{H: 9, W: 10, Kernel: 3, Stride: 2, Pad: 1},
		{H: 3, W: 1, Kernel: 3, Stride: 1, Pad: 1},
		{H: 7, W: 8, Kernel: 5, Stride: 3, Pad: 2},
		{H: 9, W: 9, Kernel: 9, Stride: 9},
		{H: 4, W: 3, Kernel: 5, Stride: 1, Pad: 2},
	} {
		seen := map[int]bool{}
		for _, r := range windowRuns(s) {
			for p := range r.pixels {
				out := r.to/block + p
				var got, want []int
				for _, tap := range r.taps {
					got = append(got, r.from/block+p*s.Stride+tap/block)
				}
				i, j := out/s.OutW(), out%s.OutW()
				for y := i*s.Stride - s.Pad; y < i*s.Stride-s.Pad+s.Kernel; y++ {
					for x := j*s.Stride - s.Pad; x < j*s.Stride-s.Pad+s.Kernel; x++ {
						if y >= 0 && y < s.H && x >= 0 && x < s.W {
							want = append(want, y*s.W+x)
						}
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%+v: output %d reads %v, want %v", s, out, got, want)
				}
				seen[out] = true
			}
		}
		if len(seen) != s.OutH()*s.OutW() {
			t.Errorf("%+v: %d outputs of %d", s, len(seen), s.OutH()*s.OutW())
		}
	}
}
