package main

import (
	"fmt"
	"strconv"
	"text/tabwriter"

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
			newBenchScaleCmd(a),
			newBenchAllreduceCmd(a),
			newBenchDataCmd(a),
		}, kernelBenches(a)...)...)
}

// listSteps is the value of --steps that stands alone.
const listSteps = "list"

func newBenchNetCmd(a *app, mode, short string) *cobra.Command {
	o := experiment.BenchOptions{Mode: mode}
	var asJSON bool
	var steps string
	c := &cobra.Command{
		Use: mode, Short: short,
		Long: short + ". --steps alone lists the steps of the machine: what each does, by which algorithm, the bytes that it\n" +
			"reads and writes, its time and operations a second, and its bound: the larger of its arithmetic, at the rate that\n" +
			"its kernel has with data in cache, and of its bytes, at the rate of a long stream; both are measured first." + exitHelp(),
		Example: fmt.Sprintf("  resnet bench %s --arch resnet20\n  resnet bench %s --arch resnet110 --batch 128 --threads 2 --json\n  resnet bench %s --arch resnet50v1.5 --batch 16 --steps",
			mode, mode, mode),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && steps == listSteps { // --steps 7
				steps = args[0]
				return nil
			}
			return exactArgs()(c, args)
		},
		RunE: func(*cobra.Command, []string) error {
			if o.Features && o.Trainable == "" {
				return usageErrorf("bench: --features are of the layers below those of --trainable, which is missing")
			}
			list, err := parseSteps(steps, &o.Steps)
			if err != nil {
				return err
			}
			if list && o.Trainable != "" {
				return usageErrorf("bench: --steps without a number lists the steps of one machine, and --trainable has two")
			}
			if list {
				r, err := experiment.ProfileSteps(a.environment(), o)
				if err != nil {
					return err
				}
				return a.printSteps(r, asJSON)
			}
			r, err := experiment.Bench(a.environment(), o)
			if err != nil {
				return err
			}
			return a.printBench(r, asJSON)
		},
	}
	c.Flags().StringVar(&o.Arch, "arch", "resnet20", "architecture; 'resnet models list' shows all")
	bounded(c.Flags(), &o.Batch, "batch", 0, 0, maxBatch, "images in a step, or utterances (default 128, of a speech network 8)")
	bounded(c.Flags(), &o.Frames, "frames", 300, 1, maxFrames, "speech networks: frames of each utterance")
	threadsFlag(c.Flags(), &o.Threads, "threads (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfBench)
	if mode == "train" {
		c.Flags().StringVar(&o.Trainable, "trainable", "", "train these layers or stages and the classifier, such as layer4, or head: the classifier alone; what is below runs as in evaluation (default all)")
		c.Flags().BoolVar(&o.Features, "features", false, "with --trainable: what is below has been computed, as train.cache_features keeps it")
	}
	c.Flags().StringVar(&steps, "steps", "", "`N`: measure so many steps, after two that are not (default 7); alone: list the machine's steps")
	c.Flags().Lookup("steps").NoOptDefVal = listSteps
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	return c
}

// defaultSteps are measured unless --steps says how many.
const defaultSteps = 7

// parseSteps reads --steps: how many are measured, or that they are to be listed.
func parseSteps(value string, n *int) (list bool, err error) {
	*n = defaultSteps
	switch value {
	case "":
		return false, nil
	case listSteps:
		return true, nil
	}
	if *n, err = strconv.Atoi(value); err != nil || *n < 1 || *n > maxMeasured {
		return false, usageErrorf("bench: --steps %s: a number of at least 1 and at most %s, or nothing", value, text.Grouped(maxMeasured))
	}
	return false, nil
}

// printSteps lists the steps, and what they add up to by kind.
func (a *app) printSteps(r experiment.BenchSteps, asJSON bool) error {
	if asJSON {
		return a.printJSON(r)
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	row := func(first string, s experiment.BenchStep) {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%.3f\t%.1f\t%.1f\t%.0f\t%.3f\n",
			first, s.Pass, s.Kind, s.Algorithm, text.Bytes(s.Bytes), s.Milliseconds, s.Percent, s.GigabytesPerSecond, s.GFLOPS, s.Bound)
	}
	fmt.Fprintln(tw, "step\tpass\tkind\talgorithm\tbytes\tms\t%\tGB/s\tGFLOP/s\tbound ms")
	for i, s := range r.Steps {
		if s.Shape != "" {
			s.Kind += " " + s.Shape
		}
		row(strconv.Itoa(i+1), s)
	}
	fmt.Fprintln(tw, "\nsteps\tpass\tkind\talgorithm\tbytes\tms\t%\tGB/s\tGFLOP/s\tbound ms")
	for _, s := range r.Kinds {
		row(strconv.Itoa(s.Count), s)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "\n%s %s, batch %d, %s, %s, %s kernels: %.2f ms, the median of %d; %.1f GFLOP, %.0f GFLOP/s; %s\n"+
		"bound %.2f ms, %.0f%% of the time: arithmetic at its kernels' rates in cache (peak %.0f GFLOP/s) or bytes at %.1f GB/s\n",
		r.Mode, r.Arch, r.Batch, text.Count(r.Threads, "thread"), r.Precision, r.Kernels, r.Milliseconds, r.Runs, r.GFLOP, r.GFLOPS, text.Bytes(r.Bytes),
		r.Bound, r.PercentOfBound, r.Peak, r.Bandwidth)
	return err
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
