package report

import (
	"fmt"
	"math"
	"strings"

	"resnet/internal/eval"
	"resnet/internal/text"
)

// A Verdict is what the figures of a plain and a residual network show. Differences are plain minus
// residual, in percentage points, each with its noise as eval.Compare has it.
type Verdict struct {
	TestDifference  float64 `json:"test_difference"`
	TrainDifference float64 `json:"train_difference"`
	Noise           float64 `json:"noise"` // of the test difference
	TrainNoise      float64 `json:"train_noise"`
	// SameParams says that the two have the same number of parameters.
	SameParams bool `json:"same_params"`

	test, train eval.Difference
	images      int
}

// Judge compares one run of a plain network with one of a residual network.
func Judge(plain, residual Compared) Verdict {
	p, r := newOutcome([]Compared{plain}), newOutcome([]Compared{residual})
	test, train := eval.Compare(p.TestSample(), r.TestSample()), eval.Compare(p.TrainSample(), r.TrainSample())
	return Verdict{
		TestDifference: test.Points, TrainDifference: train.Points, Noise: test.Noise, TrainNoise: train.Noise,
		SameParams: p.Params == r.Params, test: test, train: train, images: p.TestImages,
	}
}

// Text says what was measured, not what the paper leads one to expect.
func (v Verdict) Text() string {
	var parts []string
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if v.test.Sign() == 0 {
		say("The test errors do not differ: they are %.2f points apart, and the noise of %s test images is %.2f. Neither network is better here.",
			math.Abs(v.test.Points), text.Grouped(int64(v.images)), v.test.Noise)
	} else {
		say("The plain network's test error is %s the residual one's (noise %.2f).", apart(v.test), v.test.Noise)
	}
	switch {
	case v.train.Sign() == 0:
		say("Their training errors do not differ (%v).", v.train)
	case v.train.Sign() > 0 && v.test.Sign() > 0:
		say("So is its training error, by %.2f points (noise %.2f): it does not even fit the images that it has seen as well. "+
			"That is no over-fitting; it is harder to train.", v.train.Points, v.train.Noise)
		if v.SameParams {
			say("The shortcuts, which have no parameters, are the only difference between the two.")
		}
	default:
		say("The plain network's training error is %s the residual one's (noise %.2f).", apart(v.train), v.train.Noise)
	}
	say("This is one run of each; the noise does not cover what another seed (--set train.seed=2) would change.")
	return strings.Join(parts, " ")
}

// apart says how far the first of two errors that differ is above the second, or below.
func apart(d eval.Difference) string {
	return fmt.Sprintf("%.2f points %s", math.Abs(d.Points), side(d.Points))
}
