package eval

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// sumNet gives class c the logit sin(c·Σx), so that figures depend on the very image that they are
// counted for.
type sumNet struct {
	size int
	nan  float64 // an image whose first value is this gets NaN
}

func (s sumNet) Infer(x []float32, n int) ([]float32, error) {
	var logits []float32
	for i := range n {
		var sum float64
		for _, v := range x[i*s.size : (i+1)*s.size] {
			sum += float64(v)
		}
		for c := range 10 {
			z := math.Sin(float64(c+1) * sum)
			if sum == s.nan {
				z = math.NaN()
			}
			logits = append(logits, float32(z))
		}
	}
	return logits, nil
}

func sample(t *testing.T) *datasets.Dataset {
	t.Helper()
	ds, err := datasets.Open(t.Context(), datasets.Config{Name: "fashion-sample", Downsample: 2, Validation: 100}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestEverySplitIsMeasuredWholeWhateverTheBatch(t *testing.T) {
	ds := sample(t)
	info := ds.Info()
	size := info.Channels * info.Height * info.Width
	for _, split := range []datasets.Split{datasets.Val, datasets.Test} {
		var want Metrics
		for i, batch := range []int{1, 7, 250} {
			seen := map[int]bool{}
			got, err := EvaluateSplit(t.Context(), sumNet{size: size, nan: -1}, ds, SplitOptions{Split: split, Batch: batch, Workers: i + 1},
				func(im Image) error {
					seen[im.Index] = true
					if im.Label != ds.Label(split, im.Index) {
						t.Errorf("%s: image %d has the label %d, want %d", split, im.Index, im.Label, ds.Label(split, im.Index))
					}
					return nil
				})
			if err != nil {
				t.Fatal(err)
			}
			if got.N != ds.Len(split) || len(seen) != ds.Len(split) {
				t.Errorf("%s: %d images measured, %d observed, want %d", split, got.N, len(seen), ds.Len(split))
			}
			if i == 0 {
				want = got
			} else if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: batch %d (-batch 1 +batch %d):\n%s", split, batch, batch, d)
			}
		}
	}
}

func TestLimitTakesTheFirstImages(t *testing.T) {
	ds := sample(t)
	var index []int
	m, err := EvaluateSplit(t.Context(), sumNet{size: 14 * 14, nan: -1}, ds, SplitOptions{Split: datasets.Train, Batch: 8, Limit: 19},
		func(im Image) error { index = append(index, im.Index); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(indexes(19), index); d != "" || m.N != 19 {
		t.Errorf("%d images (-want +got):\n%s", m.N, d)
	}
	if _, err := EvaluateSplit(t.Context(), sumNet{}, ds, SplitOptions{Split: datasets.Test, Batch: 8, Limit: -1}); err == nil {
		t.Error("a negative limit is accepted")
	}
	if _, err := EvaluateSplit(t.Context(), sumNet{}, ds, SplitOptions{Split: "dev", Batch: 8}); !errors.Is(err, datasets.ErrConfig) {
		t.Errorf("an unknown split: %v", err)
	}
}

func TestNaNNamesTheImageOfTheDataSet(t *testing.T) {
	ds := sample(t)
	buf := make([]byte, 14*14)
	if _, err := ds.Image(datasets.Test, 5, buf); err != nil {
		t.Fatal(err)
	}
	x := make([]float32, len(buf))
	datasets.Normalizer{}.Apply(x, buf)
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	_, err := EvaluateSplit(t.Context(), sumNet{size: 14 * 14, nan: sum}, ds, SplitOptions{Split: datasets.Test, Batch: 4})
	if !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "image 5") || !strings.Contains(err.Error(), ds.ID(datasets.Test, 5)) {
		t.Errorf("error %v, want ErrNonFinite naming image 5, %s", err, ds.ID(datasets.Test, 5))
	}
}

func TestANetworkIsMeasuredTheSameInEveryBatch(t *testing.T) {
	ds := sample(t)
	spec, err := blocks.Lookup("tiny-b")
	if err != nil {
		t.Fatal(err)
	}
	spec.InputChannels, spec.InputSize = 1, 14
	m := &Model{Path: "tiny", Spec: spec, Params: graph.NewParamSet(3)}
	var want Metrics
	for i, batch := range []int{1, 7, 20} {
		net, err := m.Machine(batch, tape)
		if err != nil {
			t.Fatal(err)
		}
		got, err := EvaluateSplit(t.Context(), net, ds, SplitOptions{Split: datasets.Test, Batch: batch, Limit: 40})
		net.Close()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = got
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("batch %d (-batch 1 +batch %d):\n%s", batch, batch, d)
		}
	}
}

// thirdOfThree is a network of three classes that finds the last one likeliest.
type thirdOfThree struct{}

func (thirdOfThree) Infer(_ []float32, n int) ([]float32, error) {
	return slices.Repeat([]float32{0, 0, 5}, n), nil
}

// TestASplitIsMeasuredWithTheDataSetsClassesUnlessOthersAreGiven: three classes of three images each.
func TestASplitIsMeasuredWithTheDataSetsClassesUnlessOthersAreGiven(t *testing.T) {
	m, err := EvaluateSplit(t.Context(), thirdOfThree{}, photographs(t), SplitOptions{Split: datasets.Test, Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	if loss := math.Log(2+math.Exp(5)) - 5./3; m.N != 9 || math.Abs(m.Top1Error-200./3) > 1e-9 || m.Top5Error != nil || math.Abs(m.Loss-loss) > 1e-6 {
		t.Errorf("%+v, want top-1 66.67, no top-5, loss %v", m, loss)
	}
}
