package speech

import (
	"fmt"
	"math/bits"

	"resnet/internal/datasets/fault"
)

// FbankOptions say how log-mel filter banks are computed. The names in brackets are the options of
// Kaldi's compute-fbank-feats.
type FbankOptions struct {
	Rate     int     // samples a second [sample-frequency]
	LengthMS float64 // of a window [frame-length]
	ShiftMS  float64 // between windows [frame-shift]
	Window   string  // povey, hamming, hanning, sine, blackman or rectangular [window-type]
	Preemph  float64 // x[i] -= Preemph·x[i-1] [preemphasis-coefficient]
	RemoveDC bool    // subtract the mean of a window first [remove-dc-offset]
	// Only windows that lie inside the recording; else ⌊n/S + ½⌋ of them, reflected at the ends
	// [snip-edges].
	SnipEdges bool
	Bins      int     // F [num-mel-bins]
	Low       float64 // lower edge of the first bin, Hz [low-freq]
	// Upper edge of the last bin, Hz; 0 or less: as much below half the rate [high-freq].
	High      float64
	Energy    bool    // the logarithm of the window's energy as the first value [use-energy]
	RawEnergy bool    // that energy is taken before pre-emphasis and window [raw-energy]
	EnergyMin float64 // floor of the energy, if above 0 [energy-floor]
	Power     bool    // of the power spectrum, not of the magnitudes [use-power]
	// Standard deviation of noise added to the samples; Kaldi's default is 1, ours 0 [dither].
	Dither     float64
	DitherSeed uint64 // of that noise: the same seed and recording give the same features
}

// DefaultFbank is Kaldi's default with dither off, for recordings of a rate and a number of bins.
// Kaldi's own default is 23 bins at 16000; the WRBN has 80.
func DefaultFbank(rate, bins int) FbankOptions {
	return FbankOptions{
		Rate: rate, LengthMS: 25, ShiftMS: 10, Window: "povey", Preemph: 0.97, RemoveDC: true, SnipEdges: true,
		Bins: bins, Low: 20, RawEnergy: true, Power: true,
	}
}

// Dim is the number of values of a frame.
func (o FbankOptions) Dim() int {
	if o.Energy {
		return o.Bins + 1
	}
	return o.Bins
}

// window is L, shift is S, padded is P.
func (o FbankOptions) window() int { return int(float32(o.Rate) * 0.001 * float32(o.LengthMS)) }
func (o FbankOptions) shift() int  { return int(float32(o.Rate) * 0.001 * float32(o.ShiftMS)) }
func (o FbankOptions) padded() int { return 1 << bits.Len(uint(o.window()-1)) }

// high is the upper edge of the last bin in Hz.
func (o FbankOptions) high() float64 {
	if o.High > 0 {
		return o.High
	}
	return float64(o.Rate)/2 + o.High
}

// Bounds of the options, which a configuration or a checkpoint may hold: a second at 192 kHz fits
// into the longest window, and samples are 16 bits at most in amplitude.
const (
	maxRate   = 1 << 22
	maxWindow = 1 << 18
	maxDither = 1 << 15
)

// OptionError says which of the options describes no filter bank: by the name that a front end of a
// configuration gives it.
type OptionError struct{ Field, Msg string }

func (e *OptionError) Error() string { return e.Msg }

// Check refuses options that describe no filter bank.
func (o FbankOptions) Check() error {
	bad := func(field, format string, args ...any) error {
		return fault.Errorf(fault.ErrConfig, "filter banks: %w", &OptionError{field, fmt.Sprintf(format, args...)})
	}
	nyquist := float64(o.Rate) / 2
	switch {
	case o.Rate < 1 || o.Rate > maxRate:
		return bad("rate", "a rate of %d samples a second: 1 to %d are possible", o.Rate, maxRate)
	case !(o.LengthMS > 0) || !(o.ShiftMS > 0) || float64(o.Rate)*o.LengthMS > 1000*maxWindow || float64(o.Rate)*o.ShiftMS > 1000*maxWindow:
		return bad("length_ms", "windows of %g ms every %g ms at %d samples a second", o.LengthMS, o.ShiftMS, o.Rate)
	case o.window() < 2 || o.shift() < 1:
		return bad("length_ms", "windows of %g ms every %g ms are %d samples every %d at a rate of %d: at least 2 and 1 are needed", o.LengthMS, o.ShiftMS, o.window(), o.shift(), o.Rate)
	case !(o.Preemph >= 0 && o.Preemph <= 1):
		return bad("preemphasis", "pre-emphasis of %g: it is between 0 and 1", o.Preemph)
	case !(o.Dither >= 0 && o.Dither <= maxDither):
		return bad("dither", "dither of %g: it is a standard deviation of samples, 0 to %d", o.Dither, maxDither)
	case o.Bins < 3:
		return bad("bins", "%d bins: at least 3 are needed", o.Bins)
	case o.Bins > o.padded()/2:
		return bad("bins", "%d bins: a window of %g ms has a spectrum of %d points, and every bin needs one: use fewer bins or longer windows", o.Bins, o.LengthMS, o.padded()/2)
	case !(o.Low >= 0 && o.Low < nyquist && o.high() > o.Low && o.high() <= nyquist):
		return bad("low", "bins from %g to %g Hz at a rate of %d: between 0 and %g are possible", o.Low, o.high(), o.Rate, nyquist)
	case windowFunctions[o.Window] == nil:
		return bad("window", "no window %q: there are povey, hamming, hanning, sine, blackman and rectangular", o.Window)
	}
	_, err := o.melBins()
	return err
}
