package datasets

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// noisy is a picture without two equal regions.
func noisy(w, h int) Picture { return Picture{Width: w, Height: h, Pix: randomBytes(3 * w * h)} }

func TestACropOfAResizedImageIsTheSameAsResizingAllOfIt(t *testing.T) {
	const n = 24
	p := noisy(67, 41)
	whole := p.ResizeShorter(33)
	for _, at := range [][2]int{{0, 0}, {whole.Width - n, whole.Height - n}, {13, 5}} {
		s := scaled(p.Width, p.Height, 33)
		s.x, s.y = at[0], at[1]
		var d scratch
		s.take(&d, p, filterOf(Bilinear), n)
		if want := whole.Crop(at[0], at[1], n, n); !slices.Equal(d.pixels, want.Pix) {
			t.Errorf("at %v the crop differs from that of the whole image", at)
		}
	}
	// torchvision's resized crop: cut out first, then resized.
	s := cropBox{left: 7, top: 3, w: 50, h: 31, width: n, height: n}
	var d scratch
	s.take(&d, p, filterOf(Bilinear), n)
	if want := p.Crop(7, 3, 50, 31).Resize(n, n); !slices.Equal(d.pixels, want.Pix) {
		t.Error("a resized crop differs from cutting out and resizing")
	}
}

func TestTheShorterSideIsDrawnEvenlyAndTheCropInside(t *testing.T) {
	a := Augment{Crop: CropShorterSide, ShorterMin: 256, ShorterMax: 480}
	lengths := map[int]int{}
	const draws = 45_000
	for i := range draws {
		g := newDraws(streamAugment, 1, 0, uint64(i))
		s := a.draw(&g, 500, 375, 224)
		lengths[s.height]++
		if s.x < 0 || s.y < 0 || s.x+224 > s.width || s.y+224 > s.height || s.width != 500*s.height/375 || s.w != 500 || s.h != 375 {
			t.Fatalf("draw %d: %+v", i, s)
		}
	}
	if len(lengths) != 225 {
		t.Fatalf("%d lengths of the shorter side, want 256 to 480", len(lengths))
	}
	for length, k := range lengths { // 200 ± 14
		if length < 256 || length > 480 || math.Abs(float64(k)-200) > 90 {
			t.Errorf("length %d was drawn %d times, want about 200", length, k)
		}
	}
	g, h := newDraws(streamAugment, 1, 2, 3), newDraws(streamAugment, 1, 2, 3)
	if a.draw(&g, 500, 375, 224) != a.draw(&h, 500, 375, 224) {
		t.Error("the draw of a sample changes")
	}
}

func TestResizedCropsHaveTheAreaAndTheSidesAskedFor(t *testing.T) {
	a := Augment{Crop: CropResized}.withDefaults()
	area, mean := 0.0, 0.0
	const draws = 20_000
	for i := range draws {
		g := newDraws(streamAugment, 1, 0, uint64(i))
		s := a.draw(&g, 500, 375, 224)
		if s.left < 0 || s.top < 0 || s.w < 1 || s.h < 1 || s.left+s.w > 500 || s.top+s.h > 375 || s.width != 224 || s.height != 224 {
			t.Fatalf("draw %d: %+v", i, s)
		}
		part, ratio := float64(s.w*s.h)/(500*375), float64(s.w)/float64(s.h)
		if part < 0.079 || ratio < 0.74 || ratio > 1.35 {
			t.Fatalf("draw %d: %.3f of the area, sides %.3f to 1", i, part, ratio)
		}
		area += part
		mean += math.Log(ratio)
	}
	// torchvision 0.29's own RandomResizedCrop.get_params gives 0.435 and 0.031 in as many draws:
	// of wide crops more fit a wide image, and large areas are refused more often than small ones.
	if area /= draws; math.Abs(area-0.435) > 0.01 {
		t.Errorf("the mean area is %.3f, want about 0.435", area)
	}
	if mean /= draws; math.Abs(mean-0.031) > 0.008 {
		t.Errorf("the mean logarithm of the ratio is %.3f, want about 0.031", mean)
	}
	// Most draws fit nowhere.
	for _, c := range []struct{ w, h, wantW, wantH int }{{300, 10, 13, 10}, {10, 300, 10, 13}} {
		found := false
		for i := range 200 {
			g := newDraws(streamAugment, 2, 0, uint64(i))
			s := a.draw(&g, c.w, c.h, 8)
			found = found || s.w == c.wantW && s.h == c.wantH && s.left == (c.w-s.w)/2 && s.top == (c.h-s.h)/2
		}
		if !found {
			t.Errorf("%d×%d: the central crop of %d×%d never comes", c.w, c.h, c.wantW, c.wantH)
		}
	}
}

