package eval

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomLogits draws logits [n, k] in quarters, so that ties are common, and labels.
func randomLogits(r *rand.Rand, n, k int) ([]float32, []int32) {
	logits := make([]float32, n*k)
	for i := range logits {
		logits[i] = float32(math.Round(r.NormFloat64()*8)) / 4
	}
	labels := make([]int32, n)
	for i := range labels {
		labels[i] = int32(r.IntN(k))
	}
	return logits, labels
}

func indexes(n int) []int {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return index
}

// meterOf measures logits [n, k] in batches.
func meterOf(t *testing.T, logits []float32, labels []int32, k, batch int) Metrics {
	t.Helper()
	m, err := NewMeter(len(labels), k, nil)
	if err != nil {
		t.Fatal(err)
	}
	index := indexes(len(labels))
	for i := 0; i < len(labels); i += batch {
		j := min(i+batch, len(labels))
		if err := m.Add(logits[i*k:j*k], labels[i:j], index[i:j]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := m.Metrics()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// naive measures by sorting classes, with softmax written as in a textbook.
func naive(logits []float32, labels []int32, k int) Metrics {
	n := len(labels)
	m := Metrics{N: n}
	for range k {
		m.Confusion = append(m.Confusion, make([]int, k))
	}
	wrong1, wrong5 := 0, 0
	for i, label := range labels {
		row := logits[i*k : (i+1)*k]
		order := indexes(k)
		sort.SliceStable(order, func(a, b int) bool { return row[order[a]] > row[order[b]] })
		place := 0
		for order[place] != int(label) {
			place++
		}
		if place > 0 {
			wrong1++
		}
		if place > 4 {
			wrong5++
		}
		m.Confusion[label][order[0]]++
		var sum float64
		for _, z := range row {
			sum += math.Exp(float64(z))
		}
		m.Loss -= math.Log(math.Exp(float64(row[label])) / sum)
	}
	m.Loss /= float64(n)
	m.Top1Error = 100 * float64(wrong1) / float64(n)
	if k >= 5 {
		e := 100 * float64(wrong5) / float64(n)
		m.Top5Error = &e
	}
	return m
}

func TestFiguresAgreeWithSortingAndTextbookSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n, k := 1+r.IntN(60), 1+r.IntN(12)
		logits, labels := randomLogits(r, n, k)
		got, want := meterOf(t, logits, labels, k, 1+r.IntN(n)), naive(logits, labels, k)
		if math.Abs(got.Loss-want.Loss) > 1e-12*(1+math.Abs(want.Loss)) {
			t.Fatalf("n %d, k %d: loss %v, want %v", n, k, got.Loss, want.Loss)
		}
		got.Loss = want.Loss
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("n %d, k %d (-want +got):\n%s", n, k, d)
		}
	}
}

func TestFiguresDoNotDependOnBatchSizeOrOrder(t *testing.T) {
	const n, k = 1003, 10
	r := rand.New(rand.NewPCG(3, 4))
	logits, labels := randomLogits(r, n, k)
	want := meterOf(t, logits, labels, k, 1)
	for _, batch := range []int{7, 250, n} {
		if d := cmp.Diff(want, meterOf(t, logits, labels, k, batch)); d != "" {
			t.Errorf("batch %d differs from batch 1 (-1 +%d):\n%s", batch, batch, d)
		}
	}
	m, _ := NewMeter(n, k, nil)
	for _, i := range r.Perm(n) {
		if err := m.Add(logits[i*k:(i+1)*k], labels[i:i+1], []int{i}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := m.Metrics()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("another order differs (-want +got):\n%s", d)
	}
}

func TestOfEqualLogitsTheLowerClassWins(t *testing.T) {
	// All equal: class 0 is predicted, and classes 0 to 4 are the first five.
	m := meterOf(t, make([]float32, 6*6), []int32{0, 1, 2, 3, 4, 5}, 6, 6)
	if want := 100 * 5.0 / 6; m.Top1Error != want {
		t.Errorf("top-1 error %v, want %v", m.Top1Error, want)
	}
	if want := 100 * 1.0 / 6; *m.Top5Error != want {
		t.Errorf("top-5 error %v, want %v", *m.Top5Error, want)
	}
	for label := range 6 {
		if m.Confusion[label][0] != 1 {
			t.Errorf("label %d: row %v, want the prediction 0", label, m.Confusion[label])
		}
	}
	if want := math.Log(6); math.Abs(m.Loss-want) > 1e-15 {
		t.Errorf("loss %v, want log 6 = %v", m.Loss, want)
	}
}

func TestTop5IsLeftOutForFewerThanFiveClasses(t *testing.T) {
	for k, want := range map[int]bool{1: false, 4: false, 5: true} {
		m := meterOf(t, make([]float32, k), []int32{0}, k, 1)
		if got := m.Top5Error != nil; got != want {
			t.Errorf("%d classes: top-5 error is there: %v, want %v", k, got, want)
		}
	}
}

func TestLossOfExtremeLogitsIsFinite(t *testing.T) {
	const huge = 3e38
	m := meterOf(t, []float32{huge, -huge}, []int32{1}, 2, 1)
	if want := 2 * float64(float32(huge)); m.Loss != want {
		t.Errorf("loss %v, want %v", m.Loss, want)
	}
}

func TestLogitsThatAreNotFiniteNameTheImage(t *testing.T) {
	for _, z := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		m, _ := NewMeter(3, 2, func(i int) string { return "cat\x1b.png" })
		err := m.Add([]float32{0, 0, 1, float32(z)}, []int32{0, 0}, []int{0, 2})
		if !errors.Is(err, ErrNonFinite) {
			t.Fatalf("%v: error %v, want ErrNonFinite", z, err)
		}
		for _, want := range []string{"image 2", `cat\x1b.png`, "class 1"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not have %q", err, want)
			}
		}
	}
}

