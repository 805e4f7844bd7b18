package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// benchDataOptions are the flags of bench data.
type benchDataOptions struct {
	data    datasets.Config
	arch    string
	batch   int
	threads int
	seconds float64
	json    bool
}

// benchDataReport is `bench data --json`. Rates are in images per second; those of one core include
// the garbage collector's work on it.
type benchDataReport struct {
	Mode            string        `json:"mode"` // data
	Data            string        `json:"data"`
	Split           string        `json:"split"`
	Images          int           `json:"images"`
	Width           float64       `json:"mean_width"` // pixels, of the images as they are stored
	Height          float64       `json:"mean_height"`
	Crop            string        `json:"crop"`
	Size            int           `json:"size"` // pixels of the square that the network sees
	Batch           int           `json:"batch"`
	Threads         int           `json:"threads"`
	DecodePerCore   float64       `json:"decode_images_per_second_per_core"`
	CentrePerCore   float64       `json:"centre_images_per_second_per_core"`
	TrainPerCore    float64       `json:"images_per_second_per_core"`
	ImagesPerSecond float64       `json:"images_per_second"`
	Network         *benchNetwork `json:"network"` // null without --arch
	CPU             string        `json:"cpu"`
	Version         string        `json:"version"`
}

// benchNetwork is the training that the images are prepared for.
type benchNetwork struct {
	Arch            string  `json:"arch"`
	ImagesPerSecond float64 `json:"images_per_second"`
	// DataPercent is what preparing an image takes of the cores, in percent of what training on it
	// takes.
	DataPercent float64 `json:"data_percent_of_network"`
	Bottleneck  string  `json:"bottleneck"` // network | data
}

const benchDataHelp = `Measures how fast images become batches: read, decoded, resized, cut, mirrored and normalised as in a training. First on one core, in three parts: decoding
alone; with the central view of an evaluation; with the random view of a training. Then the last on all threads. The images are read once before, so that the
disk is not what is measured.

With --arch the training of that network is measured besides, on the same threads, and the report says which of the two is the bottleneck: a core that
prepares images does not train meanwhile.`

