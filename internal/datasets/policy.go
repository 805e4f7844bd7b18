package datasets

import (
	"math"

	"resnet/internal/datasets/pixel"
)

// magnitudes is the number of magnitudes of an operation, torchvision's num_magnitude_bins.
const magnitudes = 31

// policyOp is an operation of TrivialAugmentWide or RandAugment.
type policyOp struct {
	name string
	// magnitude is that of one of the bins, for an image of a side of so many pixels; nil means
	// that the operation has none.
	magnitude func(bin, side int) float64
	signed    bool // the magnitude is negative half of the time
	do        func(e *pixel.Editor, m pixel.Image, magnitude float64)
}

// apply draws the sign and changes the image.
func (o policyOp) apply(g *draws, e *pixel.Editor, m pixel.Image, bin int) {
	magnitude := 0.
	if o.magnitude != nil {
		magnitude = o.magnitude(bin, m.W)
	}
	if o.signed && g.below(2) == 1 {
		magnitude = -magnitude
	}
	o.do(e, m, magnitude)
}

// The spaces of torchvision's TrivialAugmentWide and RandAugment, in their order.
var (
	trivialOps = policySpace(0.99, func(int) float32 { return 32 }, 135, 0.99, 6)
	randOps    = policySpace(0.3, func(side int) float32 { return float32(150.0 / 331 * float64(side)) }, 30, 0.9, 4)
)

// policySpace lists the operations: shear up to a slope, translation by up to some pixels, rotation
// by up to some degrees, enhancement by up to a factor either way, and so many bits taken away.
func policySpace(shear float32, pixels func(side int) float32, degrees, factor float32, bits float64) []policyOp {
	to := func(most float32) func(int, int) float64 {
		return func(bin, _ int) float64 { return linspace(0, most, bin) }
	}
	shift := func(bin, side int) float64 { return linspace(0, pixels(side), bin) }
	enhance := func(name string, f func(e *pixel.Editor, m pixel.Image, factor float64)) policyOp {
		return policyOp{name, to(factor), true, func(e *pixel.Editor, m pixel.Image, x float64) { f(e, m, 1+x) }}
	}
	return []policyOp{
		{"Identity", nil, false, func(*pixel.Editor, pixel.Image, float64) {}},
		{"ShearX", to(shear), true, (*pixel.Editor).ShearX},
		{"ShearY", to(shear), true, (*pixel.Editor).ShearY},
		{"TranslateX", shift, true, func(e *pixel.Editor, m pixel.Image, x float64) { e.Translate(m, int(x), 0) }},
		{"TranslateY", shift, true, func(e *pixel.Editor, m pixel.Image, x float64) { e.Translate(m, 0, int(x)) }},
		{"Rotate", to(degrees), true, (*pixel.Editor).Rotate},
		enhance("Brightness", (*pixel.Editor).Brightness),
		enhance("Color", (*pixel.Editor).Color),
		enhance("Contrast", (*pixel.Editor).Contrast),
		enhance("Sharpness", (*pixel.Editor).Sharpness),
		{
			"Posterize", func(bin, _ int) float64 {
				return 8 - math.RoundToEven(float64(float32(bin)/float32((magnitudes-1)/bits)))
			},
			false, func(e *pixel.Editor, m pixel.Image, x float64) { e.Posterize(m, int(x)) },
		},
		{"Solarize", func(bin, _ int) float64 { return linspace(255, 0, bin) }, false, (*pixel.Editor).Solarize},
		{"AutoContrast", nil, false, func(e *pixel.Editor, m pixel.Image, _ float64) { e.AutoContrast(m) }},
		{"Equalize", nil, false, func(e *pixel.Editor, m pixel.Image, _ float64) { e.Equalize(m) }},
	}
}

// linspace is entry bin of torch.linspace(from, to, magnitudes): in float32, from the nearer end,
// with one rounding of product and sum together.
func linspace(from, to float32, bin int) float64 {
	step := (to - from) / (magnitudes - 1)
	if bin < magnitudes/2 {
		return float64(float32(float64(from) + float64(step)*float64(bin)))
	}
	return float64(float32(float64(to) - float64(step)*float64(magnitudes-1-bin)))
}
