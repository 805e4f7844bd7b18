package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// plainSGD is an optimizer whose step is the rate times the gradient, so that what a step changes
// tells the gradient.
func plainSGD() Config {
	cfg := toyConfig()
	cfg.Optimizer.Momentum, cfg.Optimizer.WeightDecay = 0, 0
	cfg.Checkpoint.Every = 1
	return cfg
}

// stepNorm is the norm of the gradient of step n of a training, as the checkpoints around it tell.
func stepNorm(t *testing.T, store *memStore, n int, rate float64) float64 {
	t.Helper()
	sum := 0.
	for i, after := range store.snaps[n].params["fc.weight"] {
		before := float64(toyParams().Get("fc.weight").Data[i])
		if n > 1 {
			before = float64(store.snaps[n-1].params["fc.weight"][i])
		}
		d := (before - float64(after)) / rate
		sum += d * d
	}
	return math.Sqrt(sum)
}

// TestGradientsAreThoseOfTheNextSteps: at the start and on a checkpoint, their norm is what a step
// of plain SGD moves the weights by, and nothing is changed.
func TestGradientsAreThoseOfTheNextSteps(t *testing.T) {
	cfg := plainSGD()
	whole := newToy(t, cfg, eval.Config{Every: 100}, "")
	_, err := whole.run()
	must(t, err)
	for _, step := range []int{0, 7} {
		r := newToy(t, cfg, eval.Config{Every: 100}, "")
		if step > 0 {
			r.resumeFrom(whole.store, step)
		}
		before := map[string][]float32{}
		for _, p := range r.params.All() {
			before[p.Name] = slices.Clone(p.Data)
		}
		list, err := Gradients(t.Context(), r.o, 1)
		must(t, err)
		if len(list) != 1 || list[0].Layer != "fc" {
			t.Fatalf("layers: %v", list)
		}
		// The step is rounded to float32.
		if want := stepNorm(t, whole.store, step+1, cfg.Schedule.Rate); math.Abs(list[0].Norm/want-1) > 1e-4 {
			t.Errorf("step %d: norm %v, the step says %v", step, list[0].Norm, want)
		}
		sum := 0.
		for _, w := range before["fc.weight"] {
			sum += float64(w) * float64(w)
		}
		if math.Abs(list[0].Weight-math.Sqrt(sum)) > 1e-9 {
			t.Errorf("weights: %v, want %v", list[0].Weight, math.Sqrt(sum))
		}
		for _, p := range r.params.All() {
			if !slices.Equal(p.Data, before[p.Name]) {
				t.Errorf("step %d: %s has changed", step, p.Name)
			}
		}
		if r.store.saved != nil || r.open.Load() != 0 {
			t.Error("a checkpoint was saved, or a loader left open")
		}
	}
}

// TestGradientsOfSeveralBatchesAreTheMeanOfTheirNorms, each batch with the same weights: the first
// two norms are those of one batch at the start and of one that begins a batch later.
func TestGradientsOfSeveralBatchesAreTheMeanOfTheirNorms(t *testing.T) {
	of := func(batches, first int) float64 {
		r := newToy(t, plainSGD(), eval.Config{Every: 100}, "")
		loader := r.o.Loader
		r.o.Loader = func(ctx context.Context, epoch, batch int, s datasets.Share) (Loader, error) {
			return loader(ctx, epoch, batch+first, s)
		}
		var numbers []int // by which dropout draws its masks
		r.o.BeforeBatch = func(n int) { numbers = append(numbers, n) }
		list, err := Gradients(t.Context(), r.o, batches)
		must(t, err)
		if want := []int{0, 1}[:batches]; !slices.Equal(numbers, want) {
			t.Errorf("batches %v, want %v", numbers, want)
		}
		return list[0].Norm
	}
	if got, want := of(2, 0), (of(1, 0)+of(1, 1))/2; math.Abs(got-want) > 1e-12 || of(1, 0) == of(1, 1) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestWorkersDoNotChangeWhichGradientsAreMeasured: the first of two workers would take the batches
// 0, 1 and 4 of updates of four.
func TestWorkersDoNotChangeWhichGradientsAreMeasured(t *testing.T) {
	cfg := plainSGD()
	cfg.Accumulate = 4
	var want []LayerGradient
	for workers := 1; workers <= 2; workers++ {
		r := newToy(t, cfg, eval.Config{Every: 100}, "")
		if workers == 2 {
			r.withReplica()
		}
		list, err := Gradients(t.Context(), r.o, 3)
		must(t, err)
		if workers == 1 {
			want = list
		} else if !slices.Equal(list, want) {
			t.Errorf("%d workers: %v, want %v", workers, list, want)
		}
	}
}

func TestAnUpdateHasTheThreadsOfItsTraining(t *testing.T) {
	r := newToy(t, plainSGD(), eval.Config{Every: 100}, "")
	r.o.Threads = 3
	l, err := newProbe(t.Context(), r.o)
	must(t, err)
	defer l.closeLoaders()
	if got := l.sgd.(*SGD).Threads; got != 3 {
		t.Errorf("%d threads, want 3", got)
	}
}

func TestGradientsThatAreNotFiniteAreAnError(t *testing.T) {
	r := newToy(t, plainSGD(), eval.Config{Every: 100}, "")
	r.machine.fault = func(_ int, m *toyMachine, _ *graph.Result) { m.params.Get("fc.weight").Grad[0] = float32(math.NaN()) }
	if _, err := Gradients(t.Context(), r.o, 2); !errors.Is(err, ErrNonFinite) {
		t.Errorf("%v", err)
	}
	if _, err := Gradients(t.Context(), r.o, 0); err == nil {
		t.Error("no batches")
	}
}
