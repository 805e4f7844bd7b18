package experiment

import (
	"runtime"
	"testing"

	"resnet/internal/eval"
)

// TestAServiceUsesAllCoresUnlessTold also for decoding.
func TestAServiceUsesAllCoresUnlessTold(t *testing.T) {
	m, err := OpenModel(&Environment{}, "../../testdata/classifier/fashion8.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for threads, want := range map[int]int{0: runtime.GOMAXPROCS(0), 1: 1, 3: 3} {
		s, err := NewService(m, ServiceOptions{View: eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		if got := cap(s.decoding); got != want {
			t.Errorf("%d threads: %d pictures are decoded at a time, want %d", threads, got, want)
		}
		s.Close()
	}
}
