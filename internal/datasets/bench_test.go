package datasets

import (
	"testing"
)

// BenchmarkAugment prepares CIFAR images (crop, flip, mean image) on one core.
func BenchmarkAugment(b *testing.B) {
	mean := make([]float32, cifarPixels)
	p := newPreparer(Normalizer{Kind: PixelMean, Mean: mean}, Augment{Pad: 4, Flip: true}, 3, 32, 32)
	src, dst := make([]byte, cifarPixels), make([]float32, cifarPixels)
	for i := 0; b.Loop(); i++ {
		p.augmented(dst, src, 1, 0, i)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
