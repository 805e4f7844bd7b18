package report

import (
	"fmt"
	"math"
	"slices"

	"resnet/internal/eval"
)

// Findings says in a sentence each what the figures of a comparison show, and what they do not:
// degradation of the deepest plain network against the shallowest, its cure, plain against residual
// at the largest depth that both have, and over-fitting of the deepest residual network. Errors
// differ by the rule of eval.Compare. Networks of one depth and kind are not compared.
func Findings(outcomes []Outcome) []string {
	var list []string
	for _, o := range outcomes {
		if o.Diverged > 0 {
			list = append(list, fmt.Sprintf("%s: the loss of %s did not stay finite.", o.Model, runsText(o.Diverged)))
		}
		if o.Unfinished > 0 {
			verb := "are"
			if o.Unfinished == 1 {
				verb = "is"
			}
			list = append(list, fmt.Sprintf("%s: %s %s not finished and left out of what follows.", o.Model, runsText(o.Unfinished), verb))
		}
	}
	plain, residual := finished(outcomes, KindPlain), finished(outcomes, KindResidual)
	if n := len(plain); n > 1 && plain[0].Depth < plain[n-1].Depth {
		list = append(list, degradation(plain[0], plain[n-1]))
	}
	if n := len(residual); n > 1 && residual[0].Depth < residual[n-1].Depth {
		list = append(list, depth(residual[0], residual[n-1])...)
	}
	for _, p := range slices.Backward(plain) {
		i := slices.IndexFunc(residual, func(r Outcome) bool { return r.Depth == p.Depth })
		if i >= 0 {
			return append(list, kinds(p, residual[i]))
		}
	}
	return list
}

// degradation compares the training errors of a shallow and a deep plain network.
func degradation(shallow, deep Outcome) string {
	d := eval.Compare(deep.TrainSample(), shallow.TrainSample())
	switch d.Sign() {
	case 1:
		return fmt.Sprintf("%s: the degradation problem.", apart(deep.Model, "training", shallow.Model, deep.Train, shallow.Train, d))
	case -1:
		return fmt.Sprintf("%s: no degradation problem.", apart(deep.Model, "training", shallow.Model, deep.Train, shallow.Train, d))
	}
	return together(fmt.Sprintf("The training errors of %s and %s", deep.Model, shallow.Model), deep.Train, shallow.Train, d) + " The degradation problem is not shown."
}

// depth compares the errors of a shallow and a deep residual network.
func depth(shallow, deep Outcome) []string {
	var list []string
	add := func(what string, a, b eval.Sample) int {
		d := eval.Compare(a, b)
		var s string
		switch d.Sign() {
		case -1:
			s = apart(deep.Model, what, shallow.Model, a.Error, b.Error, d) + ": the deeper residual network is the better one."
		case 1:
			s = apart(deep.Model, what, shallow.Model, a.Error, b.Error, d) + ": the deeper residual network is the worse one."
		default:
			s = together(fmt.Sprintf("The %s errors of %s and %s", what, deep.Model, shallow.Model), a.Error, b.Error, d) + " That the deeper residual network is better is not shown."
		}
		list = append(list, s)
		return d.Sign()
	}
	train := add("training", deep.TrainSample(), shallow.TrainSample())
	test := add("test", deep.TestSample(), shallow.TestSample())
	if test > 0 && train <= 0 {
		list = append(list, fmt.Sprintf("%s fits the training images no worse than %s and the test images worse: over-fitting.", deep.Model, shallow.Model))
	}
	return list
}

// kinds compares the test errors of a plain and a residual network of one depth.
func kinds(p, r Outcome) string {
	d := eval.Compare(p.TestSample(), r.TestSample())
	if d.Sign() == 0 {
		return together(fmt.Sprintf("At %d layers the test errors of the plain and the residual network", p.Depth), p.Test, r.Test, d)
	}
	return fmt.Sprintf("At %d layers the plain network's test error is %s the residual one's (%.2f%% and %.2f%%, noise %.2f).", p.Depth, above(d), p.Test, r.Test, d.Noise)
}

// apart begins a sentence about two errors that differ.
func apart(a, what, b string, errA, errB float64, d eval.Difference) string {
	return fmt.Sprintf("%s ends with a %s error %s %s's (%.2f%% and %.2f%%, noise %.2f)", a, what, above(d), b, errA, errB, d.Noise)
}

// above says how far the first of two errors that differ is above the second, or below.
func above(d eval.Difference) string {
	if d.Points < 0 {
		return fmt.Sprintf("%.2f points below", -d.Points)
	}
	return fmt.Sprintf("%.2f points above", d.Points)
}

// together is a sentence about two errors that do not differ, as far as is known.
func together(which string, errA, errB float64, d eval.Difference) string {
	if math.IsInf(d.Noise, 1) {
		return fmt.Sprintf("%s are %.2f%% and %.2f%%; whether they differ is not known, because the number of images is not.", which, errA, errB)
	}
	return fmt.Sprintf("%s do not differ: %.2f%% and %.2f%% (%v).", which, errA, errB, d)
}

// noiseNote says what the noise of a finding is.
func noiseNote(outcomes []Outcome) string {
	note := "Errors differ when they are further apart than the noise: two standard errors of the difference, given the number of images or, " +
		"where networks have several runs, the spread over them, whichever is more."
	if slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Runs == 1 }) {
		note += " Of a network with one run it is not known how far another seed would take it."
	}
	return note
}

// finished are the networks of a kind that have finished runs, shallow first.
func finished(outcomes []Outcome, kind string) []Outcome {
	var list []Outcome
	for _, o := range outcomes {
		if o.Kind == kind && o.Runs > 0 {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b Outcome) int { return a.Depth - b.Depth })
	return list
}

func runsText(n int) string {
	if n == 1 {
		return "one run"
	}
	return fmt.Sprintf("%d runs", n)
}
