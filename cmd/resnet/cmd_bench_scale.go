package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
)

const benchScaleHelp = `Measures training steps on 1, 2, 4 ... threads of this machine and on 2, 4 ... workers, in
turn, and predicts machines of 2 to 128 cores and clusters of them.

A prediction puts the units of every region of the machine's schedule, with the durations that were
measured on one thread, each share of the work by itself, on so many threads in their order, each on
the one that is free first, and adds barriers and what one thread does alone. No region is faster
than the memory moves all that its steps read and write; on this machine, whose memory is measured, a
region takes longer by what the memory does for several threads. Assumed of larger machines are
--bandwidth, --transfer, and caches that hold a core's share. Not in the model: clocks and caches
that are slower where more cores work, several sockets, and other programs. --workers of a training
are predicted beside threads: each has a batch of its own, so an update has more images.

Of clusters, the time in which a ring sums the gradients is added to that of an update, or with
"beside", only what exceeds the backward pass, in a training's buckets.`

func newBenchScaleCmd(a *app) *cobra.Command {
	var o experiment.ScaleOptions
	var asJSON bool
	c := &cobra.Command{
		Use: "scale", Short: "Measure how far threads help in training, and predict larger machines", Long: benchScaleHelp + exitHelp(),
		Example: "  resnet bench scale --arch resnet20\n  resnet bench scale --arch resnet50v1.5 --batch 16 --cores 64 --json",
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if !(o.Bandwidth > 0 && o.Bandwidth <= 1e6) {
				return usageErrorf("bench: --bandwidth is above 0 and at most 1,000,000 GB/s")
			}
			if !(o.Transfer >= 0 && o.Transfer <= 1e6) {
				return usageErrorf("bench: --transfer is from 0 to 1,000,000 ns")
			}
			r, err := experiment.BenchScale(a.environment(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(r)
			}
			return printScale(a.out, r)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Arch, "arch", "resnet20", "architecture; 'resnet models list' shows all")
	bounded(f, &o.Batch, "batch", 0, 0, maxBatch, "images of a micro-batch, or utterances (default 128, of a speech network 8)")
	bounded(f, &o.Frames, "frames", 300, 1, maxFrames, "speech networks: frames of each utterance")
	threadsFlag(f, &o.Threads, "the most threads that are measured (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfBench)
	bounded(f, &o.Steps, "steps", defaultSteps, 1, maxMeasured, "steps that are measured of each number of threads, after one that is not")
	bounded(f, &o.Cores, "cores", 64, 1, maxThreads, "cores of each machine of a cluster")
	f.Float64Var(&o.Bandwidth, "bandwidth", 300, "GB/s of the memory of the machines that are predicted (eight channels of DDR5-4800 have 307)")
	f.Float64Var(&o.Transfer, "transfer", 100, "ns of a cache line between two cores of those machines, if that is more than here")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	return c
}

// shownBounds are the worst of ScaleReport.Bounds; --json has all.
const shownBounds = 12

// printBounds writes what keeps many cores from being as efficient as one.
func printBounds(w io.Writer, r experiment.ScaleReport) {
	if len(r.Machines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%d cores: what is lost\tregions\tunits\tms of one\tms\tlost ms\tlast unit\tbarriers\tone thread\tmemory\n", r.Machines[0].Cores)
	for i, b := range r.Bounds {
		if i == shownBounds {
			break
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%.2f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n",
			b.Steps, b.Regions, b.Units, b.WorkMs, b.Ms, b.LostMs, b.UnevenMs, b.BarriersMs, b.AloneMs, b.MemoryMs)
	}
}

// printScale writes the four tables.
func printScale(out io.Writer, r experiment.ScaleReport) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "training %s, batch %d, %s, %s kernels, %s\n\n", r.Arch, r.Batch, r.Precision, r.Kernels, text.Printable(r.CPU))
	fmt.Fprintln(tw, "measured: threads\tworkers\tms a step\tfrom\tto\timages/s\tspeed-up\tefficiency\tpredicted ms\terror")
	for _, m := range r.Measured {
		fmt.Fprintf(tw, "%d\t%d\t%.2f\t%.2f\t%.2f\t%.0f\t%.2f\t%.0f %%\t%.2f\t%+.1f %%\n",
			m.Threads, m.Workers, m.MsPerStep, m.MsMin, m.MsMax, m.ImagesPerSecond, m.Speedup, m.EfficiencyPercent, m.PredictedMs, m.ErrorPercent)
	}
	fmt.Fprintln(tw, "\npredicted: cores\tworkers\tms an update\timages/s\tspeed-up\tefficiency\tbound by memory")
	for _, p := range r.Predicted {
		fmt.Fprintf(tw, "%d\t%d\t%.2f\t%.0f\t%.1f\t%.0f %%\t%.0f %%\n", p.Cores, p.Workers, p.MsPerUpdate, p.ImagesPerSecond, p.Speedup, p.EfficiencyPercent, p.MemoryBoundPercent)
	}
	printBounds(tw, r)
	fmt.Fprintln(tw, "\ncalculated: machines\tGb/s\tcores\tworkers\timages an update\tefficiency\tbeside")
	for _, c := range r.Machines {
		fmt.Fprintf(tw, "%d\t%.0f\t%d\t%d\t%s\t%.0f %%\t%.0f %%\n", c.Machines, c.Gigabits, c.Cores, c.Workers, text.Grouped(c.Machines*c.ImagesPerMachine), c.EfficiencyPercent, c.OverlappedPercent)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	m := r.Model
	_, err := fmt.Fprintf(out, "\n%d regions of up to %d units; %.2f ms a step on one thread alone; a barrier of two threads %.1f µs, a cache line from core to core %.2f µs, of larger machines taken as %.2f; at most %s read and written a step; memory here %.0f GB/s, of one thread %.0f, of larger machines taken as %.0f; gradients of %s\n",
		m.Regions, m.Units, m.AloneMs, m.BarrierMicroseconds, m.TransferMicroseconds, m.LargeTransferMicroseconds, text.Bytes(m.BytesPerStep), m.GigabytesPerSecond, m.GigabytesPerSecondOne, m.LargeGigabytesPerSecond, text.Bytes(m.GradientBytes))
	return err
}
