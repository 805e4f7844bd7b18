package audio

import (
	"math"
	"sync"

	"resnet/internal/datasets/fault"
)

// The filter of the resampler is a sinc under a Kaiser window (Kaiser and Schafer 1980): it passes
// what is below passband of half the lower rate and holds down what is above that half by
// stopband dB, which is below the noise of 16 bits. docs/speech.md has what was measured.
const (
	passband = 0.95
	stopband = 125.0
	// At most so many coefficients are computed for a pair of rates: those of all usual pairs are
	// fewer than a quarter million. A pair whose ratio needs more is no usual one.
	maxCoefficients = 1 << 22
	maxRatio        = 64
)

// polyphase is the filter for a pair of rates: the sample at n/to seconds is the sum of the taps
// samples around it, weighted by the coefficients of its phase.
type polyphase struct {
	up, down     int64 // rates over their greatest common divisor: to and from
	taps         int
	coefficients []float32 // [up][taps]
}

// newPolyphase designs the filter from one rate to another.
func newPolyphase(from, to int) (*polyphase, error) {
	d := gcd(from, to)
	p := &polyphase{up: int64(to / d), down: int64(from / d)}
	low := float64(min(from, to))
	// In cycles of a sample at the rate of the input.
	cutoff := low / 2 * (1 + passband) / 2 / float64(from)
	width := low / 2 * (1 - passband) / float64(from)
	half := int(math.Ceil((stopband - 7.95) / (14.36 * width) / 2))
	p.taps = 2 * half
	if ratio := float64(from) / float64(to); ratio > maxRatio || ratio < 1./maxRatio || float64(p.taps)*float64(p.up) > maxCoefficients {
		return nil, fault.Dataf("%d samples a second cannot be resampled to %d here: convert it: sox IN.wav -r %d OUT.wav", from, to, to)
	}
	beta := 0.1102 * (stopband - 8.7)
	p.coefficients = make([]float32, int(p.up)*p.taps)
	row := make([]float64, p.taps)
	for phase := range int(p.up) {
		var sum float64
		for i := range row {
			// The distance of tap i from the output, which lies phase/up behind tap half-1.
			x := float64(i-half+1) - float64(phase)/float64(p.up)
			row[i] = kaiser(x/float64(half), beta) * sinc(2*cutoff*x)
			sum += row[i]
		}
		for i, v := range row { // every phase passes a constant as it is
			p.coefficients[phase*p.taps+i] = float32(v / sum)
		}
	}
	return p, nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the window at x of [-1, 1], but for a factor.
func kaiser(x, beta float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	// The modified Bessel function of order 0, by its series.
	y := beta / 2 * math.Sqrt(1-x*x)
	sum, term := 1.0, 1.0
	for k := 1; term > 1e-18*sum; k++ {
		term *= y / float64(k) * y / float64(k)
		sum += term
	}
	return sum
}

// filters are the last few pairs of rates: a corpus has one or two, and each of its recordings
// would design its filter anew.
var filters struct {
	sync.Mutex
	by map[[2]int]*polyphase
}

const maxFilters = 8

func filterFor(from, to int) (*polyphase, error) {
	filters.Lock()
	defer filters.Unlock()
	key := [2]int{from, to}
	if p := filters.by[key]; p != nil {
		return p, nil
	}
	p, err := newPolyphase(from, to)
	if err != nil {
		return nil, err
	}
	if filters.by == nil || len(filters.by) >= maxFilters {
		filters.by = map[[2]int]*polyphase{}
	}
	filters.by[key] = p
	return p, nil
}

// resampler gives the samples of another rate as those of the first come. Outside of the recording
// is silence. A sample depends on the recording alone, not on the pieces in which it comes.
type resampler struct {
	*polyphase
	next    int64     // sample to give
	samples []float32 // of the input, from sample at on
	at      int64
	out     []float32
}

// newResampler begins with sample start of the output.
func newResampler(p *polyphase, start int64) *resampler {
	r := &resampler{polyphase: p, next: start}
	r.at = r.first(start)
	if r.at < 0 { // silence before the beginning
		r.samples = make([]float32, -r.at)
	}
	return r
}

// first is the input sample of the first tap for an output.
func (p *polyphase) first(n int64) int64 { return n*p.down/p.up - int64(p.taps/2) + 1 }

// add takes the input's samples, the first of which is sample pos, and returns those of the output
// that they complete; the slice is used again by the next call.
func (r *resampler) add(samples []float32, pos int64) []float32 {
	if skip := r.at + int64(len(r.samples)) - pos; skip > 0 {
		samples = samples[min(skip, int64(len(samples))):]
	}
	r.samples = append(r.samples, samples...)
	r.out = r.out[:0]
	for {
		lo := r.first(r.next) - r.at
		if lo+int64(r.taps) > int64(len(r.samples)) {
			break
		}
		phase := int(r.next * r.down % r.up)
		r.out = append(r.out, dot(r.samples[lo:lo+int64(r.taps)], r.coefficients[phase*r.taps:(phase+1)*r.taps]))
		r.next++
	}
	if spare := min(r.first(r.next)-r.at, int64(len(r.samples))); spare > int64(len(r.samples))/2 {
		n := copy(r.samples, r.samples[spare:])
		r.samples, r.at = r.samples[:n], r.at+spare
	}
	return r.out
}

// end returns the last samples, of an input of total samples.
func (r *resampler) end(total int64) []float32 {
	last := r.length(total)
	if r.next >= last {
		return nil
	}
	out := r.add(make([]float32, r.taps), r.at+int64(len(r.samples)))
	if over := r.next - last; over > 0 {
		out, r.next = out[:int64(len(out))-over], last
	}
	return out
}

// length is how many samples the output of an input of total samples has: those that lie before its
// end.
func (p *polyphase) length(total int64) int64 { return (total*p.up + p.down - 1) / p.down }

// dot is the sum of products in float64, in an order of its own that is the same everywhere.
func dot(x, y []float32) float32 {
	var a, b float64
	y = y[:len(x)]
	for i := 0; i+1 < len(x); i += 2 {
		a += float64(x[i]) * float64(y[i]) // exact: twice 24 bits
		b += float64(x[i+1]) * float64(y[i+1])
	}
	return float32(a + b)
}
