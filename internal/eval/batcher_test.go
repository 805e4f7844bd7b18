package eval

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// cutsOf are the cuts of every image of the folder, by the protocol of crops.
func cutsOf(t *testing.T, m *Model, crops string) (Protocol, [][]Cut) {
	t.Helper()
	p, err := ViewOptions{Crops: crops, Combine: CombineSoftmax}.Protocol(m)
	if err != nil {
		t.Fatal(err)
	}
	ds := photographs(t)
	cutter := PictureCuts(p, m.Preprocessing, func(i int) (datasets.Picture, error) { return ds.Picture(datasets.Test, i) })
	all := make([][]Cut, ds.Len(datasets.Test))
	for i := range all {
		if all[i], err = cutter(i); err != nil {
			t.Fatal(err)
		}
	}
	return p, all
}

// TestABatcherGivesEveryoneTheirOwnScores asks from 8 goroutines at once, and one image at a time
// of the Scorer. On the oracle no algorithm depends on the batch, so the bits are the same.
func TestABatcherGivesEveryoneTheirOwnScores(t *testing.T) {
	m := tiny(t, "tiny-imagenet-stem", 3)
	for _, crops := range []string{CropsOne, CropsTen} {
		p, cuts := cutsOf(t, m, crops)
		one := NewScorer(m, p, ScorerOptions{Factory: tape})
		var want [][]float32
		for _, c := range cuts {
			scores, err := one.Scores(t.Context(), slices.Clone(c))
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, scores)
		}
		one.Close()
		if slices.Equal(want[0], want[1]) {
			t.Fatal("two images have the same scores")
		}
		for _, delay := range []time.Duration{0, time.Millisecond} {
			b := NewBatcher(m, p, BatcherOptions{ScorerOptions: ScorerOptions{Factory: tape, Batch: 4}, Delay: delay})
			var wg sync.WaitGroup
			for g := range 8 {
				wg.Go(func() {
					for k := range cuts {
						i := (g + k) % len(cuts)
						got, err := b.Scores(t.Context(), slices.Clone(cuts[i]))
						if err != nil || !slices.Equal(got, want[i]) {
							t.Errorf("%s crops, delay %v: image %d: %v, %v, want %v", crops, delay, i, got, err, want[i])
							return
						}
					}
				})
			}
			wg.Wait()
			b.Close()
		}
	}
}

// counted counts the batches of a factory's machines by their sizes, and the machines made.
func counted(f Factory, sizes, made *[]int) Factory {
	compile := f.Compile
	f.Compile = func(g *graph.Graph, p *graph.ParamSet, o MachineOptions) (graph.Machine, error) {
		*made = append(*made, g.N)
		m, err := compile(g, p, o)
		return &counting{m, sizes}, err
	}
	return f
}

type counting struct {
	graph.Machine
	sizes *[]int
}

func (c *counting) Infer(x []float32, n int) ([]float32, error) {
	*c.sizes = append(*c.sizes, n)
	return c.Machine.Infer(x, n)
}

func TestABatcherWaitsForAFullBatch(t *testing.T) {
	m := tiny(t, "tiny-imagenet-stem", 3)
	p, cuts := cutsOf(t, m, CropsOne)
	var sizes, made []int
	b := NewBatcher(m, p, BatcherOptions{ScorerOptions: ScorerOptions{Factory: counted(tape, &sizes, &made), Batch: 4}, Delay: time.Minute})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := b.Scores(t.Context(), cuts[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b.Close()
	if !slices.Equal(sizes, []int{4, 4}) || !slices.Equal(made, []int{4}) {
		t.Errorf("8 images in batches of %v, want 4 and 4 long before the delay, on machines of %v", sizes, made)
	}
}

// TestABatcherHasTwoMachines whatever the batches: for one view and for full ones.
func TestABatcherHasTwoMachines(t *testing.T) {
	m := tiny(t, "tiny-imagenet-stem", 3)
	p, cuts := cutsOf(t, m, CropsOne)
	var sizes, made, computed []int
	b := NewBatcher(m, p, BatcherOptions{
		ScorerOptions: ScorerOptions{Factory: counted(tape, &sizes, &made), Batch: 8},
		Computed:      func(images int) { computed = append(computed, images) },
	})
	if err := b.Warm(t.Context(), p.Height, p.Width); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 5; n++ { // the views of one image are a batch
		if _, err := b.Scores(t.Context(), slices.Clone(cuts[0])); err != nil {
			t.Fatal(err)
		}
		var views []Cut
		for _, c := range cuts[:n] {
			views = append(views, c...)
		}
		if _, err := b.Scores(t.Context(), views); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	if !slices.Equal(made, []int{8, 1}) {
		t.Errorf("machines of %v, want 8 and 1", made)
	}
	if want := []int{8, 1, 1, 1, 1, 2, 1, 3, 1, 4, 1, 5}; !slices.Equal(sizes, want) || len(computed) != len(want) {
		t.Errorf("batches of %v, want %v; %d told", sizes, want, len(computed))
	}
}

func TestABatcherThatIsClosedAnswers(t *testing.T) {
	m := tiny(t, "tiny-imagenet-stem", 3)
	p, cuts := cutsOf(t, m, CropsOne)
	b := NewBatcher(m, p, BatcherOptions{ScorerOptions: ScorerOptions{Factory: tape, Batch: 4}, Delay: time.Hour})
	failed := make(chan error)
	go func() {
		_, err := b.Scores(t.Context(), cuts[0])
		failed <- err
	}()
	time.Sleep(10 * time.Millisecond)
	b.Close()
	b.Close()
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("waiting: %v", err)
	}
	if _, err := b.Scores(t.Context(), cuts[0]); !errors.Is(err, ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
	b = NewBatcher(m, p, BatcherOptions{ScorerOptions: ScorerOptions{Factory: tape}})
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Scores(ctx, cuts[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
