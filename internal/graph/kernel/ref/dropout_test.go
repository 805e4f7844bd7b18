package ref

import (
	"slices"
	"testing"
)

// The first outputs of SplitMix64 from seed 0, as published with the generator.
func TestMixIsSplitMix64(t *testing.T) {
	const increment = 0x9e3779b97f4a7c15
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec} {
		if got := mix(uint64(i) * uint64(increment)); got != want {
			t.Errorf("output %d is %#x, want %#x", i, got, want)
		}
	}
	// With base 0 the stream of a mask is that sequence, and its upper 53 bits the fraction.
	if got, want := uniform(0, 2), float64(0x06c45d188009454f>>11)/(1<<53); got != want {
		t.Errorf("element 2 is %v, want %v", got, want)
	}
}

func TestAPartOfAMaskIsThatOfTheWhole(t *testing.T) {
	key := DropoutKey{Seed: 1, Step: 2, Stream: 3}
	x := make([]float32, 100)
	for i := range x {
		x[i] = float32(i + 1)
	}
	whole, part := make([]float32, 100), make([]float32, 40)
	Dropout(whole, x, 0.5, key)
	DropoutFrom(part, x[30:70], 0.5, key, 30)
	if !slices.Equal(part, whole[30:70]) {
		t.Errorf("got %v, want %v", part, whole[30:70])
	}
	for i, v := range whole {
		if v != 0 && v != 2*x[i] {
			t.Errorf("element %d became %v", i, v)
		}
	}
}
