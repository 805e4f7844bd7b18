package schedule_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// TestDivisionsDoNotChangeABit: work that is divided for many threads gives the bits of one, also
// on batches whose units are not a power of two of images, and its steps are consistent.
func TestDivisionsDoNotChangeABit(t *testing.T) {
	nets := maps.Clone(nets)
	nets["groups"] = func(b *graph.Builder, x *graph.Node) *graph.Node {
		for i, c := range []graph.ConvOpts{{Filters: 32, Kernel: 3, Stride: 1, Pad: 1}, {Filters: 32, Kernel: 3, Stride: 1, Pad: 1, Groups: 8}, {Filters: 32, Kernel: 3, Stride: 2, Pad: 1, Groups: 2}, {Filters: 48, Kernel: 1, Stride: 1}} {
			name := string(rune('a' + i))
			x = b.ReLU(b.BatchNorm("bn"+name, b.Conv(name, x, c)))
		}
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	}
	for _, name := range []string{"groups", "every activation", "pre-activation", "without normalisation", "normalised twice", "shared accumulators"} {
		for _, images := range []int{128, 100} {
			var want, eval map[string][]float32
			regions := map[int]bool{}
			for _, o := range []schedule.Options{{Threads: 1}, {Threads: 1, Divide: 5}, {Threads: 17}, {Threads: 3, Divide: 64}, {Threads: 64}, {Threads: 2, Divide: 1000}} {
				n := draw(t, nets[name], images, 1)
				m := compile(t, n.train, o)
				for _, fault := range schedule.Verify(m) {
					t.Errorf("%s, %+v: %s", name, o, fault)
				}
				units := 0
				for _, u := range schedule.RegionUnits(m) {
					units = max(units, u)
				}
				regions[units] = true
				train(t, m, n, graph.StepOptions{})
				got := train(t, m, n, graph.StepOptions{Accumulate: true})
				logits, err := compile(t, n.eval, o).Infer(n.x, images)
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want, eval = got, map[string][]float32{"logits": slices.Clone(logits)}
				}
				sameBits(t, fmt.Sprintf("%s, %d, %+v", name, images, o), nil, got, want)
				sameBits(t, fmt.Sprintf("%s in evaluation, %d, %+v", name, images, o), nil, map[string][]float32{"logits": logits}, eval)
			}
			if len(regions) < 2 {
				t.Errorf("%s, %d images: %v units whatever the threads", name, images, regions)
			}
		}
	}
}
