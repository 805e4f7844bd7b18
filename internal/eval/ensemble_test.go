package eval

import (
	"math"
	"math/rand/v2"
	"testing"

	"resnet/internal/graph"

	"github.com/google/go-cmp/cmp"
)

// ensembleOf feeds the logits [n, k] of several members.
func ensembleOf(t *testing.T, members [][]float32, labels []int32, k int, combine Combine, observers ...Observer) Metrics {
	t.Helper()
	e, err := NewEnsemble(len(labels), k, combine)
	if err != nil {
		t.Fatal(err)
	}
	for _, logits := range members {
		observe := e.Member()
		for i, label := range labels {
			if err := observe(Image{Index: i, Label: int(label), Logits: logits[i*k : (i+1)*k]}); err != nil {
				t.Fatal(err)
			}
		}
	}
	m, err := e.Metrics(nil, observers...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEnsembleAgreesWithMeansWrittenOut(t *testing.T) {
	const n, k, members = 300, 7, 3
	r := rand.New(rand.NewPCG(9, 10))
	var all [][]float32
	_, labels := randomLogits(r, n, k)
	for range members {
		logits := make([]float32, n*k)
		for i := range logits {
			logits[i] = float32(r.NormFloat64() * 2)
		}
		all = append(all, logits)
	}
	for _, combine := range []Combine{CombineSoftmax, CombineLogits} {
		got := ensembleOf(t, all, labels, k, combine)
		var loss float64
		wrong := 0
		for i, label := range labels {
			mean := make([]float64, k)
			for _, logits := range all {
				row := logits[i*k : (i+1)*k]
				var sum float64
				for _, z := range row {
					sum += math.Exp(float64(z))
				}
				for c, z := range row {
					if combine == CombineLogits {
						mean[c] += float64(z) / members
					} else {
						mean[c] += math.Exp(float64(z)) / sum / members
					}
				}
			}
			best, sum := 0, 0.0
			for c, v := range mean {
				if v > mean[best] {
					best = c
				}
				sum += math.Exp(v)
			}
			if best != int(label) {
				wrong++
			}
			if combine == CombineLogits {
				loss += math.Log(sum) - mean[label]
			} else {
				loss -= math.Log(mean[label])
			}
		}
		if want := 100 * float64(wrong) / n; got.Top1Error != want {
			t.Errorf("%s: top-1 error %v, want %v", combine, got.Top1Error, want)
		}
		if want := loss / n; math.Abs(got.Loss-want) > 1e-12 {
			t.Errorf("%s: loss %v, want %v", combine, got.Loss, want)
		}
	}
}

func TestEnsembleOfOneIsTheMember(t *testing.T) {
	const n, k = 100, 6
	logits, labels := randomLogits(rand.New(rand.NewPCG(11, 12)), n, k)
	want := meterOf(t, logits, labels, k, n)
	for _, combine := range []Combine{CombineSoftmax, CombineLogits} {
		got := ensembleOf(t, [][]float32{logits}, labels, k, combine)
		if math.Abs(got.Loss-want.Loss) > 1e-12 {
			t.Errorf("%s: loss %v, want %v", combine, got.Loss, want.Loss)
		}
		got.Loss = want.Loss
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", combine, d)
		}
	}
}

func TestEnsembleOfProbabilitiesDoesNotUnderflow(t *testing.T) {
	// exp(-2000) is 0 in float64; the label's mean probability is that small in both members.
	got := ensembleOf(t, [][]float32{{0, 2000}, {0, 2000}}, []int32{0}, 2, CombineSoftmax)
	if math.Abs(got.Loss-2000) > 1e-9 {
		t.Errorf("loss %v, want 2000", got.Loss)
	}
}

func TestEnsembleObserversSeeProbabilitiesThatSumToOne(t *testing.T) {
	seen := 0
	ensembleOf(t, [][]float32{{0, 1, 2}, {2, 1, 0}}, []int32{1}, 3, CombineSoftmax, func(im Image) error {
		seen++
		var sum float64
		for _, g := range Top(im.Logits, 3, nil) {
			sum += g.Probability
		}
		if math.Abs(sum-1) > 1e-6 || im.Logits[0] != im.Logits[2] {
			t.Errorf("logits %v, sum of probabilities %v", im.Logits, sum)
		}
		return nil
	})
	if seen != 1 {
		t.Errorf("%d images observed, want 1", seen)
	}
}

func TestEnsembleMembersMustSeeTheSameImages(t *testing.T) {
	e, _ := NewEnsemble(2, 2, CombineLogits)
	if _, err := e.Metrics(nil); err == nil {
		t.Error("an ensemble without members is measured")
	}
	first := e.Member()
	for i := range 2 {
		if err := first(Image{Index: i, Logits: []float32{0, 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := first(Image{Index: 0, Logits: []float32{0, 1}}); err == nil {
		t.Error("an image counts twice for a member")
	}
	second := e.Member()
	if err := second(Image{Index: 0, Label: 1, Logits: []float32{0, 1}}); err == nil {
		t.Error("another label is accepted")
	}
	if err := second(Image{Index: 0, Logits: []float32{0, 1, 2}}); err == nil {
		t.Error("another number of classes is accepted")
	}
	if _, err := e.Metrics(nil); err == nil {
		t.Error("a member that has seen nothing is counted")
	}
	if _, err := NewEnsemble(1, 1, "median"); err == nil {
		t.Error("an unknown way to combine is accepted")
	}
}

func TestEnsembleRow(t *testing.T) {
	member := func(path string, params int64, protocol string) Measured {
		return Measured{Row: Row{Checkpoint: path, Params: params, Protocol: protocol}, Dataset: "cifar10", Standard: true}
	}
	narrow := member("b", 2, "q")
	narrow.Row.Precision = graph.BFloat16
	got := MeasuredEnsemble([]Measured{member("a", 1, "p"), narrow, member("c", 4, "p")}, CombineSoftmax, Metrics{N: 5, Top1Error: 40, Top5Error: ptr(20.0), Loss: 2})
	want := Row{Model: "ensemble of 3 (softmax)", Checkpoint: "a + b + c", N: 5, Top1Error: 40, Top5Error: ptr(20.0), Loss: 2, Params: 7, Protocol: "p + q", Precision: graph.BFloat16}
	if d := cmp.Diff(want, got.Row); d != "" || !got.Ensemble || got.Dataset != "cifar10" {
		t.Errorf("%+v (-want +got):\n%s", got, d)
	}
}
