package report

import (
	"fmt"
	"math"
	"slices"
)

// Differences, in points, below which a finding calls two errors equal. Single runs of ResNet-20
// with other seeds had a standard deviation of 0.25 points of test error on CIFAR-10; twice that of
// a difference of two runs is 0.7. With several runs the measured spread counts, and a tenth at
// least.
const (
	tieSingle  = 0.7
	tieSeveral = 0.1
)

// differ says whether a is above b (1), below (-1) or as good as equal (0).
func differ(a, b Spread) int {
	noise := tieSingle
	if a.Runs > 1 && b.Runs > 1 {
		noise = max(tieSeveral, 2*math.Sqrt(a.Std*a.Std/float64(a.Runs)+b.Std*b.Std/float64(b.Runs)))
	}
	switch {
	case a.Mean-b.Mean > noise:
		return 1
	case b.Mean-a.Mean > noise:
		return -1
	}
	return 0
}

// Findings says in a sentence each what the figures of a comparison show, and what they do not:
// degradation of the deepest plain network against the shallowest, its cure, plain against residual
// at the largest depth, and over-fitting of the deepest residual network.
func Findings(outcomes []Outcome) []string {
	plain, residual := ends(outcomes, KindPlain), ends(outcomes, KindResidual)
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, o := range outcomes {
		if o.Diverged > 0 {
			say("%s: the loss of %s did not stay finite.", o.Model, runsText(o.Diverged))
		}
		if o.Unfinished > 0 {
			verb := "are"
			if o.Unfinished == 1 {
				verb = "is"
			}
			say("%s: %s %s not finished and left out of what follows.", o.Model, runsText(o.Unfinished), verb)
		}
	}
	if len(plain) == 2 {
		a, b := plain[0], plain[1]
		switch differ(b.TrainSpread(), a.TrainSpread()) {
		case 1:
			say("%s ends with a training error %.2f points above %s's (%.2f%% and %.2f%%): the degradation problem.", b.Model, b.Train-a.Train, a.Model, b.Train, a.Train)
		case 0:
			say("The degradation problem is not reproduced: the training errors of %s and %s end too close to tell apart, with %.2f%% and %.2f%%.", b.Model, a.Model, b.Train, a.Train)
		default:
			say("The degradation problem is not reproduced: %s ends with a training error %.2f points below %s's (%.2f%% and %.2f%%).", b.Model, a.Train-b.Train, a.Model, b.Train, a.Train)
		}
	}
	if len(residual) == 2 {
		a, b := residual[0], residual[1]
		for _, e := range []struct {
			what          string
			deep, shallow Spread
		}{{"training", b.TrainSpread(), a.TrainSpread()}, {"test", b.TestSpread(), a.TestSpread()}} {
			deep, shallow := e.deep.Mean, e.shallow.Mean
			switch differ(e.deep, e.shallow) {
			case -1:
				say("%s ends with a %s error %.2f points below %s's (%.2f%% and %.2f%%): the deeper residual network is the better one.", b.Model, e.what, shallow-deep, a.Model, deep, shallow)
			case 0:
				say("Not reproduced that the deeper residual network has the lower %s error: %s and %s end too close to tell apart, with %.2f%% and %.2f%%.", e.what, b.Model, a.Model, deep, shallow)
			default:
				say("Not reproduced that the deeper residual network has the lower %s error: %s ends %.2f points above %s (%.2f%% and %.2f%%).", e.what, b.Model, deep-shallow, a.Model, deep, shallow)
			}
		}
		if differ(b.TestSpread(), a.TestSpread()) > 0 && differ(b.TrainSpread(), a.TrainSpread()) <= 0 {
			say("%s fits the training images no worse than %s and the test images worse: over-fitting.", b.Model, a.Model)
		}
	}
	if len(plain) > 0 && len(residual) > 0 {
		p, r := plain[len(plain)-1], residual[len(residual)-1]
		if p.Depth == r.Depth {
			d, who := p.Test-r.Test, "above"
			if d < 0 {
				who = "below"
			}
			say("At %d layers the plain network's test error is %.2f points %s the residual one's (%.2f%% and %.2f%%).", p.Depth, math.Abs(d), who, p.Test, r.Test)
		}
	}
	return list
}

// ends are the shallowest and the deepest network of a kind that have finished runs; one, where
// there is one.
func ends(outcomes []Outcome, kind string) []Outcome {
	var all []Outcome
	for _, o := range outcomes {
		if o.Kind == kind && o.Runs > 0 {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b Outcome) int { return a.Depth - b.Depth })
	if len(all) > 2 {
		return []Outcome{all[0], all[len(all)-1]}
	}
	return all
}

func runsText(n int) string {
	if n == 1 {
		return "one run"
	}
	return fmt.Sprintf("%d runs", n)
}
