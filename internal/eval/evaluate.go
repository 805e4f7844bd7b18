package eval

import (
	"context"
	"errors"
	"fmt"
	"io"

	"resnet/internal/datasets"
)

// A Network computes logits [n, K] of n images, valid until the next call. Every graph.Machine in
// Eval mode is one.
type Network interface {
	Infer(x []float32, n int) ([]float32, error)
}

// Batches gives the images of a split once; a *datasets.Loader with Epochs 1 is one.
type Batches interface {
	// Next returns io.EOF after the last batch.
	Next(ctx context.Context) (*datasets.Batch, error)
	Recycle(*datasets.Batch)
}

// An Image is one measured image. Logits [K] are valid during the call only.
type Image struct {
	Index  int // in the split
	Label  int
	Logits []float32
}

// An Observer is called with every image, in the order of the batches. Its error ends the
// evaluation.
type Observer func(Image) error

// Input says what Evaluate reads.
type Input struct {
	Images  int                // how many images there are; a longer split is cut off after so many
	Classes int                // of the network
	Name    func(i int) string // of image i, for errors; nil means its number alone
	Labels  LabelMap           // from the labels of the batches to the network's outputs
}

// Evaluate measures a network on batches. The images are those with Index 0 to in.Images-1, every
// one exactly once: one that is missing or comes twice is an error, and one with a higher Index is
// left out. The figures do not depend on how the batches are cut. It fails with ErrNonFinite or
// ErrLabel, naming the image, and with the errors of the network, the batches and the observers.
func Evaluate(ctx context.Context, net Network, batches Batches, in Input, observers ...Observer) (Metrics, error) {
	meter, err := NewMeter(in.Images, in.Classes, in.Name)
	if err != nil {
		return Metrics{}, err
	}
	if err := measureAll(ctx, meter, net, batches, in, observers); err != nil {
		return Metrics{}, err
	}
	return meter.Metrics()
}

// measureAll counts the images of all batches.
func measureAll(ctx context.Context, meter *Meter, net Network, batches Batches, in Input, observers []Observer) error {
	for meter.left > 0 {
		b, err := batches.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		err = measure(meter, net, b, in, observers)
		batches.Recycle(b)
		if err != nil {
			return err
		}
	}
	return nil
}

// measure counts the images of one batch.
func measure(meter *Meter, net Network, b *datasets.Batch, in Input, observers []Observer) error {
	if b.N < 1 || len(b.Labels) != b.N || len(b.Index) != b.N {
		return fmt.Errorf("evaluation: a batch of %d images with %d labels and %d numbers", b.N, len(b.Labels), len(b.Index))
	}
	logits, err := net.Infer(b.X, b.N)
	if err != nil {
		return err
	}
	k := in.Classes
	if len(logits) != b.N*k {
		return fmt.Errorf("evaluation: the network gave %d values for %d images of %d classes", len(logits), b.N, k)
	}
	for j, i := range b.Index {
		if i >= in.Images {
			continue
		}
		row := logits[j*k : (j+1)*k]
		label := in.Labels.Of(int(b.Labels[j]))
		if err := meter.Add(row, []int32{int32(label)}, b.Index[j:j+1]); err != nil {
			return err
		}
		for _, observe := range observers {
			if err := observe(Image{Index: i, Label: label, Logits: row}); err != nil {
				return err
			}
		}
	}
	return nil
}

// SplitOptions say how EvaluateSplit reads a data set.
type SplitOptions struct {
	Split datasets.Split
	Batch int // images together, at most what the network takes; does not change the figures
	Limit int // the first so many images of the split; 0 means all
	// View is how images are cut and normalised; nil means as the data set delivers them,
	// scaled to [0, 1].
	View    *datasets.Preprocessing
	Classes int      // of the network; 0 means the data set's
	Labels  LabelMap // from the data set's classes to the network's outputs
	Workers int      // goroutines that read images; 0 means the loader's own choice
	Part    Part
}

// Part is what one of several processes measures: of every Of batches the one in place At. The
// zero value is all. The figures are of the whole split, the same in all processes and the same as
// of one; there is no confusion matrix.
type Part struct {
	At, Of int
	// Gather takes what this process has measured, or why it could not, and returns what all have,
	// in their order.
	Gather func(own []byte, err error) ([][]byte, error)
}

// EvaluateSplit measures a network on a split of a data set, unshuffled and without augmentation.
// It is what training validates with. It fails as Evaluate and datasets.NewLoader do, and with
// ErrLabel before any work where the network has no output for the class of an image.
func EvaluateSplit(ctx context.Context, net Network, ds *datasets.Dataset, o SplitOptions, observers ...Observer) (Metrics, error) {
	n, err := limited(ds, o.Split, o.Limit)
	if err != nil {
		return Metrics{}, err
	}
	if err := o.Labels.covers(ds, o.Split, n); err != nil {
		return Metrics{}, err
	}
	if o.Classes == 0 {
		o.Classes = len(ds.Info().Classes)
	}
	loader, err := datasets.NewLoader(ds, datasets.LoaderOptions{
		Split: o.Split, Batch: o.Batch, Epochs: 1,
		View: o.View, Workers: o.Workers, Share: o.Part.share(),
	})
	if err != nil {
		return Metrics{}, err
	}
	defer loader.Close()
	in := Input{Images: n, Classes: o.Classes, Labels: o.Labels, Name: func(i int) string { return ds.ID(o.Split, i) }}
	if o.Part.Of <= 1 {
		return Evaluate(ctx, net, loader, in, observers...)
	}
	meter, err := NewMeter(in.Images, in.Classes, in.Name)
	if err == nil {
		meter.confusion = nil
		err = measureAll(ctx, meter, net, loader, in, observers)
	}
	if err := meter.merge(o.Part, err); err != nil {
		return Metrics{}, err
	}
	return meter.Metrics()
}

func (p Part) share() datasets.Share {
	if p.Of <= 1 {
		return datasets.Share{}
	}
	return datasets.Share{First: p.At, Count: 1, Of: p.Of}
}
