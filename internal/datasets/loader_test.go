package datasets

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// tiny is a data set of n training images of 1×2×2 pixels; every pixel of image i is i.
func tiny(t testing.TB, n int) *Dataset {
	t.Helper()
	a := &array{names: []string{"a", "b"}, c: 1, h: 2, w: 2}
	for i := range n {
		a.train.pixels = append(a.train.pixels, byte(i), byte(i), byte(i), byte(i))
		a.train.labels = append(a.train.labels, byte(i%2))
	}
	d, err := newDataset(Config{Name: "tiny"}, "", a, 0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newLoader(t testing.TB, d *Dataset, o LoaderOptions) *Loader {
	t.Helper()
	if o.Split == "" {
		o.Split = Train
	}
	l, err := NewLoader(d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func TestWithoutShuffleTheOrderIsTheDataSets(t *testing.T) {
	l := newLoader(t, tiny(t, 7), LoaderOptions{Batch: 3, Epochs: 1, Workers: 3})
	var got []int
	for {
		b, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for j, i := range b.Index {
			if b.X[j*4] != float32(float64(i)/255) {
				t.Errorf("image %d: pixel %v", i, b.X[j*4])
			}
		}
		got = append(got, b.Index...)
	}
	if !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("order %v", got)
	}
}

func TestTheValidationSplitKeepsTheOrderOfBoth(t *testing.T) {
	d, err := newDataset(Config{Name: "tiny", Validation: 20}, "", tiny(t, 60).src, 9)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Split{Train, Val} {
		last, buf := -1, make([]byte, 4)
		for i := range d.Len(s) {
			d.Image(s, i, buf)
			if int(buf[0]) <= last {
				t.Fatalf("%s: image %d comes after image %d", s, buf[0], last)
			}
			last = int(buf[0])
		}
	}
}

func TestDropLastLeavesOutTheShortBatch(t *testing.T) {
	l := newLoader(t, tiny(t, 7), LoaderOptions{Batch: 3, Epochs: 2, DropLast: true})
	n := 0
	for ; ; n++ {
		b, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if b.N != 3 || b.Epoch != n/2 || b.Step != n%2 {
			t.Errorf("batch %d: %d images, epoch %d, step %d", n, b.N, b.Epoch, b.Step)
		}
	}
	if n != 4 || l.Steps() != 2 {
		t.Errorf("%d batches, %d an epoch, want 4 and 2", n, l.Steps())
	}
}

func TestAResumeAtTheEndIsTheEnd(t *testing.T) {
	for _, o := range []LoaderOptions{{StartEpoch: 2}, {StartEpoch: 1, StartBatch: 3}, {StartEpoch: 9}} {
		o.Batch, o.Epochs = 3, 2
		if b, err := newLoader(t, tiny(t, 7), o).Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("start at %d/%d of 2 epochs: %+v, %v", o.StartEpoch, o.StartBatch, b, err)
		}
	}
}

func TestWithoutEpochsTheLoaderDoesNotEnd(t *testing.T) {
	l := newLoader(t, tiny(t, 4), LoaderOptions{Batch: 2, Shuffle: true, Workers: 2})
	for i := range 100 {
		b, err := l.Next(t.Context())
		if err != nil || b.Epoch != i/2 {
			t.Fatalf("batch %d: %+v, %v", i, b, err)
		}
		l.Recycle(b)
	}
}

func TestALoaderWorksWithoutRecycling(t *testing.T) {
	l := newLoader(t, tiny(t, 8), LoaderOptions{Batch: 1, Epochs: 20, Workers: 3})
	var all []*Batch
	for {
		b, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		all = append(all, b)
	}
	for i, b := range all {
		if b.Index[0] != i%8 || b.X[0] != float32(float64(i%8)/255) {
			t.Fatalf("batch %d was overwritten: image %d, pixel %v", i, b.Index[0], b.X[0])
		}
	}
	if len(all) != 160 {
		t.Errorf("%d batches", len(all))
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	l := newLoader(t, tiny(t, 64), LoaderOptions{Batch: 8, Shuffle: true, Augment: Augment{Pad: 1, Flip: true}, Workers: 2})
	step := func() {
		b, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		l.Recycle(b)
	}
	for range 50 {
		step()
	}
	if n := testing.AllocsPerRun(200, step); n > 0.1 {
		t.Errorf("%v allocations a batch", n)
	}
}

// settle waits for goroutines that are ending.
func settle(want int) int {
	n := runtime.NumGoroutine()
	for i := 0; i < 200 && n > want; i++ {
		time.Sleep(5 * time.Millisecond)
		n = runtime.NumGoroutine()
	}
	return n
}

func TestCloseLeaksNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, use := range map[string]func(l *Loader){
		"unread":       func(l *Loader) {},
		"half read":    func(l *Loader) { l.Next(context.Background()) },
		"closed twice": func(l *Loader) { l.Close() },
		"read to the end": func(l *Loader) {
			for {
				if _, err := l.Next(context.Background()); err != nil {
					return
				}
			}
		},
	} {
		l, err := NewLoader(tiny(t, 50), LoaderOptions{Split: Train, Batch: 3, Workers: 5, Epochs: 3})
		if err != nil {
			t.Fatal(err)
		}
		use(l)
		l.Close()
		if n := settle(before); n > before {
			t.Errorf("%s: %d goroutines, %d before", name, n, before)
		}
		if _, err := l.Next(context.Background()); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: Next after Close: %v", name, err)
		}
	}
}

// blocked is a source whose images wait.
type blocked struct {
	*array
	gate chan struct{}
}

func (b blocked) image(sc *scratch, s Split, i int, dst []byte) error {
	<-b.gate
	return b.array.image(sc, s, i, dst)
}

func TestCancellingNextLosesNoBatch(t *testing.T) {
	d := tiny(t, 4)
	gate := make(chan struct{})
	d.src = blocked{d.src.(*array), gate}
	l := newLoader(t, d, LoaderOptions{Batch: 2, Epochs: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	close(gate)
	if b, err := l.Next(t.Context()); err != nil || b.Step != 0 {
		t.Errorf("after a cancelled call: %+v, %v, want the first batch", b, err)
	}
}

func TestLoaderOptionsAreChecked(t *testing.T) {
	d := tiny(t, 7)
	for says, o := range map[string]LoaderOptions{
		"batch of 0":      {Split: Train},
		"no images":       {Split: Test, Batch: 1},
		"less than one":   {Split: Train, Batch: 8, DropLast: true},
		"negative":        {Split: Train, Batch: 1, Augment: Augment{Pad: -1}},
		"start at batch":  {Split: Train, Batch: 7, StartBatch: 2},
		"pixel-mean with": {Split: Train, Batch: 1, Normalizer: Normalizer{Kind: PixelMean, Mean: make([]float32, 3)}},
		"unknown kind":    {Split: Train, Batch: 1, Normalizer: Normalizer{Kind: "zca"}},
	} {
		if _, err := NewLoader(d, o); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: error %v, want ErrConfig with %q", o, err, says)
		}
	}
}
