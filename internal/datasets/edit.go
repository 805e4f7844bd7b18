package datasets

import (
	"math"

	"resnet/internal/datasets/pixel"
)

// What is drawn for an image besides crop, flip and colour noise has draws of its own, so that
// switching it on leaves those as they are.

// edits reports whether the bytes of an image are changed.
func (a Augment) edits() bool {
	return a.Rotate > 0 || a.jitters() || a.Policy == PolicyTrivial || a.Policy == PolicyRand
}

func (a Augment) jitters() bool {
	return a.Brightness > 0 || a.Contrast > 0 || a.Saturation > 0 || a.Hue > 0
}

// validateEdits reports the errors of what is drawn besides crop, flip and colour noise.
func (a Augment) validateEdits(v *checks) {
	within := func(path string, x, most float64, hint string) {
		if !(x >= 0 && x <= most) {
			v.Add(path, hint, "%v is not between 0 and %v", x, most)
		}
	}
	within("augment.rotate", a.Rotate, 180, "degrees; 0 means never")
	v.oneOf("augment.policy", a.Policy, PolicyNone, PolicyTrivial, PolicyRand)
	if a.Policy == PolicyRand && a.Layers < 1 {
		v.Add("augment.rand_layers", "2 is usual", "%d is below 1", a.Layers)
	}
	v.between("augment.rand_layers", a.Layers, maxLayers, "2 is usual")
	v.between("augment.rand_magnitude", a.Magnitude, magnitudes-1, "9 is usual")
	v.between("augment.views", a.Views, maxViews, "0 means new ones in each epoch")
	within("augment.brightness", a.Brightness, 10, "0.4 is usual")
	within("augment.contrast", a.Contrast, 10, "0.4 is usual")
	within("augment.saturation", a.Saturation, 10, "0.4 is usual")
	within("augment.hue", a.Hue, 0.5, "a part of the circle")
	within("augment.erase", a.Erase, 1, "a probability; torchvision's recipe has 0.1")
	within("augment.mixup", a.Mixup, maxAlpha, "torchvision's recipe has 0.2")
	within("augment.cutmix", a.CutMix, maxAlpha, "torchvision's recipe has 1")
}

// Bounds of what has no natural one.
const (
	maxLayers = 20
	maxAlpha  = 1000
	maxViews  = 1000
)

// change applies rotation, policy and colour jitter to the worker's image, as (seed, epoch, index)
// draws them.
func (w *worker) change(epoch, index int) {
	l := w.l
	if !l.opt.Augment.edits() {
		return
	}
	side := l.view.Side()
	g := newDraws(streamEdit, l.opt.Seed, uint64(epoch), uint64(index))
	l.opt.Augment.change(&g, &w.edit, pixel.Image{C: l.view.Channels, H: side, W: side, Pix: w.image})
}

func (a Augment) change(g *draws, e *pixel.Editor, m pixel.Image) {
	if a.Rotate > 0 {
		e.Rotate(m, a.Rotate*(2*g.float()-1))
	}
	switch a.Policy {
	case PolicyTrivial:
		op := trivialOps[g.below(len(trivialOps))]
		op.apply(g, e, m, g.below(magnitudes))
	case PolicyRand:
		for range a.Layers {
			op := randOps[g.below(len(randOps))]
			op.apply(g, e, m, a.Magnitude)
		}
	}
	if a.jitters() {
		a.jitter(g, e, m)
	}
}

// jitter is torchvision's ColorJitter: four changes in a random order.
func (a Augment) jitter(g *draws, e *pixel.Editor, m pixel.Image) {
	order := make([]int32, 4)
	g.permute(order)
	factor := func(x float64) float64 {
		low := math.Max(0, 1-x)
		return low + g.float()*(1+x-low)
	}
	brightness, contrast, saturation, hue := factor(a.Brightness), factor(a.Contrast), factor(a.Saturation), a.Hue*(2*g.float()-1)
	for _, k := range order {
		switch {
		case k == 0 && a.Brightness > 0:
			e.Brightness(m, brightness)
		case k == 1 && a.Contrast > 0:
			e.Contrast(m, contrast)
		case k == 2 && a.Saturation > 0:
			e.Color(m, saturation)
		case k == 3 && a.Hue > 0:
			e.Hue(m, hue)
		}
	}
}
