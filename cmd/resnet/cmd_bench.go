package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
)

func newBenchCmd(a *app) *cobra.Command {
	return group("bench", "Measure the speed of training, inference, kernels and of preparing images",
		"Figures of networks are the median of the steps after two of warm-up, on random images, or utterances for networks of speech: no data loading. That is measured by `bench data`."+exitHelp(),
		"  resnet bench train --arch resnet20 --batch 128\n  resnet bench infer --arch resnet56 --threads 1 --json\n  resnet bench train --arch wrbn --batch 8 --frames 300",
		append([]*cobra.Command{
			newBenchNetCmd(a, "train", "Measure training steps: forward, backward and the update of SGD"),
			newBenchNetCmd(a, "infer", "Measure inference with running statistics"),
			newBenchDataCmd(a),
		}, kernelBenches(a)...)...)
}

func newBenchNetCmd(a *app, mode, short string) *cobra.Command {
	o := experiment.BenchOptions{Mode: mode}
	var asJSON bool
	c := &cobra.Command{
		Use: mode, Short: short, Long: short + "." + exitHelp(),
		Example: fmt.Sprintf("  resnet bench %s --arch resnet20\n  resnet bench %s --arch resnet110 --batch 128 --threads 2 --json", mode, mode),
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if o.Batch < 0 || o.Frames < 1 || o.Steps < 1 || o.Threads < 0 {
				return usageErrorf("bench: --batch, --frames and --steps are at least 1, --threads at least 0")
			}
			r, err := experiment.Bench(a.environment(), o)
			if err != nil {
				return err
			}
			return a.printBench(r, asJSON)
		},
	}
	c.Flags().StringVar(&o.Arch, "arch", "resnet20", "architecture; 'resnet models list' shows all")
	c.Flags().IntVar(&o.Batch, "batch", 0, "images in a step, or utterances (default 128, of a speech network 8)")
	c.Flags().IntVar(&o.Frames, "frames", 300, "speech networks: frames of each utterance")
	c.Flags().IntVar(&o.Threads, "threads", 0, "threads (default all cores)")
	c.Flags().IntVar(&o.Steps, "steps", 7, "steps that are measured, after two that are not")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	return c
}

func (a *app) printBench(r experiment.BenchReport, asJSON bool) error {
	if asJSON {
		return a.printJSON(r)
	}
	peak := ""
	if r.PercentOfPeak != nil {
		peak = fmt.Sprintf(", %.0f%% of peak", *r.PercentOfPeak)
	}
	batch, speed := fmt.Sprintf("batch %d", r.Batch), fmt.Sprintf("%.0f images/s", r.ImagesPerSecond)
	if r.Frames > 0 {
		batch, speed = fmt.Sprintf("batch %d x %d frames", r.Batch, r.Frames), fmt.Sprintf("%.0f frames/s", r.FramesPerSecond)
	}
	_, err := fmt.Fprintf(a.out, "%s %s, %s, %d threads, %s, %s kernels: %s, %.2f ms a step (%.2f to %.2f in %d), %.0f GFLOP/s%s, peak memory %s\n",
		r.Mode, r.Arch, batch, r.Threads, r.Precision, r.Kernels, speed, r.MsPerStep, r.MsMin, r.MsMax, r.Steps, r.GFLOPS, peak, text.Bytes(r.PeakRSSBytes))
	return err
}
