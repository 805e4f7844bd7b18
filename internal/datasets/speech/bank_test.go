package speech

import (
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/datasets/speech/audio"
)

// TestFeaturesDoNotDependOnThePieces: the samples of a recording come as its file has them.
func TestFeaturesDoNotDependOnThePieces(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, snip := range []bool{true, false} {
		for _, n := range []int{150, 200, 201, 399, 3000, 40_000} {
			o := DefaultFbank(8000, 5)
			o.SnipEdges, o.Dither, o.DitherSeed = snip, 1, 7
			samples := make([]float32, n)
			for i := range samples {
				samples[i] = float32(r.NormFloat64() * 1000)
			}
			want, err := o.Compute(audio.Audio{Rate: 8000, Channels: [][]float32{samples}})
			for _, most := range []int{1, 79, 81, 5000} {
				b, e := o.newBank(8000)
				if e != nil {
					t.Fatal(e)
				}
				for rest := samples; len(rest) > 0; {
					k := min(len(rest), 1+r.IntN(most))
					if e := b.add(rest[:k]); e != nil {
						t.Fatal(e)
					}
					rest = rest[k:]
					if len(b.samples) > 2*(len(b.window)+o.shift()+most)+len(b.window) {
						t.Fatalf("%d samples are kept", len(b.samples))
					}
				}
				got, e := b.features()
				if (e == nil) != (err == nil) || got.Frames != want.Frames || !slices.Equal(got.Data, want.Data) {
					t.Fatalf("%d samples, snip %v, pieces up to %d: %d frames (%v), in one piece %d (%v)", n, snip, most, got.Frames, e, want.Frames, err)
				}
			}
		}
	}
}
