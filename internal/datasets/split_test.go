package datasets

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestSharesByTheLargestRemainder: worked out by hand.
func TestSharesByTheLargestRemainder(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		n     float64
		want  string
	}{
		{[]int{300, 4, 3}, 40, "[38 1 1]"},  // 39.09, 0.52 and 0.39: a rare class is not left out
		{[]int{10, 10, 10}, 10, "[4 3 3]"},  // the first of equal remainders
		{[]int{10, 10, 10}, 0.1, "[1 1 1]"}, // 3
		{[]int{1, 1, 8}, 3, "[0 0 3]"},      // of one image none is drawn
		{[]int{5, 5}, 1, "[0 1]"},
		{[]int{2, 2}, 100, "[1 1]"}, // one of each stays
		{[]int{7}, 0.001, "[1]"},
		{[]int{0, 6}, 2, "[0 2]"},
	} {
		var labels []int32
		for k, size := range c.sizes {
			labels = append(labels, slices.Repeat([]int32{int32(k)}, size)...)
		}
		got := make([]int, len(c.sizes))
		drawn := Stratified(labels, len(c.sizes), c.n, 3)
		for _, i := range drawn {
			got[labels[i]]++
		}
		if s := fmt.Sprint(got); s != c.want && !(c.n == 1 && len(drawn) == 1) || !slices.IsSorted(drawn) || len(slices.Compact(drawn)) != len(drawn) {
			t.Errorf("%v of %v: %s, want %s", c.n, c.sizes, s, c.want)
		}
	}
	// Every image of a class is drawn equally often.
	often := make([]int, 20)
	for seed := range uint64(2000) {
		for _, i := range Stratified(make([]int32, 20), 1, 5, seed) {
			often[i]++
		}
	}
	for i, n := range often {
		if math.Abs(float64(n)-500) > 5*math.Sqrt(2000*0.25*0.75) {
			t.Errorf("image %d is drawn %d times, want about 500", i, n)
		}
	}
}

// TestTheSplitOfThePapersPresetsStays: which images they hold out follows from the seed as it
// always has.
func TestTheSplitOfThePapersPresetsStays(t *testing.T) {
	d, err := Open(t.Context(), Config{Name: "fashion-sample", Validation: 5}, 7)
	if err != nil {
		t.Fatal(err)
	}
	order := make([]int32, 5000)
	g := newDraws(streamValidation, 7, 0, 0)
	g.permute(order)
	want := slices.Sorted(slices.Values(order[:5]))
	if got := d.views[Val].list; !slices.Equal(got, want) {
		t.Errorf("held out: %v, want %v", got, want)
	}
}

// TestGivenNormalisers and torchvision's.
func TestGivenNormalisers(t *testing.T) {
	n, err := Config{Mean: "0.5, 0.25,0", Std: "0.2"}.Given(3)
	if err != nil || !slices.Equal(n.Mean, []float32{0.5, 0.25, 0}) || !slices.Equal(n.Std, []float32{0.2, 0.2, 0.2}) || n.Kind != ChannelMeanStd {
		t.Errorf("%+v (%v)", n, err)
	}
	for _, bad := range []Config{{Mean: "0.5", Std: "0"}, {Mean: "123.7", Std: "58"}, {Mean: "x", Std: "1"}, {Mean: "1,2", Std: "1"}, {Mean: "NaN", Std: "1"}} {
		if _, err := bad.Given(3); err == nil {
			t.Errorf("%s and %s are taken", bad.Mean, bad.Std)
		}
	}
	if n := imagenetFor(1); n.Mean[0] != 0.449 || n.Std[0] != 0.226 {
		// (0.485+0.456+0.406)/3, (0.229+0.224+0.225)/3.
		t.Errorf("of one channel: %v and %v, want 0.449 and 0.226", n.Mean, n.Std)
	}
}
