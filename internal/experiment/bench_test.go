package experiment

import (
	"math"
	"testing"

	"resnet/internal/blocks"
)

func TestASpeedIsOfTheMedianAndCountsThreePassesOfATraining(t *testing.T) {
	spec, err := blocks.Lookup("resnet20")
	if err != nil {
		t.Fatal(err)
	}
	// ResNet-20: 40,551,808 multiply-adds an image; 128 images in the median of 0.2 s.
	const forward = 2 * 40_551_808 * 128 / 0.2 / 1e9
	for mode, passes := range map[string]float64{"infer": 1, "train": 3} {
		b := &bench{BenchOptions: BenchOptions{Mode: mode, Batch: 128, Threads: 3}, spec: spec}
		r := b.report([]float64{0.4, 0.1, 0.2})
		if math.Abs(r.GFLOPS/(passes*forward)-1) > 1e-3 {
			t.Errorf("%s: %.2f GFLOP/s, want %.2f", mode, r.GFLOPS, passes*forward)
		}
		if r.ImagesPerSecond != 640 || r.MsPerStep != 200 || r.MsMin != 100 || r.MsMax != 400 || r.Steps != 3 || r.Threads != 3 || r.Frames != 0 {
			t.Errorf("%s: %+v", mode, r)
		}
	}
	wrbn, err := blocks.Lookup("wrbn")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{BenchOptions: BenchOptions{Mode: "infer", Batch: 8, Frames: 300}, spec: wrbn}
	r := b.report([]float64{2})
	if want := 2 * float64(wrbn.MACs) * 8 * 300 / 2 / 1e9; math.Abs(r.GFLOPS/want-1) > 1e-12 || r.FramesPerSecond != 1200 || r.ImagesPerSecond != 4 {
		t.Errorf("wrbn: %+v, want %.2f GFLOP/s", r, want)
	}
}

func TestABenchOfATrainingTrains(t *testing.T) {
	env := &Environment{Version: "v"}
	r, err := Bench(env, BenchOptions{Mode: "train", Arch: "resnet20", Batch: 4, Steps: 3, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Batch != 4 || r.Steps != 3 || r.Version != "v" || !(r.MsMin > 0 && r.MsMin <= r.MsPerStep && r.MsPerStep <= r.MsMax) || r.PeakRSSBytes < 1<<20 {
		t.Errorf("%+v", r)
	}
}
