package datasets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// tableOf is the table of tiny: the row of image i is i and the view.
func tableOf(d *Dataset, view int) *Table {
	t := &Table{Width: 2}
	for i := range d.Len(Train) {
		t.Rows, t.Labels = append(t.Rows, float32(i), float32(view)), append(t.Labels, int32(d.Label(Train, i)))
	}
	return t
}

// TestATableHasTheBatchesOfItsImages compares with the loader of the images, from the start and
// from within an epoch.
func TestATableHasTheBatchesOfItsImages(t *testing.T) {
	d := tiny(t, 11)
	for _, o := range []LoaderOptions{
		{Split: Train, Batch: 3, Seed: 4, Shuffle: true, DropLast: true, Epochs: 5},
		{Split: Train, Batch: 3, Seed: 4, Shuffle: true, Epochs: 5, StartEpoch: 2, StartBatch: 1},
		{Split: Train, Batch: 4, Seed: 5, Shuffle: true, DropLast: true, Balanced: true, Epochs: 3},
		{Split: Train, Batch: 4, Epochs: 1},
	} {
		o.Augment.Views = 2
		images := newLoader(t, d, o)
		var views []int
		rows, err := NewTableLoader(d, o, func(_ context.Context, view int) (*Table, error) {
			views = append(views, view)
			return tableOf(d, view), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for {
			a, err1 := images.Next(t.Context())
			b, err2 := rows.Next(t.Context())
			if errors.Is(err1, io.EOF) && errors.Is(err2, io.EOF) {
				break
			}
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if a.N != b.N || a.Epoch != b.Epoch || a.Step != b.Step || !slices.Equal(a.Index, b.Index) || !slices.Equal(a.Labels, b.Labels) {
				t.Fatalf("%+v: batch %v %v, want %v %v", o, b.Index, b.Labels, a.Index, a.Labels)
			}
			for j, i := range b.Index {
				if b.X[2*j] != float32(i) || b.X[2*j+1] != float32(b.Epoch%2) {
					t.Fatalf("row of image %d in epoch %d is %v", i, b.Epoch, b.X[2*j:2*j+2])
				}
			}
			images.Recycle(a)
			rows.Recycle(b)
		}
		if want := o.Epochs - o.StartEpoch; len(views) != want {
			t.Errorf("%+v: asked for views %v, and there were %d epochs", o, views, want)
		}
	}
}

// TestATableThatFailsIsAskedForAgain: an interrupted batch is not lost.
func TestATableThatFailsIsAskedForAgain(t *testing.T) {
	d, fail := tiny(t, 4), true
	l, err := NewTableLoader(d, LoaderOptions{Split: Train, Batch: 2, Shuffle: true}, func(_ context.Context, view int) (*Table, error) {
		if fail {
			return nil, context.Canceled
		}
		return tableOf(d, view), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Next(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	fail = false
	if b, err := l.Next(t.Context()); err != nil || b.Epoch != 0 || b.Step != 0 {
		t.Errorf("%+v, %v", b, err)
	}
	short := &Table{Width: 1, Rows: []float32{1}, Labels: []int32{1}}
	l, err = NewTableLoader(d, LoaderOptions{Split: Train, Batch: 2}, func(context.Context, int) (*Table, error) { return short, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Next(t.Context()); err == nil {
		t.Error("a table with a row for four images is taken")
	}
	if _, err := NewTableLoader(d, LoaderOptions{Split: Train, Batch: 2, Augment: Augment{Mixup: 1}}, nil); !errors.Is(err, ErrConfig) {
		t.Errorf("of mixed images: %v", err)
	}
}

// TestATablesOptionsAreThoseOfALoader: what NewLoader refuses, and a share of the batches.
func TestATablesOptionsAreThoseOfALoader(t *testing.T) {
	d := tiny(t, 7)
	for says, o := range map[string]LoaderOptions{
		"batch of 0":             {Split: Train},
		"no images":              {Split: Test, Batch: 1},
		"less than one":          {Split: Train, Batch: 8, DropLast: true},
		"negative":               {Split: Train, Batch: 1, StartEpoch: -1},
		"start at batch":         {Split: Train, Batch: 7, StartBatch: 2},
		"every 2":                {Split: Train, Batch: 1, Share: Share{First: 1, Count: 2, Of: 2}},
		"a share of the batches": {Split: Train, Batch: 1, Share: Share{First: 1, Count: 1, Of: 2}},
	} {
		if _, err := NewTableLoader(d, o, nil); !errors.Is(err, ErrConfig) || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%+v: error %v, want ErrConfig with %q", o, err, says)
		}
	}
	if _, err := NewTableLoader(d, LoaderOptions{Split: Train, Batch: 1, Share: Share{Count: 2, Of: 2}}, nil); err != nil {
		t.Errorf("of all batches: %v", err)
	}
}

// TestViewsComeAgain: with views, an epoch shows each image as the epoch so many before, and
// without, never.
func TestViewsComeAgain(t *testing.T) {
	d := tiny(t, 40)
	epoch := func(views, epoch int, balanced bool) []float32 {
		a := Augment{Pad: 1, Flip: true, Rotate: 90, Erase: 0.5, Views: views}
		l := newLoader(t, d, LoaderOptions{Batch: 40, Seed: 3, Shuffle: balanced, Balanced: balanced, Augment: a, StartEpoch: epoch, Epochs: epoch + 1, Workers: 2})
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		byImage := make([]float32, 4*40)
		for j, i := range b.Index {
			copy(byImage[4*i:4*i+4], b.X[4*j:4*j+4])
		}
		return byImage
	}
	for e := range 3 {
		if !slices.Equal(epoch(3, e, false), epoch(0, e, false)) {
			t.Errorf("view %d of 3 is not what epoch %d is without views", e, e)
		}
		if !slices.Equal(epoch(3, e, false), epoch(3, e+6, false)) {
			t.Errorf("view %d does not come again", e)
		}
		if slices.Equal(epoch(0, e, false), epoch(0, e+6, false)) {
			t.Errorf("epoch %d comes again without views", e)
		}
	}
	// Of balanced sampling, too, where images come several times in an epoch.
	plain, drawn := epoch(3, 1, false), epoch(3, 4, true)
	for i := range 40 {
		if row := drawn[4*i : 4*i+4]; !slices.Equal(row, make([]float32, 4)) && !slices.Equal(row, plain[4*i:4*i+4]) {
			t.Errorf("image %d is %v, want %v", i, row, plain[4*i:4*i+4])
		}
	}
}

// TestTheStateOfASplitIsOfItsImagesAlone changes pixels, labels and another split.
func TestTheStateOfASplitIsOfItsImagesAlone(t *testing.T) {
	state := func(d *Dataset) string {
		s, err := d.StateOf(t.Context(), Train)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	seen := map[string]string{}
	for name, change := range map[string]func(d *Dataset){
		"as it was":     func(*Dataset) {},
		"a pixel":       func(d *Dataset) { d.src.(*array).train.pixels[5]++ },
		"a label":       func(d *Dataset) { d.src.(*array).train.labels[3] ^= 1 },
		"another order": func(d *Dataset) { d.views[Train] = view{Train, []int32{1, 0, 2, 3, 4, 5}, 6} },
		"fewer":         func(d *Dataset) { d.views[Train] = view{Train, []int32{0, 1, 2, 3, 4}, 5} },
	} {
		d := tiny(t, 6)
		change(d)
		s := state(d)
		if other, ok := seen[s]; ok {
			t.Errorf("%s and %s have one state", name, other)
		}
		seen[s] = name
	}
	if again := state(tiny(t, 6)); seen[again] != "as it was" {
		t.Error("the state is not a function of the images")
	}
}
