package schedule_test

import (
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/schedule"
)

// TestPoolingOfFewImagesIsDividedWithinThem: the bits are those of whole images, for any number of
// them and of threads, and the regions have units for every thread.
func TestPoolingOfFewImagesIsDividedWithinThem(t *testing.T) {
	n := drawSized(t, func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Concat(x, x, x, x, x, x, x) // 21 channels
		x = b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 2, Pad: 1})
		x = b.LRN("lrn", x, graph.LRNOpts{Size: 5, Alpha: 1e-2, Beta: 0.75, Bias: 2})
		x = b.AvgPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1})
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	}, 3, 37, 41, 1)
	whole := compile(t, n.eval, schedule.Options{Threads: 1})
	limits := conv.DefaultLimits
	limits.Work = 1
	for _, threads := range []int{1, 2, 5} {
		m := compile(t, n.eval, schedule.Options{Threads: threads, Limits: limits})
		for images := 1; images <= 3; images++ {
			x := n.x[:images*n.eval.ImageLen()]
			want := infer(t, whole, x, images)
			for i, v := range infer(t, m, x, images) {
				if v != want[i] {
					t.Fatalf("%d threads, %d images: logit %d is %g, want %g", threads, images, i, v, want[i])
				}
			}
		}
		divided := 0
		for _, units := range schedule.InnerUnits(m) {
			if units > 0 {
				divided++
			}
		}
		if divided != 3 {
			t.Errorf("%d steps are divided within three images: %v", divided, schedule.InnerUnits(m))
		}
	}
}
