package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"resnet/internal/blocks"
	"resnet/internal/blocks/drawing"
	"resnet/internal/config"
	"resnet/internal/text"
)

func newModelsCmd(a *app) *cobra.Command {
	return group("models", "List and show architectures",
		"The table of architectures: exact numbers of parameters and multiply-adds, and the error that the paper reports."+exitHelp(),
		"  resnet models list\n  resnet models show resnet56\n  resnet models show resnet20 --svg > resnet20.svg",
		newModelsListCmd(a), newModelsShowCmd(a))
}

// modelRow is a row of `models list --json`.
type modelRow struct {
	Name     string             `json:"name"`
	Depth    int                `json:"depth"`
	Shortcut blocks.Shortcut    `json:"shortcut"`
	Input    []int              `json:"input"`
	Classes  int                `json:"classes"`
	Params   int64              `json:"params"`
	MACs     int64              `json:"macs"`
	Paper    *blocks.PaperValue `json:"paper"`
}

func newModelsListCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the architectures",
		Long:    "Lists every row of the table. Paper is the top-1 error that He et al. 2016 report, in percent." + exitHelp(),
		Example: "  resnet models list\n  resnet models list --json", Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error { return runModelsList(a, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func runModelsList(a *app, asJSON bool) error {
	var rows []modelRow
	for _, name := range blocks.Names() {
		s, err := blocks.Lookup(name)
		if err != nil {
			return err
		}
		rows = append(rows, modelRow{
			s.Name, s.Depth(), s.Shortcut,
			[]int{s.InputChannels, s.InputSize, s.InputSize},
			s.Classes, s.Params, s.MACs, s.PaperError,
		})
	}
	if asJSON {
		return a.printJSON(map[string]any{"models": rows})
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "name\tlayers\tshortcut\tinput\tclasses\tparameters\tmultiply-adds\tpaper %\t")
	for _, r := range rows {
		paper := ""
		if r.Paper != nil {
			paper = strconv.FormatFloat(r.Paper.Top1, 'f', 2, 64)
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%d\t%s\t%s\t%s\t\n", r.Name, r.Depth, r.Shortcut, text.Dims(r.Input), r.Classes,
			text.Grouped(r.Params), text.Grouped(r.MACs), paper)
	}
	return tw.Flush()
}

// showOptions are the flags of `models show`.
type showOptions struct{ json, dot, svg, fold, blocks bool }

func newModelsShowCmd(a *app) *cobra.Command {
	var o showOptions
	c := &cobra.Command{
		Use: "show NAME", Short: "Show an architecture layer by layer, or draw it",
		Long: "Shows counts and layers. NAME is a row of the table, resnet20b for another shortcut option, cifar-resnet14 for\n" +
			"another depth of the CIFAR family, or resnet20-elu-nobn-stem5 for another activation (elu or sigmoid), no batch\n" +
			"normalisation and another kernel in the stem (3, 5 or 7). A layer reads the one above it, or what \"reads\" says.\n\n" +
			"--svg draws the network as in Figure 3 of He et al. 2016, with a column for each stage; --dot writes the same for\n" +
			"Graphviz. With --fold, blocks that are equal are drawn once; with --blocks, one of each kind is, as in Figure 5." + exitHelp(),
		Example: "  resnet models show resnet56 --json\n  resnet models show resnet110 --svg --fold > resnet110.svg\n" +
			"  resnet models show resnet50 --svg --blocks > blocks.svg\n" +
			"  resnet models show resnet20 --dot | dot -Tpdf > resnet20.pdf",
		Args:              exactArgs("NAME"),
		ValidArgsFunction: completeArch,
		RunE:              func(_ *cobra.Command, args []string) error { return runModelsShow(a, args[0], o) },
	}
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	c.Flags().BoolVar(&o.dot, "dot", false, "print a drawing for Graphviz")
	c.Flags().BoolVar(&o.svg, "svg", false, "print a drawing as SVG")
	c.Flags().BoolVar(&o.fold, "fold", false, "of a drawing: equal blocks once, with their number")
	c.Flags().BoolVar(&o.blocks, "blocks", false, "of a drawing: one building block of each kind")
	c.MarkFlagsMutuallyExclusive("json", "dot", "svg")
	c.MarkFlagsMutuallyExclusive("fold", "blocks")
	return c
}

// view is what a drawing of the network shows.
func (o showOptions) view(m blocks.Summary) (drawing.View, error) {
	switch {
	case (o.fold || o.blocks) && !o.dot && !o.svg:
		return 0, config.Usagef("--fold and --blocks say how to draw: add --svg or --dot")
	case o.blocks && !drawing.HasBlocks(m):
		return 0, config.Usagef("%s is not made of building blocks; leave out --blocks to draw it whole", m.Name)
	case o.blocks:
		return drawing.Kinds, nil
	case o.fold:
		return drawing.Folded, nil
	}
	return drawing.Whole, nil
}

func completeArch(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return blocks.Names(), cobra.ShellCompDirectiveNoFileComp
}

func runModelsShow(a *app, name string, o showOptions) error {
	s, err := blocks.Lookup(name)
	if err != nil {
		return &config.UsageError{Err: err}
	}
	sum, err := blocks.Summarize(s)
	if err != nil {
		return err
	}
	view, err := o.view(sum)
	if err != nil {
		return err
	}
	switch {
	case o.json:
		return a.printJSON(sum)
	case o.dot:
		_, err := fmt.Fprint(a.out, drawing.DOT(sum, view))
		return err
	case o.svg:
		_, err := fmt.Fprint(a.out, drawing.SVG(sum, view))
		return err
	}
	var table strings.Builder
	tw := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "layer\ttype\toutput\tparameters\tmultiply-adds\treads")
	above := "input"
	for _, l := range sum.Layers {
		what := strings.TrimSpace(l.Type + " " + l.Detail)
		if l.Training {
			what += ", in training"
		}
		reads := ""
		if len(l.Inputs) > 1 || l.Inputs[0] != above {
			reads = strings.Join(l.Inputs, ", ")
		}
		above = l.Name
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, what, text.Dims(l.Output), text.Grouped(l.Params), text.Grouped(l.MACs), reads)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(a.out, strings.TrimRight(line, " \n"))
	}
	unit := "an image"
	if len(sum.Input) == 2 {
		unit = "a frame"
	}
	fmt.Fprintf(a.out, "\n%s: %d layers, %s parameters, %s multiply-adds for %s of %s, %d classes (%s)\n", sum.Name, sum.Depth,
		text.Grouped(sum.Params), text.Grouped(sum.MACs), unit, text.Dims(sum.Input), sum.Classes, sum.Source)
	if sum.TrainingParams > 0 {
		fmt.Fprintf(a.out, "%s of the parameters belong to auxiliary classifiers, which training alone has; the multiply-adds are those of evaluation.\n", text.Grouped(sum.TrainingParams))
	}
	if p := sum.Paper; p != nil {
		fmt.Fprintf(a.out, "The paper reports %.2f %% top-1 error on %s (%s).\n", p.Top1, p.Dataset, p.Source)
	}
	return nil
}
