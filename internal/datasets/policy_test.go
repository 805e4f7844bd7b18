package datasets

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets/pixel"
)

// pixelsFixture is testdata/recipe/pixels.json.
type pixelsFixture struct {
	Magnitudes map[string][]float64 `json:"magnitudes"`
	Trivial    []opFixture          `json:"trivial"`
	Rand       map[string][]opFixture
	Images     []struct {
		Name   string `json:"name"`
		C      int    `json:"c"`
		H      int    `json:"h"`
		W      int    `json:"w"`
		Pixels string `json:"pixels"`
		// The first six hexadecimal digits of SHA-256, by magnitude.
		Digests map[string]string `json:"digests"`
	} `json:"images"`
}

type opFixture struct {
	Name       string    `json:"name"`
	Magnitudes []float64 `json:"magnitudes"` // null where there are none
	Signed     bool      `json:"signed"`
}

func readRecipe(t *testing.T, name string, to any) {
	t.Helper()
	text, err := os.ReadFile("../../testdata/recipe/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// TestThePixelsOfEveryOperationAreTorchvisions holds each operation at every magnitude that a
// policy can draw to the bytes of torchvision's operation on PIL images.
func TestThePixelsOfEveryOperationAreTorchvisions(t *testing.T) {
	var f pixelsFixture
	readRecipe(t, "pixels.json", &f)
	ops := map[string]func(*pixel.Editor, pixel.Image, float64){"Hue": (*pixel.Editor).Hue}
	for _, op := range trivialOps {
		ops[op.name] = op.do
	}
	var e pixel.Editor
	compared := 0
	for _, image := range f.Images {
		pixels, err := base64.StdEncoding.DecodeString(image.Pixels)
		if err != nil || len(pixels) != image.C*image.H*image.W {
			t.Fatalf("%s: %d bytes, %v", image.Name, len(pixels), err)
		}
		for name, magnitudes := range f.Magnitudes {
			wrong := []float64{}
			for i, want := range strings.Fields(image.Digests[name]) {
				m := pixel.Image{C: image.C, H: image.H, W: image.W, Pix: slices.Clone(pixels)}
				ops[name](&e, m, magnitudes[i])
				sum := sha256.Sum256(m.Pix)
				if hex.EncodeToString(sum[:])[:6] != want {
					wrong = append(wrong, magnitudes[i])
				}
				compared++
			}
			if len(wrong) > 0 {
				t.Errorf("%s, %s: other pixels at %v (%d of %d)", image.Name, name, wrong, len(wrong), len(magnitudes))
			}
		}
	}
	if len(f.Images) != 8 || len(ops) != 15 || compared < 5000 {
		t.Errorf("%d images, %d operations, %d comparisons", len(f.Images), len(ops), compared)
	}
}

// TestThePoliciesSpacesAreTorchvisions: names, order, signs and magnitudes, to the bit.
func TestThePoliciesSpacesAreTorchvisions(t *testing.T) {
	var f pixelsFixture
	readRecipe(t, "pixels.json", &f)
	same := func(what string, side int, got []policyOp, want []opFixture) {
		t.Helper()
		if len(got) != len(want) || len(got) != 14 {
			t.Fatalf("%s: %d operations, want %d", what, len(got), len(want))
		}
		for i, w := range want {
			op := got[i]
			if op.name != w.Name || op.signed != w.Signed || (op.magnitude == nil) != (w.Magnitudes == nil) {
				t.Errorf("%s: %+v, want %+v", what, op, w)
				continue
			}
			for bin, x := range w.Magnitudes {
				if m := op.magnitude(bin, side); m != x {
					t.Errorf("%s, side %d, %s, bin %d: %v, want %v", what, side, op.name, bin, m, x)
				}
			}
		}
	}
	same("TrivialAugmentWide", 32, trivialOps, f.Trivial)
	if len(f.Rand) != 4 {
		t.Errorf("%d sizes", len(f.Rand))
	}
	for side, want := range f.Rand {
		var n int
		if err := json.Unmarshal([]byte(side), &n); err != nil {
			t.Fatal(err)
		}
		same("RandAugment", n, randOps, want)
	}
}

// TestMixupAndCutMixAreTorchvisions holds pixels and the labels' shares to MixUp and CutMix with
// given parameters.
func TestMixupAndCutMixAreTorchvisions(t *testing.T) {
	type mixed struct {
		Box   [4]int    `json:"box"`
		Share float64   `json:"share"`
		X     []float32 `json:"x"`
	}
	var f struct {
		X      []float32 `json:"x"`
		Mixup  []mixed   `json:"mixup"`
		CutMix []mixed   `json:"cutmix"`
	}
	readRecipe(t, "mix.json", &f)
	if len(f.Mixup) != 4 || len(f.CutMix) != 4 {
		t.Fatalf("%d and %d cases", len(f.Mixup), len(f.CutMix))
	}
	var buffer []float32
	check := func(what string, m mixed, mix func(b *Batch)) {
		b := &Batch{X: slices.Clone(f.X), N: 4, Share: m.Share}
		mix(b)
		for i := range m.X {
			// One rounding of a number of about 1 more or less.
			if math.Abs(float64(b.X[i]-m.X[i])) > 3e-7 {
				t.Fatalf("%s %v: value %d is %v, want %v", what, m.Share, i, b.X[i], m.X[i])
			}
		}
	}
	for _, m := range f.Mixup {
		check("mixup", m, func(b *Batch) { b.mixUp(50, &buffer) })
	}
	for _, m := range f.CutMix {
		check("CutMix", m, func(b *Batch) { b.cutMix(m.Box, 50, 5, &buffer) })
	}
}
