package experiment

import (
	"fmt"
	"math"
	"strings"
)

// Verdict is what the figures of a plain and a residual network show. Differences are plain minus
// residual, in percentage points.
type Verdict struct {
	TestDifference  float64 `json:"test_difference"`
	TrainDifference float64 `json:"train_difference"`
	// Noise is two standard errors of the test difference: what so many test images cannot tell
	// apart.
	Noise float64 `json:"noise"`
	// SameParams says that the two have the same number of parameters.
	SameParams bool `json:"same_params"`
}

// compareNets takes the errors of two networks on n test images.
func compareNets(plain, residual *Entrant, n int) Verdict {
	variance := func(percent float64) float64 { return percent * (100 - percent) / float64(n) }
	return Verdict{
		TestDifference: plain.TestError - residual.TestError, TrainDifference: plain.TrainError - residual.TrainError,
		Noise:      2 * math.Sqrt(variance(plain.TestError)+variance(residual.TestError)),
		SameParams: plain.Params == residual.Params,
	}
}

// Text says what was measured, not what the paper leads one to expect.
func (v Verdict) Text() string {
	var parts []string
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	significant := math.Abs(v.TestDifference) > v.Noise
	switch {
	case !significant:
		say("The test errors differ by %.1f points, and so few test images cannot tell apart less than %.1f: here neither network is better.",
			math.Abs(v.TestDifference), v.Noise)
	case v.TestDifference > 0:
		say("The plain network's test error is %.1f points higher than the residual one's.", v.TestDifference)
	default:
		say("The residual network's test error is %.1f points higher than the plain one's.", -v.TestDifference)
	}
	switch {
	case significant && v.TestDifference > 0 && v.TrainDifference >= 1:
		say("So is its training error, by %.1f points: it does not even fit the images that it has seen as well. That is no overfitting; it is harder to train.",
			v.TrainDifference)
		if v.SameParams {
			say("The shortcuts, which have no parameters, are the only difference between the two.")
		}
	case math.Abs(v.TrainDifference) >= 1:
		higher := "plain"
		if v.TrainDifference < 0 {
			higher = "residual"
		}
		say("In training the %s network's error is %.1f points higher.", higher, math.Abs(v.TrainDifference))
	default:
		say("Their training errors differ by %.1f points.", math.Abs(v.TrainDifference))
	}
	say("This is one run of each; another seed (--set train.seed=2) gives other figures.")
	return strings.Join(parts, " ")
}
