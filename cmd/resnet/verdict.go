package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

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

func (a *app) printEntrants(nets []*entrant) error {
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
