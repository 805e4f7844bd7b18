package experiment

import (
	"math"
	"testing"
	"time"

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
	if !(sum > 0) || len(r.Kinds) >= len(r.Steps) || r.Milliseconds <= 0 {
		t.Errorf("%d kinds of %d steps, %.2f of %.2f ms", len(r.Kinds), len(r.Steps), sum, r.Milliseconds)
	}
	if _, err := ProfileSteps(&Environment{Machine: "tape"}, BenchOptions{Mode: "infer", Arch: "resnet20", Batch: 1, Steps: 1, Threads: 1}); !isUsage(err) {
		t.Errorf("the tape has no steps of its own: %v", err)
	}
}
