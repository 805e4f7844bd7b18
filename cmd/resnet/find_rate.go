package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"resnet/internal/experiment"
	"resnet/internal/train"
)

// findRate runs train --find-rate: the loss at growing learning rates, and a suggestion.
func (a *app) findRate(ctx context.Context, t *experiment.Training, asJSON bool) error {
	t.Dir = "runs"
	c, err := t.FindRate(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(c)
	}
	return a.printRates(c, t.Plan.Config.RateScale())
}

// rateRows is about how many rows the curve is shown in.
const rateRows = 25

// printRates shows the curve, a row for every few updates, and the suggestion, as schedule.rate
// takes it: without its scale.
func (a *app) printRates(c train.RateCurve, scale float64) error {
	most := 0.
	for _, p := range c.Points {
		most = max(most, p.Smoothed)
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "rate\tloss\tsmoothed\t")
	for i, p := range c.Points {
		if i%max(1, len(c.Points)/rateRows) == 0 || i == len(c.Points)-1 {
			fmt.Fprintf(tw, "%.2g\t%.4f\t%.4f\t%s\n", p.Rate, p.Loss, p.Smoothed, strings.Repeat("#", int(40*p.Smoothed/most)))
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if c.Suggestion == 0 {
		_, err := fmt.Fprintln(a.out, "\nThe loss did not fall: no rate is suggested. Nothing was written.")
		return err
	}
	_, err := fmt.Fprintf(a.out, "\nThe loss is lowest at %.2g. Suggestion, from the middle of its fall: --set train.schedule.rate=%.2g\nNothing was written.\n",
		c.Lowest, c.Suggestion/scale)
	return err
}
