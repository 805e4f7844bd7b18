package datasets

import (
	"math"
	"slices"
	"testing"
)

// picturesOf is a data set of n training images of 3×12×12 pixels in two classes, of which the
// first has a fifth of the images.
func picturesOf(t testing.TB, n int) *Dataset {
	t.Helper()
	a := &array{names: []string{"rare", "common"}, c: 3, h: 12, w: 12}
	g := newDraws(99, 1, 2, 3)
	for i := range n {
		for range 3 * 12 * 12 {
			a.train.pixels = append(a.train.pixels, byte(g.below(256)))
		}
		a.train.labels = append(a.train.labels, byte(min(i%5, 1)))
	}
	d, err := newDataset(Config{Name: "pictures"}, "", a, 0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// everything draws all that there is.
var everything = Augment{
	Pad: 2, Flip: true, Color: 0.1, Rotate: 20, Policy: PolicyRand, Layers: 2, Magnitude: 9,
	Brightness: 0.4, Contrast: 0.3, Saturation: 0.2, Hue: 0.1, Erase: 0.5, Mixup: 0.2, CutMix: 1,
}

// batchesOf are batches 0 to n-1 of a loader, from start on.
func batchesOf(t *testing.T, d *Dataset, o LoaderOptions, start, n int) (all []Batch) {
	t.Helper()
	o.Batch, o.Seed, o.Shuffle, o.DropLast = 4, 3, true, true
	steps := Steps(d.Len(Train), o.Batch, true)
	o.StartEpoch, o.StartBatch = start/steps, start%steps
	l := newLoader(t, d, o)
	for range n - start {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := *b
		c.X, c.Labels, c.Other, c.Index = slices.Clone(b.X), slices.Clone(b.Labels), slices.Clone(b.Other), slices.Clone(b.Index)
		all = append(all, c)
		l.Recycle(b)
	}
	return all
}

// TestEverythingThatIsDrawnFollowsFromSeedAndPlace: workers and the point of starting change no
// bit.
func TestEverythingThatIsDrawnFollowsFromSeedAndPlace(t *testing.T) {
	d := picturesOf(t, 22)
	for _, policy := range []string{PolicyTrivial, PolicyRand} {
		for _, balanced := range []bool{false, true} {
			a := everything
			a.Policy = policy
			whole := batchesOf(t, d, LoaderOptions{Augment: a, Balanced: balanced, Workers: 1}, 0, 12)
			part := batchesOf(t, d, LoaderOptions{Augment: a, Balanced: balanced, Workers: 3}, 7, 12)
			for i, b := range part {
				w := whole[7+i]
				if !slices.Equal(b.X, w.X) || !slices.Equal(b.Labels, w.Labels) || !slices.Equal(b.Other, w.Other) || b.Share != w.Share {
					t.Fatalf("%s, balanced %v: batch %d is another one", policy, balanced, 7+i)
				}
			}
		}
	}
}

// TestEachPartChangesTheImagesAndLeavesTheOtherDraws: with a part on, images differ from those
// without it, and the order does not.
func TestEachPartChangesTheImagesAndLeavesTheOtherDraws(t *testing.T) {
	d := picturesOf(t, 22)
	plain := batchesOf(t, d, LoaderOptions{Augment: Augment{Pad: 2, Flip: true}}, 0, 10)
	for name, set := range map[string]func(a *Augment){
		"rotate": func(a *Augment) { a.Rotate = 30 }, "trivial": func(a *Augment) { a.Policy = PolicyTrivial },
		"rand":       func(a *Augment) { a.Policy, a.Layers, a.Magnitude = PolicyRand, 2, 9 },
		"brightness": func(a *Augment) { a.Brightness = 0.5 }, "contrast": func(a *Augment) { a.Contrast = 0.5 },
		"saturation": func(a *Augment) { a.Saturation = 0.5 }, "hue": func(a *Augment) { a.Hue = 0.2 },
		"erase": func(a *Augment) { a.Erase = 1 }, "mixup": func(a *Augment) { a.Mixup = 1 }, "cutmix": func(a *Augment) { a.CutMix = 1 },
	} {
		a := Augment{Pad: 2, Flip: true}
		set(&a)
		changed := 0
		for i, b := range batchesOf(t, d, LoaderOptions{Augment: a}, 0, 10) {
			if !slices.Equal(b.Index, plain[i].Index) || !slices.Equal(b.Labels, plain[i].Labels) {
				t.Fatalf("%s: other images", name)
			}
			if !slices.Equal(b.X, plain[i].X) {
				changed++
			}
			if mixed := name == "mixup" || name == "cutmix"; mixed != (b.Other != nil) {
				t.Errorf("%s: other labels %v", name, b.Other)
			}
		}
		if changed < 5 {
			t.Errorf("%s: %d of 10 batches changed", name, changed)
		}
	}
}

// TestOtherLabelsAreThoseOfTheImagesBefore: image i is mixed with image i-1 of the batch.
func TestOtherLabelsAreThoseOfTheImagesBefore(t *testing.T) {
	for _, b := range batchesOf(t, picturesOf(t, 22), LoaderOptions{Augment: Augment{Mixup: 1}}, 0, 6) {
		want := []int32{b.Labels[3], b.Labels[0], b.Labels[1], b.Labels[2]}
		if !slices.Equal(b.Other, want) || b.Share < 0 || b.Share > 1 {
			t.Errorf("labels %v, others %v, share %v", b.Labels, b.Other, b.Share)
		}
	}
}

// TestABalancedEpochHasClassesEvenly: a class of a fifth of the images gets half of the draws.
func TestABalancedEpochHasClassesEvenly(t *testing.T) {
	d := picturesOf(t, 200)
	if c := d.ClassCounts(Train); !slices.Equal(c, []int{40, 160}) {
		t.Fatalf("counts %v", c)
	}
	rare, seen := 0, map[int]bool{}
	for _, b := range batchesOf(t, d, LoaderOptions{Balanced: true}, 0, 500) {
		for j, label := range b.Labels {
			if label == 0 {
				rare++
			}
			seen[b.Index[j]] = true
		}
	}
	// 2000 draws of one half: a deviation of 22.
	if rare < 900 || rare > 1100 || len(seen) < 195 {
		t.Errorf("%d of 2000 draws are of the rare class; %d images seen", rare, len(seen))
	}
}

// TestAnImageThatIsDrawnTwiceIsSeenTwoWays: in a balanced epoch, the draws are those of the place.
func TestAnImageThatIsDrawnTwiceIsSeenTwoWays(t *testing.T) {
	seen, other, twice := map[[2]int][]float32{}, 0, 0
	for _, b := range batchesOf(t, picturesOf(t, 22), LoaderOptions{Balanced: true, Augment: Augment{Pad: 4, Flip: true}}, 0, 40) {
		size := len(b.X) / b.N
		for j, i := range b.Index {
			x, at := b.X[j*size:(j+1)*size], [2]int{b.Epoch, i}
			if before, ok := seen[at]; ok {
				twice++
				if !slices.Equal(before, x) {
					other++
				}
			}
			seen[at] = x
		}
	}
	if twice < 10 || other < twice*8/10 {
		t.Errorf("of %d images that came again, %d looked otherwise", twice, other)
	}
}

// TestBetaHasItsMoments: mean 1/2 and variance 1/(4(2α+1)); of α 1/2 the arcsine law's share below
// 0.1, which is 2/π·asin √0.1.
func TestBetaHasItsMoments(t *testing.T) {
	for _, alpha := range []float64{0.1, 0.5, 1, 3} {
		const n = 40000
		var sum, squares float64
		below := 0
		for i := range n {
			g := newDraws(streamMix, 5, uint64(i), 0)
			x := g.beta(alpha)
			if !(x >= 0 && x <= 1) {
				t.Fatalf("α %v: %v", alpha, x)
			}
			sum += x
			squares += (x - 0.5) * (x - 0.5)
			if x < 0.1 {
				below++
			}
		}
		mean, variance := sum/n, squares/n
		if want := 1 / (4 * (2*alpha + 1)); math.Abs(mean-0.5) > 0.01 || math.Abs(variance-want) > 0.02*want {
			t.Errorf("α %v: mean %v, variance %v, want 0.5 and %v", alpha, mean, variance, want)
		}
		if want := 2 / math.Pi * math.Asin(math.Sqrt(0.1)); alpha == 0.5 && math.Abs(float64(below)/n-want) > 0.01 {
			t.Errorf("α 1/2: %v below 0.1, want %v", float64(below)/n, want)
		}
	}
}

// TestErasedRectanglesHaveTorchvisionsAreas: within the image, between 2 and 33 % of it but for the
// rounding of the sides.
func TestErasedRectanglesHaveTorchvisionsAreas(t *testing.T) {
	least, most := 1., 0.
	for i := range 3000 {
		g := newDraws(streamErase, 1, uint64(i), 0)
		top, left, height, width := g.eraseBox(224)
		if top < 0 || left < 0 || top+height > 224 || left+width > 224 || height < 1 || width < 1 {
			t.Fatalf("rectangle %d %d %d %d", top, left, height, width)
		}
		part := float64(height*width) / (224 * 224)
		least, most = min(least, part), max(most, part)
	}
	if math.Abs(least-0.02) > 0.002 || math.Abs(most-0.33) > 0.005 {
		t.Errorf("areas from %v to %v", least, most)
	}
}
