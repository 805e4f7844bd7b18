package eval

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

func TestNearestImagesByHand(t *testing.T) {
	e := Embeddings{Names: []string{"far", "same", "turned", "near", "nothing"}, Features: [][]float32{{-1, 0}, {2, 2}, {-3, 3}, {1, 0}, {0, 0}}}
	got := e.Nearest([]float32{1, 1}, 4)
	want := []Neighbour{{"same", 1}, {"near", math.Sqrt(0.5)}, {"turned", 0}, {"nothing", 0}}
	for i, n := range got {
		if n.Image != want[i].Image || math.Abs(n.Cosine-want[i].Cosine) > 1e-12 {
			t.Errorf("place %d: %+v, want %+v", i, n, want[i])
		}
	}
	if len(got) != 4 || len(e.Nearest([]float32{1, 1}, 99)) != 5 {
		t.Errorf("%v", got)
	}
}

// TestFeaturesInNumPysFormat holds the bytes to those that numpy.save writes.
func TestFeaturesInNumPysFormat(t *testing.T) {
	e := Embeddings{Names: []string{"a", "b"}, Features: [][]float32{{1, -2, 0.5}, {3, 4, 5}}}
	var b bytes.Buffer
	if err := e.WriteNPY(&b); err != nil {
		t.Fatal(err)
	}
	head := "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
	want := append([]byte(head), bytes.Repeat([]byte(" "), 127-len(head))...)
	want = append(want, '\n')
	want = append(want, "\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x00\x3f\x00\x00\x40\x40\x00\x00\x80\x40\x00\x00\xa0\x40"...)
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%q\nwant %q", b.Bytes(), want)
	}
}

func TestFeaturesAsCSV(t *testing.T) {
	e := Embeddings{Names: []string{"a,b", "c"}, Features: [][]float32{{1, 0.1}, {-1e-20, 3}}}
	var b bytes.Buffer
	if err := e.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "image,f0,f1\n\"a,b\",1,0.1\nc,-1e-20,3\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestFeaturesOfManyViewsAreTheirMean computes ten views of an image, and each of them alone.
func TestFeaturesOfManyViewsAreTheirMean(t *testing.T) {
	m := tiny(t, "tiny-imagenet-stem", 3)
	p, cuts := cutsOf(t, m, CropsTen)
	s := NewScorer(m, p, ScorerOptions{Factory: tape, Form: Features})
	defer s.Close()
	got, err := s.Scores(t.Context(), slices.Clone(cuts[0]))
	if err != nil {
		t.Fatal(err)
	}
	one := NewScorer(m, Protocol{Views: 1, Height: p.Height, Width: p.Width, Flip: true}, ScorerOptions{Factory: tape, Form: Features})
	defer one.Close()
	mean := make([]float64, len(got))
	for _, c := range cuts[0] { // with its mirror image
		f, err := one.Scores(t.Context(), []Cut{c})
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range f {
			mean[k] += float64(v) / float64(len(cuts[0]))
		}
	}
	for k, v := range got {
		if math.Abs(float64(v)-mean[k]) > 1e-5*(1+math.Abs(mean[k])) {
			t.Fatalf("feature %d: %v, want %v", k, v, mean[k])
		}
	}
}
