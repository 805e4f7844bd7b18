package experiment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

func TestTheOracleAgreesWithItself(t *testing.T) {
	if worst, err := SelfTest(&Environment{Machine: "tape"}, graph.Float32, 1); err != nil || worst != 0 {
		t.Errorf("%v (%v)", worst, err)
	}
	if worst, err := SelfTest(&Environment{}, graph.Float32, 2); err != nil || !(worst > 0 && worst < 1e-4) {
		t.Errorf("kernels: %v (%v)", worst, err)
	}
	// Rounding to nearest is by up to 2⁻⁹ of a value, 0.002; without kernels none is rounded.
	for _, name := range kernel.AvailableBF16() {
		inBFloat16Kernels(t, name)
		worst, err := SelfTest(&Environment{}, graph.BFloat16, 2)
		if err != nil || !(worst < 0.01) || kernel.BF16() && worst < 1e-4 {
			t.Errorf("bfloat16 by %s: %v (%v)", name, worst, err)
		}
	}
	if _, err := SelfTest(&Environment{Machine: "abacus"}, graph.Float32, 1); !isUsage(err) {
		t.Errorf("an unknown machine: %v", err)
	}
}

func TestConvolutionsAreComparedWithTheDirectOneAndThePeak(t *testing.T) {
	speed := func(min, median, max float64) conv.Speed {
		return conv.Speed{Min: min * 1e9, Median: median * 1e9, Max: max * 1e9}
	}
	direct := conv.Speeds{Forward: speed(1, 2, 3), DataGrad: speed(4, 5, 6), Weights: speed(7, 8, 9)}
	fast := conv.Speeds{Forward: speed(3, 4, 5), DataGrad: speed(19, 20, 21), Weights: speed(1, 4, 9)}
	r := ConvReport{PeakGFLOPS: 16, Rows: []ConvRow{newConvRow("s", conv.Direct, direct, direct), newConvRow("s", conv.Winograd, fast, direct)}}
	r.comparePeak()
	want := []ConvRow{
		{Shape: "s", Algorithm: conv.Direct, Name: "direct", Passes: [3]ConvSpeed{
			{"forward", 2, 1, 3, 12.5, 1}, {"data gradient", 5, 4, 6, 31.25, 1}, {"weight gradient", 8, 7, 9, 50, 1},
		}},
		{Shape: "s", Algorithm: conv.Winograd, Name: "winograd", Passes: [3]ConvSpeed{
			{"forward", 4, 3, 5, 25, 2}, {"data gradient", 20, 19, 21, 125, 4}, {"weight gradient", 4, 1, 9, 25, 0.5},
		}},
	}
	if diff := cmp.Diff(want, r.Rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
