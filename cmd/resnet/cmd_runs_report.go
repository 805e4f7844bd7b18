package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

const runsReportHelp = `Writes the page of a training into its folder, finished or not: report.html with its curves, what
differs from the nearest preset, and what the network gets wrong: errors by class, confusion,
calibration, and the worst images with class activation maps. train writes the same page at its end.

What the network gets wrong is measured on the test images, or without any on the validation
images, and kept in diagnostics.json: the page is made again without computing until there is
another best checkpoint. Of more than 10,000 images as many are drawn, evenly from the classes,
unless --images says otherwise.`

// reported is `runs report --json`.
type reported struct {
	Run   string   `json:"run"`
	Files []string `json:"files"`
}

func newRunsReportCmd(a *app) *cobra.Command {
	var o experiment.DiagnoseOptions
	var split string
	var asJSON bool
	c := &cobra.Command{
		Use: "report RUN", Short: "Write the page of a training",
		Long:    runsReportHelp + exitHelp(help65, help66, help70, help74, helpStopped),
		Example: "  resnet runs report runs/cifar20-1\n  resnet runs report runs/imagenet-1 --images 0",
		Args:    exactArgs("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			if split != "" && split != string(datasets.Val) && split != string(datasets.Test) {
				return usageErrorf("runs report: --split %q: val or test", split)
			}
			o.Split = datasets.Split(split)
			if c.Flags().Changed("images") && o.Images == 0 {
				o.Images = -1
			}
			return a.interruptible(c.Context(), "", func(ctx context.Context) error { return a.reportRun(ctx, args[0], o, asJSON) })
		},
	}
	f := c.Flags()
	f.StringVar(&split, "split", "", "images to measure: val or test (default test, or val without test images)")
	bounded(f, &o.Images, "images", 0, 0, maxCount, "images to measure; 0 means all (default 10,000, or what has been measured)")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	_ = c.RegisterFlagCompletionFunc("split", cobra.FixedCompletions([]string{"test", "val"}, cobra.ShellCompDirectiveNoFileComp))
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) reportRun(ctx context.Context, run string, o experiment.DiagnoseOptions, asJSON bool) error {
	files, err := experiment.ReportRun(ctx, a.environment(), run, o)
	if files == nil {
		return err
	}
	if asJSON {
		if e := a.printJSON(reported{run, files}); e != nil {
			return e
		}
		return err
	}
	for _, file := range files {
		fmt.Fprintf(a.out, "written: %s\n", text.Printable(file))
	}
	return err
}
