package main

import (
	"context"
	"runtime"

	"github.com/spf13/cobra"

	"resnet/internal/eval"
)

// predictOptions are the flags of predict.
type predictOptions struct {
	top                 int
	looking             eval.ViewOptions
	adaptation, speaker string
	batch               int
	threads             int
	json                bool
}

const predictHelp = `Classifies images: PNG and JPEG files, the images of a folder and of the folders in it, or those whose paths come on standard input (-). A network of speech classifies
recordings (WAV, FLAC) in the same ways, by the mean of what it says of their frames; --crops, --scales and --batch are not for it.

A path from standard input is answered at once with a line of JSON, until the input closes; with "error" in it where there is no such image.
With files and folders, --json prints one document.

The image is looked at as the network's training looked at those that it validated on: its shorter side is resized and the central square cut out, as the checkpoint
says. --crops and --scales are those of eval. Grey images
become colour images of three equal channels; for a network of grey images, colours become luma (ITU-R BT.601), and dark on light stays dark on light, unlike
MNIST. EXIF rotation is not applied.

An image that cannot be read is reported and the others go on; the exit status is then that of the first such image.`

func newPredictCmd(a *app) *cobra.Command {
	o := &predictOptions{}
	c := &cobra.Command{
		Use: "predict CHECKPOINT IMAGE...|FOLDER|-", Short: "Classify images",
		Long: predictHelp + exitHelp(help65, help66, help70, help74, "130, 143  stopped by SIGINT or SIGTERM"),
		Example: "  resnet predict resnet50.safetensors cat.jpg dog.png\n  resnet predict runs/cifar20-1 photographs/ --top 3 --json\n" +
			"  resnet predict resnet50.safetensors - --crops 10 < paths.txt",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return atLeastArgs(1, "CHECKPOINT")(c, args)
			}
			return atLeastArgs(2, "IMAGE, FOLDER or -")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return runPredict(c.Context(), a, o, args[0], args[1:]) },
	}
	f := c.Flags()
	f.IntVar(&o.top, "top", 5, "classes shown for an image")
	lookingFlags(c, &o.looking)
	f.StringVar(&o.adaptation, "adaptation", "", "speech: transforms of speakers, from speech adapt")
	f.StringVar(&o.speaker, "speaker", "", "speech: the speaker whose transform is taken")
	f.IntVar(&o.batch, "batch", 32, "views computed together; does not change the result")
	f.IntVar(&o.threads, "threads", 0, "threads (default all cores)")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return c
}

// check refuses flags that contradict what there is, before any file is read.
func (o *predictOptions) check(images []string) error {
	if err := o.looking.Check(); err != nil {
		return err
	}
	if o.top < 1 || o.batch < 1 || o.threads < 0 {
		return usageErrorf("predict: --top and --batch are at least 1, --threads at least 0")
	}
	if (o.adaptation == "") != (o.speaker == "") {
		return usageErrorf("predict: --adaptation FILE and --speaker NAME go together")
	}
	for _, path := range images {
		if path == "-" && len(images) > 1 {
			return usageErrorf("predict: - stands alone: give paths on the command line or on standard input")
		}
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	return nil
}

func runPredict(ctx context.Context, a *app, o *predictOptions, checkpoint string, images []string) error {
	if err := o.check(images); err != nil {
		return err
	}
	ctx, status, stop := interruptible(ctx)
	defer stop()
	net, err := a.openModel(checkpoint)
	if err != nil {
		return err
	}
	if net.Frontend != "" {
		err := predictSpeech(ctx, a, o, net, images)
		if s := status(); err != nil && s != 0 {
			return &silentError{&stoppedError{s}}
		}
		return err
	}
	if o.adaptation != "" {
		return usageErrorf("predict: --adaptation: %s is no network of speech", net.named)
	}
	if net.Assumed != "" {
		a.say("%s: %s.", net.named, net.Assumed)
	}
	p, err := newPrediction(a, o, net)
	if err != nil {
		return err
	}
	defer p.scorer.Close()
	if images[0] == "-" {
		err = p.stream(ctx)
	} else {
		err = p.files(ctx, images)
	}
	if s := status(); err != nil && s != 0 {
		return &silentError{&stoppedError{s}}
	}
	return err
}
