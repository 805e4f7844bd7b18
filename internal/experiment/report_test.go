package experiment

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/config"
	"resnet/internal/eval/report"
)

func TestAnUpdateOfARunIsAllItsBatches(t *testing.T) {
	l, err := config.Load(config.Input{File: "quickstart", Sets: []string{"train.batch=24", "train.accumulate=3", "train.seed=9", "train.iterations=77"}})
	if err != nil {
		t.Fatal(err)
	}
	n, _ := describeNet(t.TempDir(), l, nil)
	if n.Batch != 72 || n.Seed != 9 || n.Iterations != 77 || n.Dataset != "fashion-sample" || n.TestImages != 1000 {
		t.Errorf("%+v", n)
	}
}

// TestAFolderSaysWhetherItsDataWereThePublished: by env.json; one of before it was recorded does
// not say. Runs on a copy and on the published files are no seeds of one experiment.
func TestAFolderSaysWhetherItsDataWereThePublished(t *testing.T) {
	l, err := config.Load(config.Input{File: "cifar20"})
	if err != nil {
		t.Fatal(err)
	}
	net := func(env string) report.Net {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "env.json"), []byte(env), 0o644); err != nil {
			t.Fatal(err)
		}
		n, _ := describeNet(dir, l, nil)
		return n
	}
	before, published, copied := net(`{}`), net(`{"data": "cifar10"}`), net(`{"data": "cifar10 (converted copy)"}`)
	if before.Dataset != "cifar10" || !before.Unverified || published.Dataset != "cifar10" || published.Unverified ||
		copied.Dataset != "cifar10 (converted copy)" || copied.Unverified {
		t.Errorf("before it was recorded %+v, published %+v, a copy %+v", before, published, copied)
	}
	for _, c := range []struct {
		second report.Net
		want   []report.Setting
	}{{before, nil}, {copied, []report.Setting{{Key: "data.name", Value: "cifar10"}}}} {
		runs := []report.Compared{{Net: published}, {Net: c.second}}
		tellSettings(runs, []*config.Loaded{l, l})
		if d := cmp.Diff(c.want, runs[0].Net.Settings); d != "" {
			t.Errorf("beside %s (-want +got):\n%s", c.second.Dataset, d)
		}
	}
}

func TestADifferenceIsRelativeToTheLargestValue(t *testing.T) {
	if got := largestDifference([]float32{1, -7.5, 3}, []float32{1, -8, 2.75}); math.Abs(got-0.0625) > 1e-12 {
		t.Errorf("%v, want 0.5 of 8", got)
	}
}