func TestColoursAreShiftedAlongThePrincipalComponents(t *testing.T) {
	var sum, square [3]float64
	const draws = 40_000
	for i := range draws {
		g := newDraws(streamAugment, 1, 0, uint64(i))
		for c, v := range g.colorNoise(0.1) {
			sum[c] += v
			square[c] += v * v
		}
	}
	for c := range 3 {
		variance := 0.0
		for k, l := range imageNetColors.values {
			variance += math.Pow(0.1*l*imageNetColors.vectors[c][k], 2)
		}
		if got := square[c] / draws; math.Abs(got/variance-1) > 0.05 || math.Abs(sum[c]/draws) > 6*math.Sqrt(variance/draws) {
			t.Errorf("channel %d: mean %.2g, variance %.3g, want 0 and %.3g", c, sum[c]/draws, got, variance)
		}
		for k := range c { // the components are orthonormal
			dot := 0.0
			for j := range 3 {
				dot += imageNetColors.vectors[j][k] * imageNetColors.vectors[j][c]
			}
			if math.Abs(dot) > 1e-3 {
				t.Errorf("components %d and %d are not orthogonal: %.3g", k, c, dot)
			}
		}
	}
	if none := (&draws0).colorNoise(0); none != [3]float64{} {
		t.Error("no noise shifts")
	}
}

var draws0 = newDraws(streamAugment, 0, 0, 0)

func TestAViewIsNormalisedShiftedAndMirrored(t *testing.T) {
	const w, h = 4, 3
	src := randomBytes(3 * w * h)
	mean := make([]float32, len(src))
	for i := range mean {
		mean[i] = float32(i) / 50
	}
	shift := [3]float64{0.25, -0.5, 0.125}
	for _, n := range []Normalizer{{Kind: PixelMean, Mean: mean}, {Kind: ChannelMeanStd, Mean: mean[:3], Std: []float32{0.5, 0.25, 2}}, {}} {
		p := newPreparer(n, Augment{}, 3, h, w)
		for _, flip := range []bool{false, true} {
			got := make([]float32, len(src))
			p.view(got, src, flip, shift)
			plain := make([]float32, len(src))
			n.Apply(plain, src)
			for i := range got {
				c, x := i/(w*h), i%w
				from := i
				if flip {
					from = i - x + w - 1 - x
				}
				std := 1.0
				if n.Kind == ChannelMeanStd {
					std = float64(n.Std[c])
				}
				if want := float64(plain[from]) + shift[c]/std; math.Abs(float64(got[i])-want) > 1e-6 {
					t.Fatalf("%s, flip %v: value %d is %v, want %v", n.Kind, flip, i, got[i], want)
				}
			}
		}
	}
}

func TestDrawsOfPhotosDoNotChangeBetweenVersions(t *testing.T) {
	// Golden values: a change here breaks the resuming of every run.
	var got []string
	for i, a := range []Augment{{Crop: CropShorterSide}, {Crop: CropResized}} {
		g := newDraws(streamAugment, 1, 2, uint64(i))
		s := a.withDefaults().draw(&g, 500, 375, 224)
		got = append(got, fmt.Sprint(s, g.below(2), math.Round(1e6*g.colorNoise(0.1)[0])))
	}
	if fmt.Sprint(got) != goldenViews {
		t.Errorf("views %s, want %s", got, goldenViews)
	}
}

const goldenViews = "[{0 0 500 375 432 324 198 72} 1 -25691 {63 141 165 202 224 224 0 0} 1 4693]"
