package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/eval"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

// predictOptions are the flags of predict.
type predictOptions struct {
	experiment.PredictOptions
	json       bool
	stdinImage bool
}

const predictHelp = `Classifies images (JPEG, PNG, WebP, GIF, BMP, TIFF, PNM), all images in and below a folder, or files
whose paths come on standard input (-). A speech network classifies recordings (WAV, FLAC) in the same ways, by the
mean of its logits over the frames; --crops, --scales and --batch are for images only.

With --stdin-image standard input is one image file, not a list of paths.

Each path on standard input is answered at once with a line of JSON, until the input closes. The
line has "error" in it where the file cannot be classified. With files and folders, --json prints
one document.

An image is prepared as validation prepared it in training: its shorter side is resized and the
central square is cut out, as recorded in the checkpoint. --crops and --scales are those of eval.
Grey images become colour images with three equal channels; for a network of grey images, colours
become luma (ITU-R BT.601). Dark on light stays dark on light, unlike MNIST. An image is
turned as its EXIF orientation says, unless the network was trained on images as they are stored,
which the checkpoint says too.

A file that cannot be read is reported, and the others continue; the exit status is then that of
the first such file.`

func newPredictCmd(a *app) *cobra.Command {
	o := &predictOptions{}
	c := &cobra.Command{
		Use: "predict CHECKPOINT IMAGE...|FOLDER|-|--stdin-image", Short: "Classify images",
		Long: predictHelp + exitHelp(help65, help66, help70, help74, helpStopped),
		Example: "  resnet predict resnet50.safetensors cat.jpg dog.png\n  resnet predict runs/cifar20-1 photographs/ --top 3 --json\n" +
			"  resnet predict resnet50.safetensors - --crops 10 < paths.txt\n" +
			"  resnet predict resnet50.safetensors --stdin-image < cat.jpg",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return atLeastArgs(1, "CHECKPOINT")(c, args)
			}
			if o.stdinImage {
				return exactArgs("CHECKPOINT")(c, args)
			}
			return atLeastArgs(2, "IMAGE, FOLDER or -")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return runPredict(c.Context(), a, o, args[0], args[1:]) },
	}
	f := c.Flags()
	bounded(f, &o.Top, "top", 5, 1, maxCount, "classes shown for an image")
	viewFlags(c, &o.View)
	f.StringVar(&o.ClassesFile, "classes-file", "", "names of the network's classes, one a line in the order of its outputs (default the checkpoint's)")
	f.StringVar(&o.Adaptation, "adaptation", "", "speech: transforms of speakers, from speech adapt")
	f.StringVar(&o.Speaker, "speaker", "", "speech: the speaker whose transform is taken")
	bounded(f, &o.Batch, "batch", 32, 1, maxBatch, "views computed together; does not change the result")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfCheckpoint)
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.stdinImage, "stdin-image", false, "classify the image file that is standard input")
	return c
}

// check refuses flags that contradict what there is, before any file is read.
func (o *predictOptions) check(images []string) error {
	if err := o.View.Check(); err != nil {
		return err
	}
	if (o.Adaptation == "") != (o.Speaker == "") {
		return usageErrorf("predict: --adaptation FILE and --speaker NAME go together")
	}
	for _, path := range images {
		if path == "-" && len(images) > 1 {
			return usageErrorf("predict: - stands alone: give paths on the command line or on standard input")
		}
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return nil
}

func runPredict(ctx context.Context, a *app, o *predictOptions, checkpoint string, images []string) error {
	if err := o.check(images); err != nil {
		return err
	}
	return a.interruptible(ctx, "", func(ctx context.Context) error { return a.predict(ctx, o, checkpoint, images) })
}

func (a *app) predict(ctx context.Context, o *predictOptions, checkpoint string, files []string) error {
	net, err := experiment.OpenClassifier(a.environment(), checkpoint)
	if err != nil {
		return err
	}
	p, err := experiment.NewPredictor(net, o.PredictOptions)
	if err != nil {
		return err
	}
	defer p.Close()
	switch {
	case o.stdinImage:
		err = a.predictImage(ctx, p, o.json)
	case files[0] == "-":
		err = p.Stream(ctx, a.in, a.printPredictionLine)
	case o.json:
		err = a.printPredictions(ctx, p, files)
	default:
		a.printNetwork(p)
		err = p.Files(ctx, files, a.printPrediction)
	}
	if err == nil && p.Failed() != nil { // it has been reported
		return &silentError{p.Failed()}
	}
	return err
}

func (a *app) printNetwork(p *experiment.Predictor) {
	fmt.Fprintf(a.out, "%s (%s), %s%s\n", text.Printable(p.Model.Spec.Name), text.Printable(p.Model.Named), p.View, lower(p.Model.Precision))
}

// predictImage classifies standard input.
func (a *app) predictImage(ctx context.Context, p *experiment.Predictor, json bool) error {
	r, err := p.Image(ctx, a.in)
	if err != nil {
		return err
	}
	if json {
		return a.writePredictions(p, []experiment.Prediction{r})
	}
	a.printNetwork(p)
	return a.printPrediction(r)
}

// printPredictions writes all in one document.
func (a *app) printPredictions(ctx context.Context, p *experiment.Predictor, files []string) error {
	all := []experiment.Prediction{}
	err := p.Files(ctx, files, func(r experiment.Prediction) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		return err
	}
	return a.writePredictions(p, all)
}

func (a *app) writePredictions(p *experiment.Predictor, all []experiment.Prediction) error {
	doc := map[string]any{"model": p.Model.Spec.Name, "checkpoint": p.Model.Named, "precision": p.Model.Precision}
	if p.Model.Frontend != "" {
		doc["recordings"] = all
	} else {
		doc["protocol"], doc["images"] = p.View, all
	}
	return eval.WriteJSON(a.out, doc)
}

// printPredictionLine writes a line of JSON.
func (a *app) printPredictionLine(r experiment.Prediction) error {
	line, err := eval.JSONLine(r)
	if err != nil {
		return err
	}
	if _, err := a.out.Write(line); err != nil {
		return &experiment.IOError{Err: err}
	}
	return nil
}

// printPrediction shows the classes of a file for people. What is wrong with one goes to standard
// error.
func (a *app) printPrediction(r experiment.Prediction) error {
	if r.Error != "" {
		a.say("%s: %s", text.Printable(r.Path()), text.Printable(r.Error))
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", text.Printable(r.Path()))
	for _, g := range r.Top {
		fmt.Fprintf(&b, "%7.2f%%  %s\n", 100*g.Probability, text.Printable(g.Shown()))
	}
	_, err := io.WriteString(a.out, b.String())
	return err
}
