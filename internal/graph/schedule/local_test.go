package schedule_test

import (
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// TestUnitsLargerThanAGroup evaluates and trains images so large that a unit's go through a
// convolution in several groups. Of so many values some are always at a kink, so the net has none;
// its second convolution has a prologue.
func TestUnitsLargerThanAGroup(t *testing.T) {
	const n = 50
	f := func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1}))
		y := b.BatchNorm("bn2", b.Conv("conv2", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1}))
		x = b.ELU(b.Add(y, x), 1)
		return b.Linear("fc", b.GlobalAvgPool(b.Conv("conv3", x, graph.ConvOpts{Filters: 16, Kernel: 1, Stride: 1})), classes)
	}
	slow, fast := drawSized(t, f, n, 32, 32, 1), drawSized(t, f, n, 32, 32, 1)
	with := schedule.Options{Threads: 2}
	tape, err := graph.NewTape(slow.train, slow.params)
	if err != nil {
		t.Fatal(err)
	}
	report(t, differences("training", train(t, compile(t, fast.train, with), fast, graph.StepOptions{}), train(t, tape, slow, graph.StepOptions{}), 5e-5))
	compareInference(t, slow, fast, n, with, 5e-5)
}
