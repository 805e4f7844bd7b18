package schedule_test

import (
	"fmt"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/schedule"
)

// TestStripsOfPointwiseConvolutionsHaveTheBitsOfImages: maps so wide that a strip is some of their
// rows, with prime numbers of blocks of channels, in training and evaluation.
func TestStripsOfPointwiseConvolutionsHaveTheBitsOfImages(t *testing.T) {
	pointwise := func(b *graph.Builder, name string, x *graph.Node, filters int) *graph.Node {
		return b.BatchNorm(name+".bn", b.Conv(name, x, graph.ConvOpts{Filters: filters, Kernel: 1, Stride: 1}))
	}
	n := drawSized(t, func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(pointwise(b, "stem", x, 40))
		y := b.ReLU(pointwise(b, "narrow", x, 20))
		x = b.ReLU(b.Add(pointwise(b, "wide", y, 40), x))
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	}, 5, 32, 64, 1)
	for _, threads := range []int{1, 3} {
		whole, strips := conv.DefaultLimits, conv.DefaultLimits
		whole.Strip, strips.Strip = 1<<40, 1
		t.Run(fmt.Sprint(threads), func(t *testing.T) {
			run := func(l conv.Limits) (trained map[string][]float32, logits []float32) {
				m := compile(t, n.train, schedule.Options{Threads: threads, Limits: l})
				e := compile(t, n.eval, schedule.Options{Threads: threads, Limits: l})
				trained = train(t, m, n, graph.StepOptions{StatsMomentum: 1})
				return trained, infer(t, e, n.x, 5)
			}
			wantT, wantE := run(whole)
			gotT, gotE := run(strips)
			sameBits(t, "a training step in strips", nil, gotT, wantT)
			for i := range wantE {
				if gotE[i] != wantE[i] {
					t.Fatalf("logit %d is %g, of whole images %g", i, gotE[i], wantE[i])
				}
			}
		})
	}
}
