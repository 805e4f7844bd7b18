// Package datasetstest is the suite that every data set passes.
package datasetstest

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"resnet/internal/datasets"
)

// Case is a data set to test: small, if possible, with at least 8 training and 2 test images.
type Case struct {
	// Open opens it with so many validation images drawn by seed.
	Open func(t testing.TB, validation int, seed uint64) (*datasets.Dataset, error)
	// Want is what Info must say with no validation images; Name and Title are not compared where
	// they are empty.
	Want datasets.Info
	// Damage truncates one of its files, after which Open or reading must fail; nil where there is
	// no file.
	Damage func(t testing.TB)
}

// Run tests counts, label ranges, determinism by seed, that an epoch has every image once, the
// short last batch, and the error for a truncated file.
func Run(t *testing.T, c Case) {
	t.Run("counts and labels are what is promised", func(t *testing.T) { counts(t, c) })
	t.Run("images and labels do not change from one opening to the next", func(t *testing.T) { reopening(t, c) })
	t.Run("the validation split is drawn by seed from the training images", func(t *testing.T) { validation(t, c) })
	t.Run("a shuffled epoch has every image once, the short last batch too", func(t *testing.T) { epoch(t, c) })
	t.Run("batches depend on seed and position, not on workers or the start", func(t *testing.T) { position(t, c) })
	if c.Damage != nil {
		t.Run("a truncated file is an error that names the data", func(t *testing.T) { truncated(t, c) })
	}
}

