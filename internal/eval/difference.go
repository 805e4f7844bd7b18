package eval

import (
	"fmt"
	"math"
)

// A Sample is an error as it was measured: of one run, or the mean over runs of a network with
// other seeds, all on the same images.
type Sample struct {
	Error float64 // percent
	Std   float64 // standard deviation over runs, points; 0 for fewer than two
	Runs  int
	// Images is the number that one run was measured on, of speech of utterances, because frames of
	// one utterance go wrong together; 0 where it is not known.
	Images int
}

// String is the error, with the standard deviation where there are several runs, with two decimals
// as in the paper.
func (s Sample) String() string {
	if s.Runs < 2 {
		return fmt.Sprintf("%.2f", s.Error)
	}
	return fmt.Sprintf("%.2f ± %.2f", s.Error, s.Std)
}

// A Difference is how far two errors are apart, and how far chance alone may take them. Both are
// percentage points.
type Difference struct {
	Points float64 // the first error less the second
	Noise  float64 // +Inf where the number of images is not known
}

// Compare is the one rule that decides whether errors differ: by more than the larger of two
// noises, each two standard errors of the difference (95 % of the differences of equal networks are
// smaller).
//
//	images: 2 √(p₁(100−p₁)/n₁ + p₂(100−p₂)/n₂)    p in percent, n images
//	seeds:  2 √(s₁²/r₁ + s₂²/r₂)                  s over r runs
//
// The first is binomial (Dietterich 1998, "Approximate statistical tests for comparing supervised
// classification learning algorithms", section 3.2). It holds for two sets of images; two networks
// on the same set mostly err on the same images, so it is rather too large than too small. More
// runs do not make it smaller, because they see the same images. The second is Welch's (1947). A
// sample of one run is taken to spread as the other one does; where both are of one run, nothing is
// known of other seeds, and the images alone count.
func Compare(a, b Sample) Difference {
	d := Difference{Points: a.Error - b.Error, Noise: math.Inf(1)}
	if a.Images < 1 || b.Images < 1 {
		return d
	}
	images := 2 * math.Sqrt(binomial(a)+binomial(b))
	if a.Runs < 2 {
		a.Std = b.Std
	}
	if b.Runs < 2 {
		b.Std = a.Std
	}
	d.Noise = max(images, 2*math.Sqrt(a.Std*a.Std/float64(max(a.Runs, 1))+b.Std*b.Std/float64(max(b.Runs, 1))))
	return d
}

// binomial is the variance of an error on s.Images images.
func binomial(s Sample) float64 { return s.Error * (100 - s.Error) / float64(s.Images) }

// Sign is 1 where the first error is above the second, -1 where it is below, and 0 where they do
// not differ.
func (d Difference) Sign() int {
	switch {
	case d.Points > d.Noise:
		return 1
	case -d.Points > d.Noise:
		return -1
	}
	return 0
}

// String is the size of the difference and its noise: "0.90 points, noise 3.51".
func (d Difference) String() string {
	if math.IsInf(d.Noise, 1) {
		return fmt.Sprintf("%.2f points, noise unknown", math.Abs(d.Points))
	}
	return fmt.Sprintf("%.2f points, noise %.2f", math.Abs(d.Points), d.Noise)
}