func TestImagesCountExactlyOnce(t *testing.T) {
	m, _ := NewMeter(2, 2, nil)
	if err := m.Add([]float32{0, 1}, []int32{0}, []int{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Metrics(); err == nil {
		t.Error("figures without every image")
	}
	if err := m.Add([]float32{0, 1}, []int32{0}, []int{1}); err == nil || !strings.Contains(err.Error(), "image 1 is counted twice") {
		t.Errorf("the same image again: error %v", err)
	}
	if err := m.Add([]float32{0, 1}, []int32{0}, []int{2}); err == nil {
		t.Error("an image that is not in the split is counted")
	}
}

func TestLabelsOutsideTheClassesAreRefused(t *testing.T) {
	for _, label := range []int32{-1, 2} {
		m, _ := NewMeter(1, 2, nil)
		if err := m.Add([]float32{0, 1}, []int32{label}, []int{0}); !errors.Is(err, ErrLabel) {
			t.Errorf("label %d: error %v, want ErrLabel", label, err)
		}
	}
}

func TestSizesThatDoNotFitAreRefused(t *testing.T) {
	m, _ := NewMeter(4, 2, nil)
	if err := m.Add([]float32{0, 1, 2}, []int32{0, 1}, []int{0, 1}); err == nil {
		t.Error("3 logits for 2 images of 2 classes are taken")
	}
	if _, err := NewMeter(0, 2, nil); err == nil {
		t.Error("an empty set is measured")
	}
}

func TestVeryManyClassesHaveNoConfusionMatrix(t *testing.T) {
	const k = 1 << 20 // squared, that would be 8 TB
	logits := make([]float32, k)
	logits[k-1] = 1
	m := meterOf(t, logits, []int32{k - 1}, k, 1)
	if m.Confusion != nil || m.Top1Error != 0 {
		t.Errorf("confusion of %d rows, top-1 error %v", len(m.Confusion), m.Top1Error)
	}
	if r := m.Classes(nil); len(r.Classes) != 0 {
		t.Errorf("%d classes reported", len(r.Classes))
	}
}

func TestAConfusionMatrixIsKeptForUpTo4096Classes(t *testing.T) {
	for classes, kept := range map[int]bool{4096: true, 4097: false} {
		m, err := NewMeter(1, classes, nil)
		if err != nil || (m.confusion != nil) != kept {
			t.Errorf("%d classes: %d rows (%v)", classes, len(m.confusion), err)
		}
	}
}

// TestWhatOtherProcessesHaveCountedIsChecked: images have names only up to their number.
func TestWhatOtherProcessesHaveCountedIsChecked(t *testing.T) {
	names := []string{"a.png", "b.png"}
	for number, want := range map[uint32]string{0: "image 0 (a.png) is counted twice", 7: "image 7 of 2"} {
		m, err := NewMeter(2, 3, func(i int) string { return names[i] })
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Add([]float32{1, 2, 3}, []int32{2}, []int{0}); err != nil {
			t.Fatal(err)
		}
		other := append(binary.LittleEndian.AppendUint32(nil, number), make([]byte, record-4)...)
		err = m.merge(Part{Of: 2, Gather: func(own []byte, err error) ([][]byte, error) { return [][]byte{own, other}, err }}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
