package main

import (
	"fmt"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

// kernelBenches are the measurements below whole networks.
func kernelBenches(a *app) []*cobra.Command {
	return []*cobra.Command{newBenchConvCmd(a), newBenchPeakCmd(a)}
}

// peakGFLOPS is what the multiply-add units of so many threads can do.
func peakGFLOPS(threads int) float64 { return kernel.Peak(threads) / 1e9 }

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
			if threads < 0 {
				return usageErrorf("bench: --threads is at least 0")
			}
			if threads == 0 {
				threads = runtime.GOMAXPROCS(0)
			}
			r := peakReport{"peak", kernel.Active(), threads, peakGFLOPS(threads), readSystem().CPU}
			if asJSON {
				return a.printJSON(r)
			}
			_, err := fmt.Fprintf(a.out, "%.1f GFLOP/s, %s, %s\n", r.GFLOPS, count(r.Threads, "thread"), r.Kernels)
			return err
		},
	}
	c.Flags().IntVar(&threads, "threads", 0, "threads (default all cores)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// convRow is one shape and algorithm of `bench conv`, in GFLOP/s of the direct method on one core.
type convRow struct {
	Shape     string         `json:"shape"`
	Algorithm conv.Algorithm `json:"-"`
	Name      string         `json:"algorithm"`
	Chosen    bool           `json:"chosen"`
	Passes    [3]convSpeed   `json:"passes"`
}

// convSpeed is one pass; Ratio compares with the direct algorithm.
type convSpeed struct {
	Pass          string  `json:"pass"`
	GFLOPS        float64 `json:"gflops"`
	Min           float64 `json:"gflops_min"`
	Max           float64 `json:"gflops_max"`
	PercentOfPeak float64 `json:"percent_of_peak"`
	Ratio         float64 `json:"ratio_to_direct"`
}

// convReport is `bench conv --json`.
type convReport struct {
	Mode       string    `json:"mode"`
	Kernels    string    `json:"kernels"`
	Threads    int       `json:"threads"`
	PeakGFLOPS float64   `json:"peak_gflops"`
	CPU        string    `json:"cpu"`
	Rows       []convRow `json:"rows"`
}

// benchShapes are the layers of the CIFAR and ImageNet networks, with the images that go through
// together.
var benchShapes = []struct {
	conv.Shape
	images int
}{
	{square(16, 16, 32, 3, 1), 4}, {square(32, 32, 16, 3, 1), 8}, {square(64, 64, 8, 3, 1), 16},
	{square(64, 64, 56, 3, 1), 1}, {square(128, 128, 28, 3, 1), 2},
	{square(3, 16, 32, 3, 1), 4}, {square(16, 32, 32, 3, 2), 4}, {square(32, 64, 16, 3, 2), 8}, {square(3, 64, 224, 7, 2), 1},
	{square(64, 256, 56, 1, 1), 1}, {square(256, 64, 56, 1, 1), 1}, {square(256, 512, 56, 1, 2), 1},
}

func square(c, k, size, kernelSize, stride int) conv.Shape {
	return conv.Shape{C: c, K: k, H: size, W: size, R: kernelSize, S: kernelSize, Stride: stride, PadH: kernelSize / 2, PadW: kernelSize / 2}
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
			if milliseconds < 1 {
				return usageErrorf("bench: --milliseconds is at least 1")
			}
			r := benchConv(time.Duration(milliseconds) * time.Millisecond)
			if asJSON {
				return a.printJSON(r)
			}
			return a.printConv(r)
		},
	}
	c.Flags().IntVar(&milliseconds, "milliseconds", 30, "length of each of the seven rounds")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func benchConv(round time.Duration) convReport {
	r := convReport{Mode: "conv", Kernels: kernel.Active(), Threads: 1, CPU: readSystem().CPU}
	for _, s := range benchShapes {
		r.PeakGFLOPS = max(r.PeakGFLOPS, peakGFLOPS(1)) // beside each shape: the clock of a busy machine moves
		var direct conv.Speeds
		for _, algorithm := range []conv.Algorithm{conv.Direct, conv.Winograd} {
			if algorithm == conv.Winograd && !s.CanWinograd() {
				continue
			}
			v := conv.Measure(s.Shape, algorithm, s.images, 7, round)
			if algorithm == conv.Direct {
				direct = v
			}
			row := convRow{Shape: s.String(), Algorithm: algorithm, Name: algorithm.String(), Chosen: conv.Choose(s.Shape).Forward == algorithm}
			for i, p := range []struct {
				name      string
				of, first conv.Speed
			}{{"forward", v.Forward, direct.Forward}, {"data gradient", v.DataGrad, direct.DataGrad}, {"weight gradient", v.Weights, direct.Weights}} {
				row.Passes[i] = convSpeed{Pass: p.name, GFLOPS: p.of.Median / 1e9, Min: p.of.Min / 1e9, Max: p.of.Max / 1e9, Ratio: p.of.Median / p.first.Median}
			}
			r.Rows = append(r.Rows, row)
		}
	}
	for i := range r.Rows {
		for j := range r.Rows[i].Passes {
			p := &r.Rows[i].Passes[j]
			p.PercentOfPeak = 100 * p.GFLOPS / r.PeakGFLOPS
		}
	}
	return r
}

func (a *app) printConv(r convReport) error {
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
