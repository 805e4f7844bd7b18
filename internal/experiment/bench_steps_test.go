package experiment

import (
	"math"
	"testing"
	"time"

	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/schedule"
)

func TestStepsAreAddedUpByKind(t *testing.T) {
	whole := 10 * time.Millisecond
	var steps []BenchStep
	for _, s := range []schedule.StepTime{
		{Kind: "conv", Shape: "a", Algorithm: "winograd", Bytes: 4_000_000, Time: 1 * time.Millisecond},
		{Kind: "conv", Shape: "b", Algorithm: "winograd", Bytes: 2_000_000, Time: 2 * time.Millisecond},
		{Kind: "conv", Shape: "a", Algorithm: "direct", Bytes: 1, Time: 0},
		{Kind: "conv", Shape: "a", Algorithm: "winograd", Backward: true, Bytes: 10_000_000, Time: 5 * time.Millisecond},
	} {
		steps = append(steps, newBenchStep(s, whole))
	}
	if s := steps[0]; s.Percent != 10 || s.GigabytesPerSecond != 4 || s.Count != 1 || s.Pass != "forward" {
		t.Errorf("%+v", s)
	}
	want := []BenchStep{
		{Kind: "conv", Algorithm: "winograd", Pass: "backward", Count: 1, Bytes: 10_000_000, Milliseconds: 5, Percent: 50, GigabytesPerSecond: 2},
		{Kind: "conv", Algorithm: "winograd", Pass: "forward", Count: 2, Bytes: 6_000_000, Milliseconds: 3, Percent: 30, GigabytesPerSecond: 2},
		{Kind: "conv", Algorithm: "direct", Pass: "forward", Count: 1, Bytes: 1},
	}
	got := byKind(steps)
	if len(got) != len(want) {
		t.Fatalf("%d kinds, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if math.Abs(g.GigabytesPerSecond-w.GigabytesPerSecond) > 1e-9 || math.Abs(g.Milliseconds-w.Milliseconds) > 1e-9 || math.Abs(g.Percent-w.Percent) > 1e-9 {
			t.Errorf("%+v, want %+v", g, w)
		}
		g.GigabytesPerSecond, g.Milliseconds, g.Percent = w.GigabytesPerSecond, w.Milliseconds, w.Percent
		if g != w {
			t.Errorf("%+v, want %+v", g, w)
		}
	}
}

// TestTheBoundIsTheLargerOfArithmeticAndBytes with rates that are easy to divide by.
func TestTheBoundIsTheLargerOfArithmeticAndBytes(t *testing.T) {
	s := conv.Shape{C: 10, K: 10, H: 10, W: 10, R: 1, S: 1, Stride: 1} // 20,000 operations an image
	narrow := conv.Shape{C: 5, K: 5, H: 10, W: 10, R: 1, S: 1, Stride: 1}
	of := func(forward, data, weights float64) conv.Speeds {
		return conv.Speeds{Forward: conv.Speed{Median: forward}, DataGrad: conv.Speed{Median: data}, Weights: conv.Speed{Median: weights}}
	}
	l := limits{
		threads: 2, peak: 4e6, stream: 1e6,
		speeds: map[convolved]conv.Speeds{{s, conv.Direct}: of(1e6, 5e5, 2e5), {narrow, conv.Direct}: of(2e6, 1, 1)},
		best:   map[pass]float64{{conv.Direct, conv.ForwardPass}: 2e6, {conv.Direct, conv.DataGradPass}: 5e5},
	}
	forward := []schedule.Product{{Shape: s, Pass: conv.ForwardPass, Images: 5}}
	for _, c := range []struct {
		step schedule.StepTime
		want float64 // milliseconds
	}{
		{schedule.StepTime{Bytes: 7000}, 7},
		{schedule.StepTime{Algorithm: "direct", Bytes: 7000, Products: forward}, 50}, // 1e5 at 2e6
		{schedule.StepTime{Algorithm: "direct", Bytes: 70000, Products: forward}, 70},
		{schedule.StepTime{Algorithm: "direct, two-stage", Bytes: 7000, Products: forward}, 25},
		{schedule.StepTime{Bytes: 7000, Products: forward}, 25},
		{schedule.StepTime{Algorithm: "direct", Products: []schedule.Product{{Shape: s, Pass: conv.WeightGradPass, Images: 1}, {Shape: s, Pass: conv.DataGradPass, Images: 2}}}, 50 + 40},
	} {
		if got := milliseconds(l.bound(c.step)); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("%+v: %g ms, want %g", c.step, got, c.want)
		}
	}
}

func TestAProfileHasEveryConvolutionThreeTimes(t *testing.T) {
	r, err := ProfileSteps(&Environment{}, BenchOptions{Mode: "train", Arch: "resnet20", Batch: 4, Steps: 2, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	convolutions, sum := map[string]int{}, 0.0
	for _, s := range r.Steps {
		if s.Algorithm != "" {
			convolutions[s.Pass]++
		}
		sum += s.Milliseconds
	}
	// 19 convolutions; the gradients of one are one step, and the first has none of its input.
	if convolutions["forward"] != 19 || convolutions["backward"] != 19 {
		t.Errorf("%v convolutions, want 19 in each direction", convolutions)
	}
	// Three times the network's multiply-adds, without the gradient of the image.
	bound, first := 0.0, 3*16*9*32*32
	for _, s := range r.Steps {
		bound += s.Bound
	}
	if want := 4 * 2 * (3*40_551_040.0 - float64(first)) / 1e9; math.Abs(r.GFLOP-want) > 1e-9 {
		t.Errorf("%g GFLOP, want %g", r.GFLOP, want)
	}
	if math.Abs(bound-r.Bound) > 1e-9 || math.Abs(r.PercentOfBound-100*bound/r.Milliseconds) > 1e-6 || !(bound > 0) || !(r.Bandwidth > 0) {
		t.Errorf("bounds of %g ms in all, %+v", bound, r)
	}
	if !(sum > 0) || len(r.Kinds) >= len(r.Steps) || r.Milliseconds <= 0 {
		t.Errorf("%d kinds of %d steps, %.2f of %.2f ms", len(r.Kinds), len(r.Steps), sum, r.Milliseconds)
	}
	if _, err := ProfileSteps(&Environment{Machine: "tape"}, BenchOptions{Mode: "infer", Arch: "resnet20", Batch: 1, Steps: 1, Threads: 1}); !isUsage(err) {
		t.Errorf("the tape has no steps of its own: %v", err)
	}
}
