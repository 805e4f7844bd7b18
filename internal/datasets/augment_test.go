package datasets

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// plainCrop is the paper's augmentation step by step: normalise, pad with zeros, cut out, flip.
func plainCrop(y []float32, c, h, w, pad, dy, dx int, flip bool) []float32 {
	H, W := h+2*pad, w+2*pad
	padded := make([]float32, c*H*W)
	for k := range c {
		for i := range h {
			copy(padded[(k*H+i+pad)*W+pad:], y[(k*h+i)*w:(k*h+i+1)*w])
		}
	}
	out := make([]float32, c*h*w)
	for k := range c {
		for i := range h {
			for j := range w {
				from := j
				if flip {
					from = w - 1 - j
				}
				out[(k*h+i)*w+j] = padded[(k*H+i+dy)*W+from+dx]
			}
		}
	}
	return out
}

func TestCropIsPadThenCutThenFlip(t *testing.T) {
	for _, s := range []struct{ c, h, w, pad int }{{3, 5, 4, 2}, {1, 3, 3, 5}, {2, 1, 6, 1}} {
		src := randomBytes(s.c * s.h * s.w)
		mean := make([]float32, len(src))
		for i := range mean {
			mean[i] = float32(i%7) / 9
		}
		for _, n := range []Normalizer{{Kind: PixelMean, Mean: mean}, {Kind: ChannelMeanStd, Mean: mean[:s.c], Std: mean[1 : 1+s.c]}, {}} {
			p := newPreparer(n, Augment{Pad: s.pad, Flip: true}, s.c, s.h, s.w)
			y := make([]float32, len(src))
			n.Apply(y, src)
			for dy := range 2*s.pad + 1 {
				for dx := range 2*s.pad + 1 {
					for _, flip := range []bool{false, true} {
						got := slices.Repeat([]float32{float32(math.NaN())}, len(src))
						p.crop(got, src, dy-s.pad, dx-s.pad, flip)
						if want := plainCrop(y, s.c, s.h, s.w, s.pad, dy, dx, flip); !slices.Equal(got, want) {
							t.Fatalf("%+v, %s, offset %d,%d, flip %v:\n%v, want\n%v", s, n.Kind, dy, dx, flip, got, want)
						}
					}
				}
			}
		}
	}
}

func TestDrawsAreEvenAndIndependentOfOrder(t *testing.T) {
	p := newPreparer(Normalizer{}, Augment{Pad: 4, Flip: true}, 3, 32, 32)
	counts := map[string]int{}
	const n = 81_000
	flips := 0
	for i := range n {
		dy, dx, flip, _ := p.draw(1, i%3, i/3)
		counts[fmt.Sprint(dy, dx)]++
		if flip {
			flips++
		}
	}
	if len(counts) != 81 {
		t.Fatalf("%d offsets, want 9×9", len(counts))
	}
	// A count is 1000 ± 31; six deviations happen once in a billion.
	for at, k := range counts {
		if math.Abs(float64(k)-1000) > 190 {
			t.Errorf("offset %s drawn %d times, want about 1000", at, k)
		}
	}
	if math.Abs(float64(flips)-n/2) > 6*math.Sqrt(n)/2 {
		t.Errorf("%d flips of %d", flips, n)
	}
	a, b, c, _ := p.draw(5, 2, 77)
	p.draw(5, 2, 78)
	if d, e, f, _ := p.draw(5, 2, 77); a != d || b != e || c != f {
		t.Error("the draw of a sample depends on what was drawn before")
	}
}

func TestDrawsDoNotChangeBetweenVersions(t *testing.T) {
	// Golden values: a change here breaks the resuming of every run.
	order := make([]int32, 10)
	g := newDraws(streamOrder, 1, 2, 0)
	g.permute(order)
	if got, want := fmt.Sprint(order), goldenOrder; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	p := newPreparer(Normalizer{}, Augment{Pad: 4, Flip: true}, 1, 8, 8)
	var got []string
	for i := range 4 {
		dy, dx, flip, _ := p.draw(1, 2, i)
		got = append(got, fmt.Sprint(dy, dx, flip))
	}
	if fmt.Sprint(got) != goldenCrops {
		t.Errorf("crops %s, want %s", got, goldenCrops)
	}
}

const (
	goldenOrder = "[5 1 4 8 9 7 6 2 3 0]"
	goldenCrops = "[2 8 true 0 1 false 3 8 true 7 1 false]"
)

func TestPermutationsAreEven(t *testing.T) {
	counts := map[string]int{}
	p := make([]int32, 4)
	for e := range 24_000 {
		g := newDraws(streamOrder, 3, uint64(e), 0)
		g.permute(p)
		counts[fmt.Sprint(p)]++
	}
	if len(counts) != 24 {
		t.Fatalf("%d permutations of 4, want 24", len(counts))
	}
	for at, k := range counts {
		if math.Abs(float64(k)-1000) > 190 {
			t.Errorf("%s drawn %d times, want about 1000", at, k)
		}
	}
}

// TestColoursAreShiftedBeforeTheyAreNormalised: a shift of values in [0, 1] is divided by the
// deviation.
func TestColoursAreShiftedBeforeTheyAreNormalised(t *testing.T) {
	n := Normalizer{Kind: ChannelMeanStd, Mean: []float32{0.5, 0.25, 0.125}, Std: []float32{0.5, 0.25, 2}}
	p := newPreparer(n, Augment{}, 3, 1, 2)
	src := []byte{0, 255, 51, 102, 204, 153}
	shift := [3]float64{0.1, -0.2, 0.3}
	got := make([]float32, 6)
	p.view(got, src, false, shift)
	for i, v := range src {
		c := i / 2
		if want := (float64(v)/255 + shift[c] - float64(n.Mean[c])) / float64(n.Std[c]); math.Abs(float64(got[i])-want) > 1e-6 {
			t.Errorf("value %d of channel %d is %v, want %v", v, c, got[i], want)
		}
	}
}

// TestLumaHasTheWeightsOfBT601: in 16 fractional bits, rounded to nearest.
func TestLumaHasTheWeightsOfBT601(t *testing.T) {
	var weights [3]int
	for c, w := range []float64{0.299, 0.587, 0.114} {
		weights[c] = int(math.Round(w * (1 << 16)))
	}
	rgb := make([]byte, 3)
	for r := range 256 {
		for g := 0; g < 256; g += 3 {
			for b := 0; b < 256; b += 5 {
				rgb[0], rgb[1], rgb[2] = byte(r), byte(g), byte(b)
				if got, want := int(Luma(rgb)[0]), (weights[0]*r+weights[1]*g+weights[2]*b+1<<15)>>16; got != want {
					t.Fatalf("luma of %d, %d, %d is %d, want %d", r, g, b, got, want)
				}
			}
		}
	}
}
