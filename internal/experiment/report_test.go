package experiment

import (
	"math"
	"testing"

	"resnet/internal/config"
)

func TestAnUpdateOfARunIsAllItsBatches(t *testing.T) {
	l, err := config.Load(config.Input{File: "quickstart", Sets: []string{"train.batch=24", "train.accumulate=3", "train.seed=9", "train.iterations=77"}})
	if err != nil {
		t.Fatal(err)
	}
	n := describeNet(t.TempDir(), l, nil)
	if n.Batch != 72 || n.Seed != 9 || n.Iterations != 77 || n.Dataset != "fashion-sample" || n.TestImages != 1000 {
		t.Errorf("%+v", n)
	}
}

func TestADifferenceIsRelativeToTheLargestValue(t *testing.T) {
	if got := largestDifference([]float32{1, -7.5, 3}, []float32{1, -8, 2.75}); math.Abs(got-0.0625) > 1e-12 {
		t.Errorf("%v, want 0.5 of 8", got)
	}
}
