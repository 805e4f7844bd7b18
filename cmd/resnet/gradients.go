package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"resnet/internal/experiment"
	"resnet/internal/train"
)

// gradientBatches is over how many batches the norms are averaged.
const gradientBatches = 10

// gradients runs train --gradients: the norm of each layer's gradient, before the next step.
func (a *app) gradients(ctx context.Context, t *experiment.Training, asJSON bool) error {
	if !t.Resume {
		t.Dir = "runs"
	}
	list, err := t.Gradients(ctx, gradientBatches)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(map[string]any{"batches": gradientBatches, "layers": list})
	}
	return a.printGradients(list)
}

// printGradients shows a row for each layer, in forward order.
func (a *app) printGradients(list []train.LayerGradient) error {
	most := 0.
	for _, g := range list {
		most = max(most, g.Norm)
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "layer\tgradient\tweights\tgradient/weights\t")
	for _, g := range list {
		bar := 0
		if most > 0 {
			bar = int(40 * g.Norm / most)
		}
		fmt.Fprintf(tw, "%s\t%.3g\t%.3g\t%.3g\t%s\n", g.Layer, g.Norm, g.Weight, g.Norm/g.Weight, strings.Repeat("#", bar))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "\n2-norms, the mean over %d batches. Nothing was written.\n", gradientBatches)
	return err
}
