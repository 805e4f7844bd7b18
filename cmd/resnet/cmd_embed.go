package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"resnet/internal/eval"
	"resnet/internal/experiment"
	"resnet/internal/graph"
	"resnet/internal/text"
)

// embedOptions are the flags of embed.
type embedOptions struct {
	experiment.PredictOptions
	out   string
	query string
	top   int
	json  bool
}

const embedHelp = `Writes the features of images that a network's classifier stands on (2,048 values of a ResNet-50):
images that look alike have similar ones. --nearest IMAGE prints those of the images whose features
are most like that image's, by the cosine of the angle between them.

FILE.npy is a matrix [images, features] of float32 for numpy.load, and FILE.txt beside it has the
names of the images, a line each in the order of the rows. FILE.csv has the names and the features.

An image that cannot be read is reported and left out; the exit status is then that of the first
such file.`

func newEmbedCmd(a *app) *cobra.Command {
	o := &embedOptions{}
	c := &cobra.Command{
		Use: "embed CHECKPOINT IMAGE...|FOLDER", Short: "Write the features of images, find similar ones",
		Long:    embedHelp + exitHelp(help65, help66, help70, help74, helpStopped),
		Example: "  resnet embed resnet50.safetensors photographs/ --out features.npy\n  resnet embed resnet50.safetensors photographs/ --nearest cat.jpg --top 5",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return atLeastArgs(1, "CHECKPOINT")(c, args)
			}
			return atLeastArgs(2, "IMAGE or FOLDER")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return runEmbed(c.Context(), a, o, args[0], args[1:]) },
	}
	f := c.Flags()
	f.StringVar(&o.out, "out", "", "file to write: .npy or .csv")
	f.StringVar(&o.query, "nearest", "", "print the images that are most like this one")
	bounded(f, &o.top, "top", 10, 1, maxCount, "images that --nearest prints")
	viewFlags(c, &o.View)
	bounded(f, &o.Batch, "batch", 32, 1, maxBatch, "views computed together; does not change the result")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfCheckpoint)
	f.BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runEmbed(ctx context.Context, a *app, o *embedOptions, checkpoint string, images []string) error {
	if err := o.View.Check(); err != nil {
		return err
	}
	if len(o.View.Scales) > 0 || o.View.Crops == eval.CropsFull {
		return usageErrorf("embed: --crops 1 or 10: features are of views of the network's own size")
	}
	if o.out == "" && o.query == "" {
		return usageErrorf("embed: --out FILE or --nearest IMAGE is missing")
	}
	if o.out != "" {
		if err := experiment.CheckEmbedOut(o.out); err != nil {
			return err
		}
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return a.interruptible(ctx, "", func(ctx context.Context) error { return a.embed(ctx, o, checkpoint, images) })
}

// embedded is `embed --json`.
type embedded struct {
	Model      string           `json:"model"`
	Checkpoint string           `json:"checkpoint"`
	Protocol   string           `json:"protocol"`
	Precision  graph.Precision  `json:"precision"`
	Images     int              `json:"images"`
	Features   int              `json:"features"`
	Out        string           `json:"out,omitempty"`
	Names      string           `json:"names,omitempty"`
	Query      string           `json:"query,omitempty"`
	Nearest    []eval.Neighbour `json:"nearest,omitempty"`
}

func (a *app) embed(ctx context.Context, o *embedOptions, checkpoint string, images []string) error {
	net, err := experiment.OpenModel(a.environment(), checkpoint)
	if err != nil {
		return err
	}
	e, err := experiment.NewEmbedder(net, o.PredictOptions)
	if err != nil {
		return err
	}
	defer e.Close()
	bad := func(_ string, err error) { a.say("%s", text.Printable(err.Error())) }
	doc := embedded{Model: net.Spec.Name, Checkpoint: net.Named, Protocol: e.View, Precision: net.Precision, Query: o.query}
	var query *eval.Embeddings
	if o.query != "" {
		if query, err = e.Files(ctx, []string{o.query}, func(string, error) {}); err != nil {
			return err
		}
		if e.Failed() != nil {
			return e.Failed()
		}
		if len(query.Names) != 1 {
			return usageErrorf("embed: --nearest %s: one image, and there are %d", text.Printable(o.query), len(query.Names))
		}
	}
	all, err := e.Files(ctx, images, bad)
	if err != nil {
		return err
	}
	if doc.Images = len(all.Names); doc.Images > 0 {
		doc.Features = len(all.Features[0])
	}
	if o.out != "" && doc.Images > 0 {
		doc.Out = o.out
		if doc.Names, err = experiment.WriteEmbeddings(all, o.out); err != nil {
			return err
		}
	}
	if query != nil {
		doc.Nearest = all.Nearest(query.Features[0], o.top)
	}
	if err := a.printEmbedded(doc, o.json); err != nil {
		return err
	}
	if e.Failed() != nil { // it has been reported
		return &silentError{e.Failed()}
	}
	return nil
}

func (a *app) printEmbedded(doc embedded, json bool) error {
	if json {
		return a.printJSON(doc)
	}
	fmt.Fprintf(a.out, "%s (%s), %s%s: %s, %d features each\n", text.Printable(doc.Model), text.Printable(doc.Checkpoint), doc.Protocol, lower(doc.Precision), text.Count(doc.Images, "image"), doc.Features)
	for _, n := range doc.Nearest {
		fmt.Fprintf(a.out, "%8.4f  %s\n", n.Cosine, text.Printable(n.Image))
	}
	if doc.Names != "" {
		fmt.Fprintf(a.out, "written: %s, names in %s\n", text.Printable(doc.Out), text.Printable(doc.Names))
	} else if doc.Out != "" {
		fmt.Fprintf(a.out, "written: %s\n", text.Printable(doc.Out))
	}
	return nil
}