func newBenchDataCmd(a *app) *cobra.Command {
	o := &benchDataOptions{data: datasets.DefaultConfig()}
	c := &cobra.Command{
		Use: "data", Short: "Measure reading, decoding, resizing and cropping of images", Long: benchDataHelp + exitHelp(help65, help66),
		Example: "  resnet bench data --data imagenet --dir ILSVRC\n  resnet bench data --data imagenet --dir ILSVRC --arch resnet18 --json",
		Args:    exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := a.benchData(c.Context(), o)
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
	f.StringVar(&o.data.Name, "data", "imagenet", "data set of images; 'resnet data list' shows all")
	f.StringVar(&o.data.Dir, "dir", "", "folder that holds it (default the user's cache folder)")
	f.StringVar(&o.data.Augment.Crop, "crop", "", "shorter-side, resized or pad (default shorter-side for images of any size, else pad)")
	f.StringVar(&o.arch, "arch", "", "network whose training is measured besides; its input size is the images'")
	f.IntVar(&o.batch, "batch", 32, "images in a batch")
	f.IntVar(&o.threads, "threads", 0, "threads (default all cores)")
	f.Float64Var(&o.seconds, "seconds", 2, "seconds that each part is measured for, at least")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("data", completeData)
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	_ = c.RegisterFlagCompletionFunc("crop", cobra.FixedCompletions([]string{datasets.CropShorterSide, datasets.CropResized, datasets.CropPad}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.MarkFlagDirname("dir")
	return c
}

// check completes the options and refuses what cannot be measured.
func (o *benchDataOptions) check() error {
	if o.batch < 1 || o.threads < 0 || !(o.seconds > 0 && o.seconds <= 3600) {
		return usageErrorf("bench: --batch is at least 1, --threads at least 0, --seconds above 0 and at most 3600")
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	if err := knownData(o.data.Name); err != nil {
		return err
	}
	if datasets.IsSpeech(o.data.Name) {
		return usageErrorf("bench data: %s has recordings, and images are measured", o.data.Name)
	}
	if o.data.Augment.Crop == "" {
		o.data.Augment.Crop = datasets.CropPad
		if datasets.AnySize(o.data.Name) {
			o.data.Augment.Crop, o.data.Augment.Color = datasets.CropShorterSide, 0.1
		}
	}
	if o.data.Name != "imagenet" && datasets.AnySize(o.data.Name) {
		o.data.Size, o.data.Resize = 224, 256
	}
	if o.arch != "" {
		s, err := blocks.Lookup(o.arch)
		if err != nil {
			return &usageError{err}
		}
		if datasets.AnySize(o.data.Name) {
			o.data.Size, o.data.Resize = s.InputSize, 0
		}
	}
	return nil
}

func (a *app) benchData(ctx context.Context, o *benchDataOptions) (benchDataReport, error) {
	if err := o.check(); err != nil {
		return benchDataReport{}, err
	}
	ds, err := datasets.Open(ctx, o.data, 0)
	if err != nil {
		return benchDataReport{}, err
	}
	split := datasets.Train
	if ds.Len(split) == 0 {
		split = datasets.Test
	}
	info := ds.Info()
	r := benchDataReport{Mode: "data", Data: o.data.Name, Split: string(split), Images: ds.Len(split), Crop: o.data.Augment.Crop, Size: info.Height,
		Batch: min(o.batch, ds.Len(split)), Threads: o.threads, CPU: readSystem().CPU, Version: readVersion().Version}
	for i := range min(r.Images, sampleForSize) { // which reads them before anything is timed
		p, err := ds.Picture(split, i)
		if err != nil {
			return r, err
		}
		r.Width += float64(p.Width)
		r.Height += float64(p.Height)
	}
	n := float64(min(r.Images, sampleForSize))
	r.Width, r.Height = r.Width/n, r.Height/n
	if err := o.onOneCore(ctx, ds, split, &r); err != nil {
		return r, err
	}
	if r.ImagesPerSecond, err = o.loaded(ctx, ds, split, o.data.Augment, o.threads); err != nil || o.arch == "" {
		return r, err
	}
	net, err := a.benchNet("train", &benchOptions{arch: o.arch, batch: o.batch, threads: o.threads, steps: 3})
	if err != nil {
		return r, err
	}
	r.Network = compareWithData(o.arch, net.ImagesPerSecond, r.TrainPerCore*float64(o.threads))
	return r, nil
}

// compareWithData sets the rate at which a network trains beside that at which the same cores
// prepare images.
func compareWithData(arch string, network, data float64) *benchNetwork {
	n := &benchNetwork{Arch: arch, ImagesPerSecond: network, DataPercent: 100 * network / data, Bottleneck: "network"}
	if n.DataPercent > 100 {
		n.Bottleneck = "data"
	}
	return n
}

// sampleForSize is how many images are read before the measurement: all of a small set, and enough
// of a large one for the mean of their sizes.
const sampleForSize = 1000

// onOneCore measures the parts with a single processor for everything, the collector of garbage
// included.
func (o *benchDataOptions) onOneCore(ctx context.Context, ds *datasets.Dataset, split datasets.Split, r *benchDataReport) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	done, start := 0, time.Now()
	for done == 0 || time.Since(start).Seconds() < o.seconds {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := ds.Picture(split, done%min(r.Images, sampleForSize)); err != nil {
			return err
		}
		done++
	}
	r.DecodePerCore = float64(done) / time.Since(start).Seconds()
	var err error
	if r.CentrePerCore, err = o.loaded(ctx, ds, split, datasets.Augment{}, 1); err != nil {
		return err
	}
	r.TrainPerCore, err = o.loaded(ctx, ds, split, o.data.Augment, 1)
	return err
}

// loaded is the rate at which batches come from a loader with so many workers. What was prepared
// ahead before the clock started is no part of it.
func (o *benchDataOptions) loaded(ctx context.Context, ds *datasets.Dataset, split datasets.Split, augment datasets.Augment, workers int) (float64, error) {
	norm, err := datasets.FitNormalizer(ctx, ds, datasets.NoNormalizing)
	if err != nil {
		return 0, err
	}
	l, err := datasets.NewLoader(ds, datasets.LoaderOptions{Split: split, Batch: min(o.batch, ds.Len(split)), Seed: 1, Shuffle: true, DropLast: true,
		Augment: augment, Normalizer: norm, Workers: workers})
	if err != nil {
		return 0, err
	}
	defer l.Close()
	images, ahead := 0, 2*workers+1 // batches that may be ready when the first is asked for
	var start time.Time
	for i := 0; images == 0 || time.Since(start).Seconds() < o.seconds; i++ {
		b, err := l.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		if i == ahead {
			start = time.Now()
		} else if i > ahead {
			images += b.N
		}
		l.Recycle(b)
	}
	return float64(images) / time.Since(start).Seconds(), nil
}

func (a *app) printBenchData(r benchDataReport) error {
	fmt.Fprintf(a.out, "%s, %s, %s of about %.0f×%.0f pixels, crop %s of %d×%d, batch %d\n", r.Data, r.Split, count(r.Images, "image"), r.Width, r.Height, r.Crop, r.Size, r.Size, r.Batch)
	fmt.Fprintf(a.out, "one core   %6.0f images/s decoded\n", r.DecodePerCore)
	fmt.Fprintf(a.out, "           %6.0f images/s decoded, resized, the centre cut out, normalised\n", r.CentrePerCore)
	fmt.Fprintf(a.out, "           %6.0f images/s decoded, resized, cut at random, augmented, normalised\n", r.TrainPerCore)
	fmt.Fprintf(a.out, "%-10s %6.0f images/s of the last\n", count(r.Threads, "thread"), r.ImagesPerSecond)
	if n := r.Network; n != nil {
		fmt.Fprintf(a.out, "%s     %6.0f images/s trained on %s: preparing an image takes %.0f %% of the time that training on it takes; the bottleneck is the %s\n",
			eval.Printable(n.Arch), n.ImagesPerSecond, count(r.Threads, "thread"), n.DataPercent, n.Bottleneck)
	}
	return nil
}
