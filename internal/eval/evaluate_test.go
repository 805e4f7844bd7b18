package eval

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/datasets"
)

// echo is a network whose logits are its input.
type echo struct {
	k     int
	calls []int // images in each call
}

func (e *echo) Infer(x []float32, n int) ([]float32, error) {
	e.calls = append(e.calls, n)
	return x[:n*e.k], nil
}

// fixedBatches gives logits as images.
type fixedBatches struct {
	logits   []float32
	labels   []int32
	k, batch int
	at       int
	recycled int
}

func (f *fixedBatches) Next(ctx context.Context) (*datasets.Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.at == len(f.labels) {
		return nil, io.EOF
	}
	end := min(f.at+f.batch, len(f.labels))
	b := &datasets.Batch{X: f.logits[f.at*f.k : end*f.k], Labels: f.labels[f.at:end], Index: indexes(end)[f.at:], N: end - f.at}
	f.at = end
	return b, nil
}

func (f *fixedBatches) Recycle(*datasets.Batch) { f.recycled++ }

func TestEvaluateGivesTheSameFiguresForBatches1And7And250(t *testing.T) {
	const n, k = 507, 10
	logits, labels := randomLogits(rand.New(rand.NewPCG(5, 6)), n, k)
	var want Metrics
	for i, batch := range []int{1, 7, 250} {
		net := &echo{k: k}
		batches := &fixedBatches{logits: logits, labels: labels, k: k, batch: batch}
		got, err := Evaluate(t.Context(), net, batches, Input{Images: n, Classes: k})
		if err != nil {
			t.Fatal(err)
		}
		if last := net.calls[len(net.calls)-1]; last != (n-1)%batch+1 {
			t.Errorf("batch %d: the last call had %d images, want the %d that are left", batch, last, (n-1)%batch+1)
		}
		if batches.recycled != len(net.calls) {
			t.Errorf("batch %d: %d of %d batches were given back", batch, batches.recycled, len(net.calls))
		}
		if i == 0 {
			want = got
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("batch %d (-batch 1 +batch %d):\n%s", batch, batch, d)
		}
	}
}

func TestObserversSeeEveryImageOfTheLimitOnce(t *testing.T) {
	const n, k, limit = 20, 3, 11
	logits, labels := randomLogits(rand.New(rand.NewPCG(7, 8)), n, k)
	var seen []Image
	net := &echo{k: k}
	m, err := Evaluate(t.Context(), net, &fixedBatches{logits: logits, labels: labels, k: k, batch: 4}, Input{Images: limit, Classes: k},
		func(i Image) error {
			i.Logits = append([]float32(nil), i.Logits...)
			seen = append(seen, i)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if len(net.calls) != 3 {
		t.Errorf("%d batches were computed, want 3", len(net.calls))
	}
	if len(seen) != limit || m.N != limit {
		t.Fatalf("%d images observed, %d measured, want %d", len(seen), m.N, limit)
	}
	for i, s := range seen {
		want := Image{Index: i, Label: int(labels[i]), Logits: logits[i*k : (i+1)*k]}
		if d := cmp.Diff(want, s); d != "" {
			t.Errorf("image %d (-want +got):\n%s", i, d)
		}
	}
	if d := cmp.Diff(meterOf(t, logits[:limit*k], labels[:limit], k, limit), m); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestEvaluateFailsWhenImagesAreMissing(t *testing.T) {
	_, err := Evaluate(t.Context(), &echo{k: 2}, &fixedBatches{logits: make([]float32, 4), labels: make([]int32, 2), k: 2, batch: 2}, Input{Images: 3, Classes: 2})
	if err == nil || !strings.Contains(err.Error(), "1 of 3 images") {
		t.Errorf("error %v, want that 1 of 3 images is missing", err)
	}
}

func TestEvaluateFailsWithTheErrorsOfItsParts(t *testing.T) {
	batches := func() *fixedBatches {
		return &fixedBatches{logits: make([]float32, 4), labels: make([]int32, 2), k: 2, batch: 1}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Evaluate(ctx, &echo{k: 2}, batches(), Input{Images: 2, Classes: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	full := errors.New("disk full")
	if _, err := Evaluate(t.Context(), &echo{k: 2}, batches(), Input{Images: 2, Classes: 2}, func(Image) error { return full }); !errors.Is(err, full) {
		t.Errorf("observer: error %v", err)
	}
	if _, err := Evaluate(t.Context(), &echo{k: 2}, batches(), Input{Images: 2, Classes: 3}); err == nil {
		t.Error("a network of 2 classes is measured as one of 3")
	}
}