func open(t testing.TB, c Case, val int, seed uint64) *datasets.Dataset {
	t.Helper()
	d, err := c.Open(t, val, seed)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func counts(t *testing.T, c Case) {
	d := open(t, c, 0, 1)
	got := d.Info()
	w := c.Want
	if w.Name != "" && got.Name != w.Name || got.Channels != w.Channels || got.Height != w.Height || got.Width != w.Width ||
		got.Train != w.Train || got.Val != w.Val || got.Test != w.Test || !slices.Equal(got.Classes, w.Classes) {
		t.Fatalf("Info() = %+v, want %+v", got, w)
	}
	buf := make([]byte, got.Channels*got.Height*got.Width)
	ids := map[string]bool{}
	for _, s := range []datasets.Split{datasets.Train, datasets.Val, datasets.Test} {
		for i := range d.Len(s) {
			label, err := d.Image(s, i, buf)
			if err != nil {
				t.Fatal(err)
			}
			if label < 0 || label >= len(got.Classes) || label != d.Label(s, i) {
				t.Fatalf("%s image %d: label %d, Label %d, of %d classes", s, i, label, d.Label(s, i), len(got.Classes))
			}
			if id := d.ID(s, i); ids[id] || id == "" {
				t.Fatalf("%s image %d: ID %q is empty or not its own", s, i, id)
			} else {
				ids[id] = true
			}
		}
		if _, err := d.Image(s, d.Len(s), buf); err == nil {
			t.Errorf("%s: reading one image past the end is no error", s)
		}
	}
	if _, err := d.Image(datasets.Test, 0, buf[1:]); err == nil {
		t.Error("a buffer that is too short is no error")
	}
}

func reopening(t *testing.T, c Case) {
	a, b := open(t, c, 0, 1), open(t, c, 0, 2)
	info := a.Info()
	x, y := make([]byte, info.Channels*info.Height*info.Width), make([]byte, info.Channels*info.Height*info.Width)
	for i := range min(a.Len(datasets.Train), 50) {
		la, errA := a.Image(datasets.Train, i, x)
		lb, errB := b.Image(datasets.Train, i, y)
		if errA != nil || errB != nil || la != lb || !slices.Equal(x, y) {
			t.Fatalf("training image %d differs between two openings: labels %d, %d; errors %v, %v", i, la, lb, errA, errB)
		}
	}
}

func validation(t *testing.T, c Case) {
	n := c.Want.Train / 4
	ids := func(d *datasets.Dataset, s datasets.Split) []string {
		var out []string
		for i := range d.Len(s) {
			out = append(out, d.ID(s, i))
		}
		return out
	}
	a, again, other, whole := open(t, c, n, 1), open(t, c, n, 1), open(t, c, n, 2), open(t, c, 0, 1)
	if a.Len(datasets.Val) != n || a.Len(datasets.Train) != c.Want.Train-n || a.Len(datasets.Test) != c.Want.Test {
		t.Fatalf("%d training, %d validation, %d test images, want %d, %d, %d", a.Len(datasets.Train), a.Len(datasets.Val), a.Len(datasets.Test), c.Want.Train-n, n, c.Want.Test)
	}
	if !slices.Equal(ids(a, datasets.Val), ids(again, datasets.Val)) {
		t.Error("the same seed draws other validation images")
	}
	if slices.Equal(ids(a, datasets.Val), ids(other, datasets.Val)) {
		t.Error("another seed draws the same validation images")
	}
	both := append(ids(a, datasets.Val), ids(a, datasets.Train)...)
	all := ids(whole, datasets.Train)
	slices.Sort(both)
	slices.Sort(all)
	if !slices.Equal(both, all) {
		t.Error("validation and training images together are not the training images of the whole set")
	}
}

// batchSize leaves a short last batch.
func batchSize(n int) int { return max(2, n/3+1) }

func epoch(t *testing.T, c Case) {
	d := open(t, c, 0, 1)
	n := d.Len(datasets.Train)
	batch := batchSize(n)
	for n%batch == 0 {
		batch++
	}
	l, err := datasets.NewLoader(d, datasets.LoaderOptions{Split: datasets.Train, Batch: batch, Shuffle: true, Epochs: 1, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := make([]int, n)
	for step := 0; ; step++ {
		b, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) {
			if step != l.Steps() {
				t.Errorf("%d batches, Steps() = %d", step, l.Steps())
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		want := batch
		if step == l.Steps()-1 {
			want = n % batch
		}
		if b.N != want || len(b.Index) != want || len(b.Labels) != want || b.Step != step || b.Epoch != 0 {
			t.Fatalf("batch %d: N %d, %d indexes, %d labels, step %d, epoch %d; want %d images", step, b.N, len(b.Index), len(b.Labels), b.Step, b.Epoch, want)
		}
		for j, i := range b.Index {
			seen[i]++
			if int(b.Labels[j]) != d.Label(datasets.Train, i) {
				t.Fatalf("image %d: label %d, want %d", i, b.Labels[j], d.Label(datasets.Train, i))
			}
		}
		l.Recycle(b)
	}
	for i, k := range seen {
		if k != 1 {
			t.Fatalf("image %d was there %d times", i, k)
		}
	}
}

// kept is a batch copied out of its buffers.
type kept struct {
	x     []float32
	index []int
}

func collect(t *testing.T, d *datasets.Dataset, o datasets.LoaderOptions) []kept {
	t.Helper()
	l, err := datasets.NewLoader(d, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out []kept
	for {
		b, err := l.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, kept{slices.Clone(b.X), slices.Clone(b.Index)})
		l.Recycle(b)
	}
}

func position(t *testing.T, c Case) {
	d := open(t, c, 0, 1)
	n := min(d.Len(datasets.Train), 200)
	norm, err := datasets.FitNormalizer(t.Context(), d, datasets.PixelMean)
	if err != nil {
		t.Fatal(err)
	}
	o := datasets.LoaderOptions{
		Split: datasets.Train, Batch: batchSize(n), Seed: 7, Shuffle: true, Normalizer: norm,
		Augment: datasets.Augment{Pad: 2, Flip: true}, Workers: 1, Epochs: 2,
	}
	if d.Len(datasets.Train) > 1000 {
		o.Batch, o.Epochs, o.DropLast = d.Len(datasets.Train)/4, 2, true
	}
	want := collect(t, d, o)
	steps := len(want) / 2
	for _, v := range []struct{ workers, epoch, batch int }{{1, 0, 0}, {3, 0, 0}, {7, 0, 1}, {2, 1, 0}, {2, 1, steps - 1}, {1, 0, steps}} {
		o.Workers, o.StartEpoch, o.StartBatch = v.workers, v.epoch, v.batch
		got := collect(t, d, o)
		rest := want[v.epoch*steps+v.batch:]
		if len(got) != len(rest) {
			t.Fatalf("%+v: %d batches, want %d", v, len(got), len(rest))
		}
		for i := range got {
			if !slices.Equal(got[i].index, rest[i].index) || !slices.Equal(got[i].x, rest[i].x) {
				t.Fatalf("%+v: batch %d differs from that of the uninterrupted run", v, i)
			}
		}
	}
	o.Workers, o.StartEpoch, o.StartBatch, o.Seed = 1, 0, 0, 8
	if other := collect(t, d, o); slices.Equal(other[0].index, want[0].index) {
		t.Error("another seed gives the same order")
	}
	if slices.Equal(want[0].index, want[steps].index) {
		t.Error("the second epoch has the order of the first")
	}
}

func truncated(t *testing.T, c Case) {
	c.Damage(t)
	d, err := c.Open(t, 0, 1)
	if err == nil {
		info := d.Info()
		buf := make([]byte, info.Channels*info.Height*info.Width)
		for _, s := range []datasets.Split{datasets.Train, datasets.Test} {
			for i := 0; i < d.Len(s) && err == nil; i++ {
				_, err = d.Image(s, i, buf)
			}
		}
	}
	if !errors.Is(err, datasets.ErrData) {
		t.Fatalf("error %v, want one that is ErrData", err)
	}
}
