package datasets

import "math"

// imageNetColors are the principal components of the colours of ImageNet's pixels in [0, 1]:
// eigenvalues and, as rows, for red, green and blue the entries of the three eigenvectors.
// Krizhevsky et al. 2012 (section 4.1) describe the noise and do not print them; these are the
// values of their program (55.46, 4.794 and 1.148 of 255) that fb.resnet.torch and others use.
var imageNetColors = struct {
	values  [3]float64
	vectors [3][3]float64
}{
	[3]float64{0.2175, 0.0188, 0.0045},
	[3][3]float64{{-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}},
}

// colorNoise draws what is added to red, green and blue of every pixel: Σ p[c][k]·α[k]·λ[k], α
// normal with the deviation given.
func (d *draws) colorNoise(deviation float64) (shift [3]float64) {
	if deviation == 0 {
		return shift
	}
	for k, value := range imageNetColors.values {
		a := d.normal() * deviation * value
		for c := range shift {
			shift[c] += imageNetColors.vectors[c][k] * a
		}
	}
	return shift
}

// withDefaults fills in what a zero stands for.
func (a Augment) withDefaults() Augment {
	def := DefaultConfig().Augment
	if a.ShorterMin == 0 && a.ShorterMax == 0 {
		a.ShorterMin, a.ShorterMax = def.ShorterMin, def.ShorterMax
	}
	if a.AreaMin == 0 {
		a.AreaMin = def.AreaMin
	}
	if a.AspectMax == 0 {
		a.AspectMax = def.AspectMax
	}
	return a
}

// anySize says that the crop is drawn from images of any size.
func (a Augment) anySize() bool { return a.Crop == CropShorterSide || a.Crop == CropResized }

// view is which augmentation of an image an epoch has: what is drawn for it is a function of seed,
// view and image.
func (a Augment) view(epoch int) int {
	if a.Views > 0 {
		return epoch % a.Views
	}
	return epoch
}

// Draws reports whether anything is drawn at random for an image.
func (a Augment) Draws() bool { return a.drawsAny() }

// drawsAny reports whether anything is drawn at random.
func (a Augment) drawsAny() bool {
	return a.anySize() || a.Pad > 0 || a.Flip || a.Color > 0 || a.edits() || a.Erase > 0 || a.mixes()
}

// draw chooses the view of an image of w×h pixels, as a square of side n: the paper's (section 3.4)
// or torchvision's.
func (a Augment) draw(d *draws, w, h, n int) cropBox {
	if a.Crop == CropResized {
		return a.resizedCrop(d, w, h, n)
	}
	shorter := a.ShorterMin + d.below(a.ShorterMax-a.ShorterMin+1)
	s := scaled(w, h, shorter)
	s.x, s.y = d.below(s.width-n+1), d.below(s.height-n+1)
	return s
}

// resizedCrop is torchvision's RandomResizedCrop: a rectangle whose area is a part of the image's,
// uniform in [AreaMin, 1], and whose ratio of sides is log-uniform in [1/AspectMax, AspectMax];
// after ten that do not fit, the largest central one that does.
func (a Augment) resizedCrop(d *draws, w, h, n int) cropBox {
	s := cropBox{width: n, height: n}
	bound := math.Log(a.AspectMax)
	for range 10 {
		area := float64(w) * float64(h) * (a.AreaMin + d.float()*(1-a.AreaMin))
		aspect := math.Exp(bound * (2*d.float() - 1))
		s.w, s.h = int(math.RoundToEven(math.Sqrt(area*aspect))), int(math.RoundToEven(math.Sqrt(area/aspect)))
		if s.w > 0 && s.w <= w && s.h > 0 && s.h <= h {
			s.left, s.top = d.below(w-s.w+1), d.below(h-s.h+1)
			return s
		}
	}
	s.w, s.h = w, h
	switch in := float64(w) / float64(h); {
	case in < 1/a.AspectMax:
		s.h = int(math.RoundToEven(float64(w) * a.AspectMax))
	case in > a.AspectMax:
		s.w = int(math.RoundToEven(float64(h) * a.AspectMax))
	}
	s.left, s.top = (w-s.w)/2, (h-s.h)/2
	return s
}

// float draws from [0, 1): 53 bits.
func (d *draws) float() float64 { return float64(d.pcg.Uint64()>>11) / (1 << 53) }

// normal draws from the normal distribution (Box and Muller 1958).
func (d *draws) normal() float64 {
	u, v := 1-d.float(), d.float()
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}
