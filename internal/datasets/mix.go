package datasets

import "math"

// mixes reports whether images of a batch are mixed with each other.
func (a Augment) mixes() bool { return a.Mixup > 0 || a.CutMix > 0 }

// Mixes reports whether batches come with two labels an image: Batch.Other.
func (a Augment) Mixes() bool { return a.mixes() }

// mix mixes each image of a batch with the one before it, the first with the last, as (seed, epoch,
// step) draws it: torchvision's MixUp and CutMix. With both, each batch has one of the two.
func (w *worker) mix(b *Batch) {
	l := w.l
	a := l.opt.Augment
	if !a.mixes() || b.N < 2 {
		return
	}
	g := newDraws(streamMix, l.opt.Seed, uint64(b.Epoch), uint64(b.Step))
	side := l.view.Side()
	var box [4]int
	if cut := a.Mixup == 0 || a.CutMix > 0 && g.below(2) == 1; cut {
		box, b.Share = g.cutBox(g.beta(a.CutMix), side)
		b.cutMix(box, l.size, side, &w.rows)
	} else {
		b.Share = g.beta(a.Mixup)
		b.mixUp(l.size, &w.rows)
	}
	b.Other = append(append(b.Other, b.Labels[b.N-1]), b.Labels[:b.N-1]...)
}

// mixUp is x[i] = Share·x[i] + (1 - Share)·x[i-1].
func (b *Batch) mixUp(size int, last *[]float32) {
	share, rest := float32(b.Share), float32(1-b.Share)
	b.pairs(size, last, func(x, other []float32) {
		for i, v := range x {
			x[i] = float32(other[i]*rest) + float32(v*share)
		}
	})
}

// cutMix puts columns box[0] to box[2] and rows box[1] to box[3] of x[i-1] into x[i].
func (b *Batch) cutMix(box [4]int, size, side int, last *[]float32) {
	b.pairs(size, last, func(x, other []float32) {
		for plane := 0; plane < size; plane += side * side {
			for y := box[1]; y < box[3]; y++ {
				at := plane + y*side
				copy(x[at+box[0]:at+box[2]], other[at+box[0]:at+box[2]])
			}
		}
	})
}

// pairs calls f with each image and the one before it as it was, the last ones first. last is a
// buffer for the last image.
func (b *Batch) pairs(size int, last *[]float32, f func(x, other []float32)) {
	*last = append((*last)[:0], b.X[(b.N-1)*size:]...)
	for i := b.N - 1; i > 0; i-- {
		f(b.X[i*size:(i+1)*size], b.X[(i-1)*size:i*size])
	}
	f(b.X[:size], *last)
}

// cutBox draws CutMix's rectangle for a share of the image that stays, and gives the share that
// does: the rectangle ends at the image's edges.
func (d *draws) cutBox(share float64, side int) (box [4]int, stays float64) {
	x, y, half := d.below(side), d.below(side), int(0.5*math.Sqrt(1-share)*float64(side))
	box = [4]int{max(x-half, 0), max(y-half, 0), min(x+half, side), min(y+half, side)}
	return box, 1 - float64((box[2]-box[0])*(box[3]-box[1]))/float64(side*side)
}

// beta draws from the distribution Beta(α, α), from two of the distribution Gamma(α): through their
// logarithms, since those of a small α are often too small for a float.
func (d *draws) beta(alpha float64) float64 {
	a, b := d.logGamma(alpha), d.logGamma(alpha)
	return 1 / (1 + math.Exp(b-a))
}

// logGamma is the logarithm of a draw from the distribution Gamma(α) (Marsaglia and Tsang 2000).
func (d *draws) logGamma(alpha float64) float64 {
	boost := 0.
	if alpha < 1 {
		boost = math.Log(1-d.float()) / alpha
		alpha++
	}
	third := alpha - 1./3
	c := 1 / math.Sqrt(9*third)
	for {
		x := d.normal()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(1-d.float()) < x*x/2+third-third*v+third*math.Log(v) {
			return math.Log(third*v) + boost
		}
	}
}

// Random erasing's part of the image's area, and the logarithms of its ratios of sides: those of
// torchvision.
const eraseLeast, eraseMost = 0.02, 0.33

var eraseAspect = [2]float64{math.Log(0.3), math.Log(3.3)}

// erase sets a rectangle of a normalised image to 0, as (seed, epoch, index) draws it:
// torchvision's RandomErasing.
func (w *worker) erase(x []float32, epoch, index int) {
	l := w.l
	if l.opt.Augment.Erase == 0 {
		return
	}
	g := newDraws(streamErase, l.opt.Seed, uint64(epoch), uint64(index))
	if g.float() >= l.opt.Augment.Erase {
		return
	}
	side := l.view.Side()
	top, left, height, width := g.eraseBox(side)
	for plane := 0; plane < len(x); plane += side * side {
		for y := top; y < top+height; y++ {
			clear(x[plane+y*side+left:][:width])
		}
	}
}

// eraseBox draws a rectangle within a square; none after ten that do not fit.
func (d *draws) eraseBox(side int) (top, left, height, width int) {
	for range 10 {
		area := float64(side*side) * (eraseLeast + d.float()*(eraseMost-eraseLeast))
		aspect := math.Exp(eraseAspect[0] + d.float()*(eraseAspect[1]-eraseAspect[0]))
		height, width = int(math.RoundToEven(math.Sqrt(area*aspect))), int(math.RoundToEven(math.Sqrt(area/aspect)))
		if height < side && width < side {
			return d.below(side - height + 1), d.below(side - width + 1), height, width
		}
	}
	return 0, 0, 0, 0
}
