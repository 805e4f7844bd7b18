package train

import "math"

// Optimizers that give the update of each parameter a length of its own: for large batches.

// shrink multiplies every value.
func shrink(w []float32, by float32) {
	for i, x := range w {
		w[i] = x * by
	}
}

// norm is the 2-norm, summed in float64.
func norm(xs []float32) float64 {
	sum := 0.
	for _, x := range xs {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// lamb changes a parameter by LAMB. d becomes the quotient, m/(1-Beta1ᵗ) / (√v/√(1-Beta2ᵗ) +
// Epsilon), plus Decay·w. Its length becomes that of w, unless the parameter has no decay or a
// length is 0: then w moves by rate·d alone. u.rate is 1/(1-Beta1ᵗ).
func (u adamUpdate) lamb(s adamSlot, d []float32, rate float32) {
	clear(d)
	u.apply(d, s.p.Grad, s.m, s.v) // d = 0 - quotient
	for i, x := range s.p.Data {
		d[i] = float32(s.decay*x) - d[i]
	}
	if s.decay != 0 {
		if w, g := norm(s.p.Data), norm(d); w > 0 && g > 0 {
			rate = float32(float64(rate) * w / g)
		}
	}
	for i, x := range d {
		s.p.Data[i] -= float32(rate * x)
	}
}

// lars is SGD on gradients, decay included, that are scaled by Trust·|w| / (|g| + Decay·|w| +
// Epsilon) (You et al. 2017, in the form of timm's Lars). Parameters without decay, and those of
// which w or g is 0, keep their gradients.
func (s *SGD) lars(u Update, rate float64) {
	for i := range s.slots {
		sl := &s.slots[i]
		u.Rate, u.Decay = float32(rate*sl.rate), sl.decay
		one := u
		if decay := float64(sl.decay); decay != 0 {
			w, g := norm(sl.p.Data), norm(sl.p.Grad)*float64(u.Scale)
			if w > 0 && g > 0 {
				trust := s.o.Trust * w / (g + decay*w + s.o.Epsilon)
				one.Scale, one.Decay = float32(float64(u.Scale)*trust), float32(decay*trust)
			}
		}
		one.Apply(sl.p.Data, sl.p.Grad, sl.v)
	}
}
