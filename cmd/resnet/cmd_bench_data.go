package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

// benchDataOptions are the flags of bench data.
type benchDataOptions struct {
	experiment.BenchDataOptions
	json bool
}

const benchDataHelp = `Measures how fast images become batches: reading, decoding, resizing, cropping, flipping and
normalising, as in a training. One core is measured first, in three parts: decoding alone, with the
central view of an evaluation, and with the random view of a training. The last part is then
measured on all threads. Every image is read once before, so the disk is not measured.

With --arch, the training of that network is measured on the same threads as well, and the report
says which of the two is the bottleneck. A core that prepares images does not train meanwhile.`

func newBenchDataCmd(a *app) *cobra.Command {
	o := &benchDataOptions{}
	o.Data = datasets.DefaultConfig()
	c := &cobra.Command{
		Use: "data", Short: "Measure reading, decoding, resizing and cropping of images", Long: benchDataHelp + exitHelp(help65, help66),
		Example: "  resnet bench data --data imagenet --dir ILSVRC\n  resnet bench data --data imagenet --dir ILSVRC --arch resnet18 --json",
		Args:    exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if !(o.Seconds > 0 && o.Seconds <= 3600) {
				return usageErrorf("bench: --seconds is above 0 and at most 3600")
			}
			if err := knownData(o.Data.Name); err != nil {
				return err
			}
			r, err := experiment.BenchData(c.Context(), a.environment(), o.BenchDataOptions)
			if err != nil {
				return err
			}
			if o.json {
				return a.printJSON(r)
			}
			return a.printBenchData(r)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Data.Name, "data", "imagenet", "data set of images; 'resnet data list' shows all")
	f.StringVar(&o.Data.Dir, "dir", "", "folder that holds it (default the user's cache folder)")
	f.StringVar(&o.Data.Augment.Crop, "crop", "", "shorter-side, resized or pad (default shorter-side for images of any size, else pad)")
	f.StringVar(&o.Arch, "arch", "", "network whose training is measured besides; its input size is the images'")
	bounded(f, &o.Batch, "batch", 32, 1, maxBatch, "images in a batch")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	f.Float64Var(&o.Seconds, "seconds", 2, "seconds that each part is measured for, at least")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("data", completeData)
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	_ = c.RegisterFlagCompletionFunc("crop", cobra.FixedCompletions([]string{datasets.CropShorterSide, datasets.CropResized, datasets.CropPad}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.MarkFlagDirname("dir")
	return c
}

func (a *app) printBenchData(r experiment.BenchDataReport) error {
	fmt.Fprintf(a.out, "%s, %s, %s of about %.0f×%.0f pixels, crop %s of %d×%d, batch %d\n", r.Data, r.Split, text.Count(r.Images, "image"), r.Width, r.Height, r.Crop, r.Size, r.Size, r.Batch)
	fmt.Fprintf(a.out, "one core   %6.0f images/s decoded\n", r.DecodePerCore)
	fmt.Fprintf(a.out, "           %6.0f images/s decoded, resized, the centre cut out, normalised\n", r.CentrePerCore)
	fmt.Fprintf(a.out, "           %6.0f images/s decoded, resized, cut at random, augmented, normalised\n", r.TrainPerCore)
	fmt.Fprintf(a.out, "%-10s %6.0f images/s of the last\n", text.Count(r.Threads, "thread"), r.ImagesPerSecond)
	if n := r.Network; n != nil {
		fmt.Fprintf(a.out, "%s     %6.0f images/s trained on %s: preparing an image takes %.0f %% of the time that training on it takes; the bottleneck is the %s\n",
			text.Printable(n.Arch), n.ImagesPerSecond, text.Count(r.Threads, "thread"), n.DataPercent, n.Bottleneck)
	}
	return nil
}
