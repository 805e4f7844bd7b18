package speech

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/audio"
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
	if len(a.Channels) != 1 {
		return Features{}, fault.Dataf("%d channels: choose one", len(a.Channels))
	}
	b, err := o.newBank(a.Rate)
	if err != nil {
		return Features{}, err
	}
	if err := b.bounded(o.frames(len(a.Channels[0]))); err != nil {
		return Features{}, err
	}
	if err := b.add(a.Channels[0]); err != nil {
		return Features{}, err
	}
	return b.features()
}

// ComputeStream is Compute of a part of a recording, see audio.Stream.Each, which is read piece by
// piece and handed to also, too. It returns the number of samples besides.
func (o FbankOptions) ComputeStream(s *audio.Stream, channel int, start, end float64, also ...func(samples []float32)) (f Features, samples int64, err error) {
	b, err := o.newBank(s.Rate)
	if err != nil {
		return Features{}, 0, fmt.Errorf("%s: %w", s.Name, err)
	}
	if samples, err = s.Each(channel, start, end, func(part []float32) error {
		for _, f := range also {
			f(part)
		}
		return b.add(part)
	}); err != nil {
		return Features{}, samples, err
	}
	if f, err = b.features(); err != nil {
		err = fmt.Errorf("%s: %w", s.Name, err)
	}
	return f, samples, err
}

// bank computes frames as their samples come.
type bank struct {
	FbankOptions
	bins          []melBin
	spectrum      *spectrum
	shape, window []float32 // [L]
	noise         *rand.Rand
	samples       []float32 // from the first one that is still needed, which is sample at
	at, frames    int
	rows          [][]float32 // of the frames that are done, some in a piece
}

func (o FbankOptions) newBank(rate int) (*bank, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if rate != o.Rate {
		return nil, fault.Dataf("%d samples a second where %d are wanted: resample it (speech.frontend.resample, or --resample of speech features), or convert it: sox IN.wav -r %d OUT.wav", rate, o.Rate, o.Rate)
	}
	bins, err := o.melBins()
	if err != nil {
		return nil, err
	}
	return &bank{
		FbankOptions: o, bins: bins, spectrum: newSpectrum(o.padded()), shape: o.windowValues(), window: make([]float32, o.window()),
		// Any constant: the stream of this use of the seed.
		noise: rand.New(rand.NewPCG(o.DitherSeed, 0x6469746865720001)),
	}, nil
}

// add takes more samples and computes the frames whose windows they complete.
func (b *bank) add(samples []float32) error {
	b.samples = append(b.samples, samples...)
	for b.start(b.frames)+len(b.window) <= b.at+len(b.samples) {
		if err := b.bounded(b.frames + 1); err != nil {
			return err
		}
		b.frame()
	}
	// A window behind the end is reflected there, so that one more is kept.
	if spare := b.start(b.frames) - len(b.window) - b.at; spare > len(b.samples)/2 {
		n := copy(b.samples, b.samples[spare:])
		b.samples, b.at = b.samples[:n], b.at+spare
	}
	return nil
}

// bounded refuses more frames than are computed of a recording.
func (b *bank) bounded(frames int) error {
	if float64(frames)*float64(b.Dim()) > maxValues {
		return fault.Dataf("%d windows of %d values: %d values at most are computed of a recording", frames, b.Dim(), maxValues)
	}
	return nil
}

// features ends the recording.
func (b *bank) features() (Features, error) {
	total := b.at + len(b.samples)
	frames := b.FbankOptions.frames(total)
	if frames == 0 {
		return Features{}, fault.Dataf("%d samples (%.4g ms) are fewer than a window of %g ms", total, 1000*float64(total)/float64(b.Rate), b.LengthMS)
	}
	if err := b.bounded(frames); err != nil {
		return Features{}, err
	}
	for b.frames < frames {
		b.frame()
	}
	f := NewFeatures(frames, b.Dim())
	at := 0
	for _, r := range b.rows {
		at += copy(f.Data[at:], r)
	}
	if err := f.Check(); err != nil { // samples of floating point may be anything
		return Features{}, fault.Dataf("the samples are not finite: %w", err)
	}
	return f, nil
}

// piece is how many values of frames are allocated together.
const piece = 1 << 14

// row is room for the next frame.
func (b *bank) row() []float32 {
	last := len(b.rows) - 1
	if last < 0 || len(b.rows[last])+b.Dim() > cap(b.rows[last]) {
		b.rows = append(b.rows, make([]float32, 0, max(piece, b.Dim())))
		last++
	}
	n := len(b.rows[last])
	b.rows[last] = b.rows[last][:n+b.Dim()]
	return b.rows[last][n:]
}

// frame computes the next frame.
func (b *bank) frame() {
	b.cutWindow(b.window, b.samples, b.start(b.frames)-b.at)
	b.frames++
	energy := b.prepare(b.window, b.shape, b.noise)
	row := b.row()
	if b.Energy {
		if !b.RawEnergy {
			energy = squares(b.window)
		}
		row[0] = logFloor(energy)
		if b.EnergyMin > 0 {
			row[0] = max(row[0], float32(math.Log(b.EnergyMin)))
		}
		row = row[1:]
	}
	power := b.spectrum.of(b.window, b.Power)
	for k, bin := range b.bins {
		var sum float32
		for i, w := range bin.weights {
			sum += float32(w * power[bin.first+i])
		}
		row[k] = logFloor(sum)
	}
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
