package experiment

import (
	"context"
	"errors"
	"io"
	"runtime"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/system"
)

// BenchDataOptions say which images are prepared, and how.
type BenchDataOptions struct {
	Data    datasets.Config
	Arch    string // network whose training is measured besides; "" for none
	Batch   int
	Threads int     // 0 means all cores
	Seconds float64 // that each part is measured for, at least
}

// BenchDataReport is `bench data --json`. Rates are in images per second; those of one core include
// the garbage collector's work on it.
type BenchDataReport struct {
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
	Network         *BenchNetwork `json:"network"` // null without --arch
	CPU             string        `json:"cpu"`
	Version         string        `json:"version"`
}

// BenchNetwork is the training that the images are prepared for.
type BenchNetwork struct {
	Arch            string  `json:"arch"`
	ImagesPerSecond float64 `json:"images_per_second"`
	// DataPercent is what preparing an image takes of the cores, in percent of what training on it
	// takes.
	DataPercent float64 `json:"data_percent_of_network"`
	Bottleneck  string  `json:"bottleneck"` // network | data
}

// complete fills in the options that were left out and refuses what cannot be measured.
func (o *BenchDataOptions) complete() error {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if datasets.IsSpeech(o.Data.Name) {
		return config.Usagef("bench data: %s has recordings, and images are measured", o.Data.Name)
	}
	if o.Data.Augment.Crop == "" {
		o.Data.Augment.Crop = datasets.CropPad
		if datasets.AnySize(o.Data.Name) {
			o.Data.Augment.Crop, o.Data.Augment.Color = datasets.CropShorterSide, 0.1
		}
	}
	if o.Data.Name != "imagenet" && datasets.AnySize(o.Data.Name) {
		o.Data.Size, o.Data.Resize = 224, 256
	}
	if o.Arch != "" {
		s, err := blocks.Lookup(o.Arch)
		if err != nil {
			return &config.UsageError{Err: err}
		}
		if datasets.AnySize(o.Data.Name) {
			o.Data.Size, o.Data.Resize = s.InputSize, 0
		}
	}
	return nil
}

// BenchData measures how fast the images of a data set become batches.
func BenchData(ctx context.Context, env *Environment, o BenchDataOptions) (BenchDataReport, error) {
	if err := o.complete(); err != nil {
		return BenchDataReport{}, err
	}
	ds, err := datasets.Open(ctx, o.Data, 0)
	if err != nil {
		return BenchDataReport{}, err
	}
	split := datasets.Train
	if ds.Len(split) == 0 {
		split = datasets.Test
	}
	info := ds.Info()
	r := BenchDataReport{
		Mode: "data", Data: o.Data.Name, Split: string(split), Images: ds.Len(split), Crop: o.Data.Augment.Crop, Size: info.Height,
		Batch: min(o.Batch, ds.Len(split)), Threads: o.Threads, CPU: system.Read().CPU, Version: env.Version,
	}
	for i := range min(r.Images, sampleForSize) { // which reads them before anything is timed
		p, err := ds.Picture(split, i)
		if err != nil {
			return r, err
		}
		r.Width += float64(p.Width)
		r.Height += float64(p.Height)
		p.Release()
	}
	n := float64(min(r.Images, sampleForSize))
	r.Width, r.Height = r.Width/n, r.Height/n
	// A loader makes a batch for each of its threads, and two that wait.
	ahead := 4 * float64(info.Channels*info.Height*info.Width) * float64(r.Batch)
	if err := env.allowed(0).check(need{"--threads", o.Threads, ahead * float64(o.Threads), "or a smaller --batch"}, need{"--batch", r.Batch, 2 * ahead, ""}); err != nil {
		return r, err
	}
	if err := o.onOneCore(ctx, ds, split, &r); err != nil {
		return r, err
	}
	if r.ImagesPerSecond, err = o.loaded(ctx, ds, split, o.Data.Augment, o.Threads); err != nil || o.Arch == "" {
		return r, err
	}
	net, err := Bench(env, BenchOptions{Mode: "train", Arch: o.Arch, Batch: o.Batch, Threads: o.Threads, Steps: 3})
	if err != nil {
		return r, err
	}
	r.Network = compareWithData(o.Arch, net.ImagesPerSecond, r.TrainPerCore*float64(o.Threads))
	return r, nil
}

// compareWithData sets the rate at which a network trains beside that at which the same cores
// prepare images.
func compareWithData(arch string, network, data float64) *BenchNetwork {
	n := &BenchNetwork{Arch: arch, ImagesPerSecond: network, DataPercent: 100 * network / data, Bottleneck: "network"}
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
func (o *BenchDataOptions) onOneCore(ctx context.Context, ds *datasets.Dataset, split datasets.Split, r *BenchDataReport) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	done, start := 0, time.Now()
	for done == 0 || time.Since(start).Seconds() < o.Seconds {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := ds.Picture(split, done%min(r.Images, sampleForSize))
		if err != nil {
			return err
		}
		p.Release()
		done++
	}
	r.DecodePerCore = float64(done) / time.Since(start).Seconds()
	var err error
	if r.CentrePerCore, err = o.loaded(ctx, ds, split, datasets.Augment{}, 1); err != nil {
		return err
	}
	r.TrainPerCore, err = o.loaded(ctx, ds, split, o.Data.Augment, 1)
	return err
}

// loaded is the rate at which batches come from a loader with so many workers. What was prepared
// ahead before the clock started is no part of it.
func (o *BenchDataOptions) loaded(ctx context.Context, ds *datasets.Dataset, split datasets.Split, augment datasets.Augment, workers int) (float64, error) {
	norm, err := datasets.FitNormalizer(ctx, ds, datasets.NoNormalizing)
	if err != nil {
		return 0, err
	}
	l, err := datasets.NewLoader(ds, datasets.LoaderOptions{
		Split: split, Batch: min(o.Batch, ds.Len(split)), Seed: 1, Shuffle: true, DropLast: true,
		Augment: augment, Normalizer: norm, Workers: workers,
	})
	if err != nil {
		return 0, err
	}
	defer l.Close()
	images, ahead := 0, 2*workers+1 // batches that may be ready when the first is asked for
	var start time.Time
	for i := 0; images == 0 || time.Since(start).Seconds() < o.Seconds; i++ {
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
