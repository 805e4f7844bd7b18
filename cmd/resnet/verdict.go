package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// verdict is what the figures of a plain and a residual network show. Differences are plain minus
// residual, in percentage points.
type verdict struct {
	TestDifference  float64 `json:"test_difference"`
	TrainDifference float64 `json:"train_difference"`
	// Noise is two standard errors of the test difference: what so many test images cannot tell
	// apart.
	Noise float64 `json:"noise"`
	// SameParams says that the two have the same number of parameters.
	SameParams bool `json:"same_params"`
}

// compareNets takes the errors of two networks on n test images.
func compareNets(plain, residual *contestant, n int) verdict {
	variance := func(percent float64) float64 { return percent * (100 - percent) / float64(n) }
	return verdict{
		TestDifference: plain.TestError - residual.TestError, TrainDifference: plain.TrainError - residual.TrainError,
		Noise:      2 * math.Sqrt(variance(plain.TestError)+variance(residual.TestError)),
		SameParams: plain.Params == residual.Params,
	}
}

// text says what was measured, not what the paper leads one to expect.
func (v verdict) text() string {
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

// textWidth is the width of prose on standard output: that of the terminal, at most 100 columns.
func (a *app) textWidth() int {
	if a.outWidth > 0 && a.outWidth < 100 {
		return a.outWidth
	}
	return 100
}

// wrap breaks text between words into lines of at most width characters.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

func (a *app) printContestants(nets []*contestant) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "network\tlayers\tparameters\ttrain top-1 error\ttest top-1 error\ttime\t")
	for _, n := range nets {
		fmt.Fprintf(tw, "%s\t%d\t%s\t%.2f%%\t%.2f%%\t%s\t\n", n.Name, n.job.spec.Depth(), grouped(n.Params), n.TrainError, n.TestError, duration(seconds(n.Seconds)))
	}
	return tw.Flush()
}

// nextCommand is something to try on the data that are here.
func (a *app) nextCommand() string {
	ctx := context.Background()
	for _, try := range []struct{ data, preset string }{{"cifar10", "cifar20-short"}, {"fashion-mnist", "fashion20"}} {
		if stateOf(ctx, try.data).State == "present" {
			return a.self + " train --config " + try.preset
		}
	}
	return a.self + " data fetch cifar10 && " + a.self + " train --config cifar20-short"
}
