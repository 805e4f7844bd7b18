package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

func newDataPackCmd(a *app) *cobra.Command {
	var asJSON bool
	cfg := datasets.DefaultConfig()
	cfg.OnCorrupt = datasets.CorruptError
	o := datasets.PackOptions{}
	c := &cobra.Command{
		Use: "pack NAME", Short: "Resize the images of a data set once, for fast epochs",
		Long: "Writes the images of imagenet or of a folder, resized, one after another into a few large files with checksums. Train on them with\n" +
			"data.name packed and data.dir OUT: same labels, same order. An image that is small enough is copied as it is." + exitHelp(help65, help66, help73, help74),
		Example: "  resnet data pack imagenet --dir /data/imagenet --out /data/imagenet-480\n  resnet data pack folder --dir photographs --out packed --shorter 256 --on-corrupt skip",
		Args:    exactArgs("NAME"), ValidArgsFunction: completeData,
		RunE: func(c *cobra.Command, args []string) error {
			cfg.Name = args[0]
			return runDataPack(c.Context(), a, cfg, o, asJSON)
		},
	}
	f := c.Flags()
	f.StringVar(&cfg.Dir, "dir", "", "folder that holds the data set (default the user's cache folder)")
	f.StringVar(&o.Dir, "out", "", "folder to write to")
	bounded(f, &o.Shorter, "shorter", 480, 1, maxCount, "pixels of the shorter side; 480 is the largest that the paper's augmentation draws")
	bounded(f, &o.Quality, "quality", 95, 1, 100, "JPEG quality of images that are made smaller, 1 to 100")
	f.StringVar(&cfg.OnCorrupt, "on-corrupt", cfg.OnCorrupt, "error | skip: what a training image that does not decode does")
	f.StringVar(&cfg.Labels, "labels", "", "imagenet: text file with the labels of the validation images")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.MarkFlagRequired("out")
	_ = c.MarkFlagDirname("out")
	_ = c.MarkFlagDirname("dir")
	return c
}

func runDataPack(ctx context.Context, a *app, cfg datasets.Config, o datasets.PackOptions, asJSON bool) error {
	if err := knownData(cfg.Name); err != nil {
		return err
	}
	stopped := fmt.Sprintf("Interrupted: %s holds no pack. The same command begins again.", text.Printable(o.Dir))
	return a.interruptible(ctx, stopped, func(ctx context.Context) error { return a.pack(ctx, cfg, o, asJSON) })
}

func (a *app) pack(ctx context.Context, cfg datasets.Config, o datasets.PackOptions, asJSON bool) error {
	ds, err := datasets.Open(ctx, cfg, 0)
	if err != nil {
		return err
	}
	last := time.Now()
	o.OnProgress = func(done, total int) {
		if now := time.Now(); now.Sub(last) >= quietInterval {
			a.say("%s of %s images", text.Grouped(done), text.Grouped(total))
			last = now
		}
	}
	begun := time.Now()
	r, err := datasets.Pack(ctx, ds, o)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(r)
	}
	n := 0
	for _, s := range []datasets.Split{datasets.Train, datasets.Val, datasets.Test} {
		if k := r.Images[s]; k > 0 {
			n += k
			fmt.Fprintf(a.out, "%-6s %s images\n", s, text.Grouped(k))
		}
	}
	took := time.Since(begun)
	fmt.Fprintf(a.out, "%s in %s, %s made smaller, in %s (%.0f images/s)\n", text.Bytes(r.Bytes), text.Printable(r.Dir), text.Grouped(r.Resized), text.Duration(took), float64(n)/took.Seconds())
	for _, id := range r.Skipped {
		fmt.Fprintf(a.out, "left out: %s\n", text.Printable(id))
	}
	_, err = fmt.Fprintf(a.out, "Train on it: --set data.name=packed --set data.dir=%s\n", text.ShellQuote(r.Dir))
	return err
}
