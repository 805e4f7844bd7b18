package eval

import (
	"fmt"
	"math"
	"slices"
)

// An Outcome is how one network of a comparison ended, over its finished runs. Errors are percentages.
type Outcome struct {
	Model     string  `json:"model"` // plain56, resnet56
	Depth     int     `json:"depth"`
	Residual  bool    `json:"residual"`
	Params    int64   `json:"params"`
	Runs      int     `json:"runs"`        // finished ones; the errors mean nothing when it is 0
	Train     float64 `json:"train_error"` // mean over the last epoch or evaluation period, averaged over runs
	TrainStd  float64 `json:"train_std"`   // over runs; 0 for fewer than two
	Test      float64 `json:"test_error"`
	TestStd   float64 `json:"test_std"`
	TestBest  float64 `json:"test_error_best"` // of the runs' last errors
	Diverged  int     `json:"diverged"`        // runs whose loss was not finite
	Unstarted int     `json:"unfinished"`      // runs not finished
}

// NewOutcome joins the last measured errors of several runs of one network. A history without training or test error counts as unfinished.
func NewOutcome(model string, depth int, residual bool, params int64, histories []History) Outcome {
	o := Outcome{Model: model, Depth: depth, Residual: residual, Params: params}
	var train, test []float64
	for _, h := range histories {
		s := h.Series(model)
		a, okA := last(s.Train)
		b, okB := last(s.Test)
		if !okA || !okB {
			o.Unstarted++
			continue
		}
		train, test = append(train, a), append(test, b)
	}
	if o.Runs = len(test); o.Runs > 0 {
		o.Train, o.TrainStd = meanStd(train)
		o.Test, o.TestStd = meanStd(test)
		o.TestBest = slices.Min(test)
	}
	return o
}

// meanStd is the mean and the sample standard deviation, which is 0 for fewer than two values.
func meanStd(v []float64) (mean, std float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	if len(v) < 2 {
		return mean, 0
	}
	for _, x := range v {
		std += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(std / float64(len(v)-1))
}

// Differences, in points, below which a finding calls two errors equal. Single runs of ResNet-20 with other seeds had a standard deviation of
// 0.25 points of test error on CIFAR-10; twice that of a difference of two runs is 0.7. With several runs the measured spread
// counts, and a tenth at least.
const (
	tieSingle  = 0.7
	tieSeveral = 0.1
)

// differ says whether a is above b (1), below (-1) or as good as equal (0).
func differ(a, stdA, b, stdB float64, runsA, runsB int) int {
	noise := tieSingle
	if runsA > 1 && runsB > 1 {
		noise = max(tieSeveral, 2*math.Sqrt(stdA*stdA/float64(runsA)+stdB*stdB/float64(runsB)))
	}
	switch {
	case a-b > noise:
		return 1
	case b-a > noise:
		return -1
	}
	return 0
}

// Findings says in a sentence each what the figures of a comparison show, and what they do not: degradation of the deepest plain network
// against the shallowest, its cure, plain against residual at the largest depth, and over-fitting of the deepest residual network.
func Findings(outcomes []Outcome) []string {
	plain, residual := ends(outcomes, false), ends(outcomes, true)
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, o := range outcomes {
		if o.Diverged > 0 {
			say("%s: the loss of %s did not stay finite.", o.Model, runsText(o.Diverged))
		}
		if o.Unstarted > 0 {
			say("%s: %s not finished and left out of what follows.", o.Model, runsAre(o.Unstarted))
		}
	}
	if len(plain) == 2 {
		a, b := plain[0], plain[1]
		if d := differ(b.Train, b.TrainStd, a.Train, a.TrainStd, b.Runs, a.Runs); d > 0 {
			say("%s ends with a training error %.2f points above %s's (%.2f%% and %.2f%%): the degradation problem.", b.Model, b.Train-a.Train, a.Model, b.Train, a.Train)
		} else {
			say("The degradation problem is not reproduced: %s ends with a training error of %.2f%%, %s with %.2f%%.", b.Model, b.Train, a.Model, a.Train)
		}
	}
	if len(residual) == 2 {
		a, b := residual[0], residual[1]
		for _, e := range []struct {
			what             string
			deep, ds, sh, ss float64
		}{{"training", b.Train, b.TrainStd, a.Train, a.TrainStd}, {"test", b.Test, b.TestStd, a.Test, a.TestStd}} {
			switch differ(e.deep, e.ds, e.sh, e.ss, b.Runs, a.Runs) {
			case -1:
				say("%s ends with a %s error %.2f points below %s's (%.2f%% and %.2f%%): the deeper residual network is the better one.", b.Model, e.what, e.sh-e.deep, a.Model, e.deep, e.sh)
			case 0:
				say("Not reproduced that the deeper residual network has the lower %s error: %s and %s end too close to tell apart, with %.2f%% and %.2f%%.", e.what, b.Model, a.Model, e.deep, e.sh)
			default:
				say("Not reproduced that the deeper residual network has the lower %s error: %s ends %.2f points above %s (%.2f%% and %.2f%%).", e.what, b.Model, e.deep-e.sh, a.Model, e.deep, e.sh)
			}
		}
		if differ(b.Test, b.TestStd, a.Test, a.TestStd, b.Runs, a.Runs) > 0 && differ(b.Train, b.TrainStd, a.Train, a.TrainStd, b.Runs, a.Runs) <= 0 {
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

// ends are the shallowest and the deepest network of a kind that have finished runs; one, where there is one.
func ends(outcomes []Outcome, residual bool) []Outcome {
	var all []Outcome
	for _, o := range outcomes {
		if o.Residual == residual && o.Runs > 0 {
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

func runsAre(n int) string {
	if n == 1 {
		return "one run is"
	}
	return fmt.Sprintf("%d runs are", n)
}
