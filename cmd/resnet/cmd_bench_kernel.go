package main

import (
	"fmt"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/system"
	"resnet/internal/text"
)

// kernelBenches are the measurements below whole networks.
func kernelBenches(a *app) []*cobra.Command {
	return []*cobra.Command{newBenchConvCmd(a), newBenchPeakCmd(a)}
}

// peakReport is `bench peak --json`.
type peakReport struct {
	Mode    string  `json:"mode"`
	Kernels string  `json:"kernels"`
	Threads int     `json:"threads"`
	GFLOPS  float64 `json:"gflops"`
	CPU     string  `json:"cpu"`
}

func newBenchPeakCmd(a *app) *cobra.Command {
	var threads int
	var asJSON bool
	c := &cobra.Command{
		Use: "peak", Short: "Measure the processor's limit: fused multiply-adds in registers",
		Long: "Measure the processor's limit: fused multiply-adds in registers, with the instruction set in use (RESNET_CPU forces a lower one)." +
			exitHelp(),
		Example: "  resnet bench peak\n  resnet bench peak --threads 1 --json",
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if threads == 0 {
				threads = runtime.GOMAXPROCS(0)
			}
			r := peakReport{"peak", kernel.Active(), threads, experiment.PeakGFLOPS(threads), system.Read().CPU}
			if asJSON {
				return a.printJSON(r)
			}
			_, err := fmt.Fprintf(a.out, "%.1f GFLOP/s, %s, %s\n", r.GFLOPS, text.Count(r.Threads, "thread"), r.Kernels)
			return err
		},
	}
	threadsFlag(c.Flags(), &threads, "threads (default all cores)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func newBenchConvCmd(a *app) *cobra.Command {
	var asJSON bool
	var milliseconds int
	c := &cobra.Command{
		Use: "conv", Short: "Measure convolutions on one core: direct and Winograd, forward and both gradients",
		Long: "Measure convolutions on one core: direct and Winograd F(4x4,3x3), forward, data gradient and weight gradient, in GFLOP/s counted\n" +
			"in the operations of the direct method, beside the processor's peak. Data are in cache. The median of seven rounds; --json has the spread." + exitHelp(),
		Example: "  resnet bench conv\n  resnet bench conv --json",
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			r := experiment.BenchConv(time.Duration(milliseconds) * time.Millisecond)
			if asJSON {
				return a.printJSON(r)
			}
			return a.printConv(r)
		},
	}
	bounded(c.Flags(), &milliseconds, "milliseconds", 30, 1, maxMeasured, "length of each of the seven rounds")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) printConv(r experiment.ConvReport) error {
	if _, err := fmt.Fprintf(a.out, "%s kernels, one core, peak %.0f GFLOP/s; each figure: GFLOP/s (of peak, or times direct)\n\n", r.Kernels, r.PeakGFLOPS); err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 8, 3, ' ', 0)
	fmt.Fprintln(w, "convolution\talgorithm\tforward\tdata gradient\tweight gradient\t")
	for _, row := range r.Rows {
		name := row.Name
		if row.Chosen {
			name += " *"
		}
		fmt.Fprintf(w, "%s\t%s", row.Shape, name)
		for _, p := range row.Passes {
			if row.Algorithm == conv.Direct {
				fmt.Fprintf(w, "\t%.0f (%.0f%%)", p.GFLOPS, p.PercentOfPeak)
			} else {
				fmt.Fprintf(w, "\t%.0f (x%.2f)", p.GFLOPS, p.Ratio)
			}
		}
		fmt.Fprintln(w, "\t")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, "\n* what training and inference use for this shape")
	return err
}
