package datasets

import (
	"slices"
	"testing"
)

// TestAPartIsDrawnEvenlyFromTheClasses: the sample has 100 test images of each class, in an order
// of its own.
func TestAPartIsDrawnEvenlyFromTheClasses(t *testing.T) {
	d, err := Open(t.Context(), Config{Name: "fashion-sample"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for i := range d.Len(Test) {
		all[d.ID(Test, i)] = d.Label(Test, i)
	}
	p := d.Part(Test, 30)
	if info := p.Info(); p.Len(Test) != 30 || info.Test != 30 || info.Train != 5000 || p.Len(Train) != 5000 || d.Len(Test) != 1000 || d.Info().Test != 1000 {
		t.Fatalf("%+v of %+v", info, d.Info())
	}
	counts := make([]int, 10)
	var ids []string
	a, b := make([]byte, 28*28), make([]byte, 28*28)
	for i := range p.Len(Test) {
		id := p.ID(Test, i)
		ids = append(ids, id)
		counts[p.Label(Test, i)]++
		if want, ok := all[id]; !ok || want != p.Label(Test, i) {
			t.Errorf("%s has label %d, want %d", id, p.Label(Test, i), want)
		}
		k := 0
		for d.ID(Test, k) != id {
			k++
		}
		if _, err := p.Image(Test, i, a); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Image(Test, k, b); err != nil || !slices.Equal(a, b) {
			t.Errorf("%s is another image (%v)", id, err)
		}
	}
	if !slices.Equal(counts, []int{3, 3, 3, 3, 3, 3, 3, 3, 3, 3}) {
		t.Errorf("of the classes %v", counts)
	}
	again := d.Part(Test, 30)
	for i, id := range ids {
		if again.ID(Test, i) != id {
			t.Errorf("image %d is another the second time", i)
		}
	}
	if d.Part(Test, 1000) != d || d.Part(Test, 5000) != d {
		t.Error("all images are no part")
	}
}
