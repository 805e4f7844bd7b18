package speech

import (
	"fmt"
	"math"
	"sort"

	"resnet/internal/datasets/fault"
)

// melScale is 1127 ln(1 + f/700), rounded as by Kaldi.
func melScale(hz float32) float32 { return 1127 * float32(math.Log(float64(1+hz/700))) }

// melBin is a triangle on the mel scale: weights of the points of the spectrum from first on.
type melBin struct {
	first   int
	weights []float32
}

// melBins are the F triangles over the spectrum's points 0 to P/2−1; the point at half the rate is
// left out, as in Kaldi.
func (o FbankOptions) melBins() ([]melBin, error) {
	points := o.padded() / 2
	step := float32(o.Rate) / float32(o.padded())
	mels := make([]float32, points)
	for i := range mels {
		mels[i] = melScale(step * float32(i))
	}
	low, high := melScale(float32(o.Low)), melScale(float32(o.high()))
	delta := (high - low) / float32(o.Bins+1)
	bins := make([]melBin, o.Bins)
	for b := range bins {
		left, centre, right := low+float32(float32(b)*delta), low+float32(float32(b+1)*delta), low+float32(float32(b+2)*delta)
		// Points are sorted by mel: those of a bin follow each other.
		for i := sort.Search(points, func(i int) bool { return mels[i] > left }); i < points && mels[i] < right; i++ {
			mel := mels[i]
			weight := (mel - left) / (centre - left)
			if mel > centre {
				weight = (right - mel) / (right - centre)
			}
			if bins[b].weights == nil {
				bins[b].first = i
			}
			bins[b].weights = append(bins[b].weights, weight)
		}
		if bins[b].weights == nil {
			return nil, fault.Errorf(fault.ErrConfig, "filter banks: %w", &OptionError{"bins", fmt.Sprintf(
				"bin %d of %d lies between two points of the spectrum, which are %.4g Hz apart: use fewer bins, longer windows or a higher low edge", b, o.Bins, step)})
		}
	}
	return bins, nil
}
