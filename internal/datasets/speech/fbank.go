package speech

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"

	"resnet/internal/datasets/fault"
)

// epsilon is the float32 below which energies are raised before their logarithm, as in Kaldi.
const epsilon = 1.1920929e-07

// maxValues bounds the features of a recording, 1 GB: nine hours of 80 bins every 10 ms.
const maxValues = 1 << 28

// Compute returns the log-mel filter banks of a recording of one channel, [T, F] (with Energy [T,
// 1+F]), as Kaldi's compute-fbank-feats. A recording that is shorter than a window is
// fault.ErrData, as is one of another rate or of several channels; options that describe no filter
// bank are fault.ErrConfig. The result depends on the options and the samples alone.
func (o FbankOptions) Compute(a Audio) (Features, error) {
	if err := o.Check(); err != nil {
		return Features{}, err
	}
	samples, err := o.mono(a)
	if err != nil {
		return Features{}, err
	}
	frames := o.frames(len(samples))
	if frames == 0 {
		return Features{}, fault.Dataf("%d samples (%.4g ms) are fewer than a window of %g ms", len(samples), 1000*float64(len(samples))/float64(a.Rate), o.LengthMS)
	}
	if float64(frames)*float64(o.Dim()) > maxValues {
		return Features{}, fault.Dataf("%d windows of %d values: %d values at most are computed of a recording", frames, o.Dim(), maxValues)
	}
	bins, err := o.melBins()
	if err != nil {
		return Features{}, err
	}
	f, s := NewFeatures(frames, o.Dim()), newSpectrum(o.padded())
	shape, window := o.windowValues(), make([]float32, o.window())
	// Any constant: the stream of this use of the seed.
	noise := rand.New(rand.NewPCG(o.DitherSeed, 0x6469746865720001))
	for t := range frames {
		o.cutWindow(window, samples, t)
		energy := o.prepare(window, shape, noise)
		row := f.Row(t)
		if o.Energy {
			if !o.RawEnergy {
				energy = squares(window)
			}
			row[0] = logFloor(energy)
			if o.EnergyMin > 0 {
				row[0] = max(row[0], float32(math.Log(o.EnergyMin)))
			}
			row = row[1:]
		}
		power := s.of(window, o.Power)
		for b, bin := range bins {
			var sum float32
			for i, w := range bin.weights {
				sum += float32(w * power[bin.first+i])
			}
			row[b] = logFloor(sum)
		}
	}
	if err := f.Check(); err != nil { // samples of floating point may be anything
		return Features{}, fault.Dataf("the samples are not finite: %w", err)
	}
	return f, nil
}

func logFloor(v float32) float32 { return float32(math.Log(float64(max(v, epsilon)))) }

// spectrum computes power spectra of windows padded with zeros to P.
type spectrum struct {
	fft    *fourier.FFT
	in     []float64    // [P]
	coeffs []complex128 // [P/2+1]
	out    []float32    // [P/2]
}

func newSpectrum(padded int) *spectrum {
	return &spectrum{fft: fourier.NewFFT(padded), in: make([]float64, padded), coeffs: make([]complex128, padded/2+1), out: make([]float32, padded/2)}
}

// of returns |X[k]|² for k < P/2, or |X[k]|. The slice is used again by the next call.
func (s *spectrum) of(window []float32, power bool) []float32 {
	for i, v := range window {
		s.in[i] = float64(v)
	}
	s.fft.Coefficients(s.coeffs, s.in)
	for k := range s.out {
		re, im := float32(real(s.coeffs[k])), float32(imag(s.coeffs[k]))
		s.out[k] = float32(re*re) + float32(im*im)
		if !power {
			s.out[k] = float32(math.Sqrt(float64(s.out[k])))
		}
	}
	return s.out
}
