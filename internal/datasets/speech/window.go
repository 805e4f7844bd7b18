package speech

import (
	"math"
	"math/rand/v2"
)

// windowFunctions are Kaldi's (feature-window.cc); x is 2πi/(L−1).
var windowFunctions = map[string]func(x float64) float64{
	// Like Hamming's, but zero at the edges.
	"povey":       func(x float64) float64 { return math.Pow(0.5-0.5*math.Cos(x), 0.85) },
	"hamming":     func(x float64) float64 { return 0.54 - 0.46*math.Cos(x) },
	"hanning":     func(x float64) float64 { return 0.5 - 0.5*math.Cos(x) },
	"sine":        func(x float64) float64 { return math.Sin(x / 2) },
	"blackman":    func(x float64) float64 { return 0.42 - 0.5*math.Cos(x) + 0.08*math.Cos(2*x) },
	"rectangular": func(float64) float64 { return 1 },
}

// windowValues is the window, [L].
func (o FbankOptions) windowValues() []float32 {
	f, w := windowFunctions[o.Window], make([]float32, o.window())
	step := 2 * math.Pi / float64(len(w)-1)
	for i := range w {
		w[i] = float32(f(step * float64(i)))
	}
	return w
}

// frames is T for a recording of n samples.
func (o FbankOptions) frames(n int) int {
	length, shift := o.window(), o.shift()
	if !o.SnipEdges {
		return (n + shift/2) / shift
	}
	if n < length {
		return 0
	}
	return 1 + (n-length)/shift
}

// start is the first sample of window t, which may lie before the recording.
func (o FbankOptions) start(t int) int {
	if o.SnipEdges {
		return t * o.shift()
	}
	return t*o.shift() + o.shift()/2 - o.window()/2
}

// cutWindow copies a window of the samples to dst [L]; what lies outside is reflected at their
// ends.
func (o FbankOptions) cutWindow(dst, samples []float32, start int) {
	if start >= 0 && start+len(dst) <= len(samples) {
		copy(dst, samples[start:])
		return
	}
	for i := range dst {
		at := start + i
		// Reflected, more than once in a recording shorter than the window.
		for at < 0 || at >= len(samples) {
			if at < 0 {
				at = -at - 1
			} else {
				at = 2*len(samples) - 1 - at
			}
		}
		dst[i] = samples[at]
	}
}

// prepare dithers a window, removes its mean, emphasises and shapes it, and returns its energy
// before the last two. Sums and products are rounded to float32 one by one, as in Kaldi.
func (o FbankOptions) prepare(w, shape []float32, noise *rand.Rand) (energy float32) {
	if o.Dither != 0 {
		for i := range w {
			w[i] += float32(noise.NormFloat64() * o.Dither)
		}
	}
	if o.RemoveDC {
		var sum float32
		for _, v := range w {
			sum += v
		}
		mean := sum / float32(len(w))
		for i := range w {
			w[i] -= mean
		}
	}
	energy = squares(w)
	if c := float32(o.Preemph); c != 0 {
		for i := len(w) - 1; i > 0; i-- {
			w[i] -= float32(c * w[i-1])
		}
		w[0] -= float32(c * w[0])
	}
	for i := range w {
		w[i] *= shape[i]
	}
	return energy
}

func squares(w []float32) float32 {
	var sum float32
	for _, v := range w {
		sum += float32(v * v)
	}
	return sum
}
