package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/graph"
	"resnet/internal/text"
)

const explainHelp = `Draws where on an image the network sees its classes (class activation maps, Zhou et al. 2016): a row
for each image, first what the network sees of it, then the same with the map of each of its --top
likeliest classes, or of --class. The brighter, the more speaks for the class: of a network with
global average pooling, the classifier's weights of the class times the last maps. A network of
other kinds (VGG) has none.`

// explained is `explain --json`.
type explained struct {
	Model      string                  `json:"model"`
	Checkpoint string                  `json:"checkpoint"`
	Precision  graph.Precision         `json:"precision"`
	Out        string                  `json:"out"`
	Images     []experiment.Prediction `json:"images"`
}

func newExplainCmd(a *app) *cobra.Command {
	var o experiment.ExplainOptions
	var out string
	var asJSON bool
	c := &cobra.Command{
		Use: "explain CHECKPOINT IMAGE...|FOLDER", Short: "Draw where a network sees its classes",
		Long:    explainHelp + exitHelp(help65, help66, help70, help74, helpStopped),
		Example: "  resnet explain resnet50.safetensors cat.jpg --out why.png\n  resnet explain runs/pets photographs/ --class beagle --out beagles.png",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return atLeastArgs(1, "CHECKPOINT")(c, args)
			}
			return atLeastArgs(2, "IMAGE or FOLDER")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usageErrorf("explain: --out is missing: name the .png to write")
			}
			if o.Threads == 0 {
				o.Threads = runtime.GOMAXPROCS(0)
			}
			return a.interruptible(c.Context(), "", func(ctx context.Context) error { return a.explain(ctx, o, args[0], args[1:], out, asJSON) })
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "the .png to write")
	bounded(f, &o.Top, "top", 1, 1, 10, "classes drawn for an image")
	f.StringVar(&o.Class, "class", "", "draw this class, by name or number")
	f.StringVar(&o.ClassesFile, "classes-file", "", "names of the network's classes, one a line in the order of its outputs (default the checkpoint's)")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfCheckpoint)
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) explain(ctx context.Context, o experiment.ExplainOptions, checkpoint string, images []string, out string, asJSON bool) error {
	net, err := experiment.OpenClassifier(a.environment(), checkpoint)
	if err != nil {
		return err
	}
	all, err := experiment.Explain(ctx, net, images, out, o)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(explained{net.Spec.Name, net.Named, net.Precision, out, all})
	}
	for i, p := range all {
		var classes []string
		for _, g := range p.Top {
			classes = append(classes, fmt.Sprintf("%s %.1f%%", text.Printable(g.Shown()), 100*g.Probability))
		}
		fmt.Fprintf(a.out, "row %d: %s: %s\n", i+1, text.Printable(p.Image), strings.Join(classes, ", "))
	}
	fmt.Fprintf(a.out, "written: %s%s\n", text.Printable(out), lower(net.Precision))
	return nil
}
