package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
	"resnet/internal/train"
)

// finetuneOptions are the flags of finetune.
type finetuneOptions struct {
	experiment.FinetuneOptions
	out       string
	val, test string
	dryRun    bool
	limits    limitFlags
	json      bool
	live      string
}

const finetuneHelp = `Makes a classifier for the photos of a folder from a network that was trained on others.

PHOTOS holds a folder for each class, with images in it or in folders below; or train/ and val/ (also
valid/, test/ and other names, in any case) with such folders; or images of which --labels is a table
(CSV) of file names and classes. Where there are no splits, a fifth of each class is drawn by
train.seed to validate with, or --val; which photos these are is kept in the run as split.csv. What
is left out is counted.

--from is a checkpoint or run folder, or a file of another program that import reads as it is, also
one without a classifier. Its record of how images are looked at stays: size, crop, interpolation
and normalisation. Of files of PyTorch, which have none, torchvision's normalisation is taken.

--freeze says what is not trained: backbone (the classifier alone is trained), none, or the last part
that is not, as models show names them (layer2: the first convolution to the second stage).

It is a training as any other, by the presets finetune-head and finetune: stopped, it goes on with
train --resume.`

func newFinetuneCmd(a *app) *cobra.Command {
	o := &finetuneOptions{}
	c := &cobra.Command{
		Use: "finetune PHOTOS --from FILE", Short: "Make a classifier of photos from a pretrained network",
		Long:    finetuneHelp + exitHelp(help65, help66, help70, help73, help74, help130),
		Example: "  resnet finetune pets/ --from resnet18.safetensors\n  resnet finetune pets/ --from resnet50-0676ba61.pth --arch resnet50 --freeze layer3 --out runs/pets\n  resnet finetune images/ --labels labels.csv --from runs/cifar20-1",
		Args:    exactArgs("PHOTOS"),
		RunE: func(c *cobra.Command, args []string) error {
			o.Photos = args[0]
			return runFinetune(c.Context(), a, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.From, "from", "", "checkpoint, run folder or `FILE` of weights to start from")
	f.StringVar(&o.Arch, "arch", "", "architecture of a file whose weights fit several (default what names and shapes tell)")
	f.StringVar(&o.Labels, "labels", "", "table of file names and classes (CSV), in place of class folders")
	f.StringVar(&o.val, "val", "", "part of each class that is held out to validate with: a fraction, or a number of photos in all (default 0.2 without splits, else 0)")
	f.StringVar(&o.test, "test", "", "part of each class that is held out to test with, of a folder without splits (default 0)")
	f.StringVar(&o.Freeze, "freeze", experiment.DefaultFreeze, "what is not trained: backbone, none, or the last part, such as layer3")
	bounded(f, &o.Epochs, "epochs", 0, 0, maxCount, "passes over the training photos (default 20, of few photos more)")
	f.StringVar(&o.out, "out", "", "folder of the new run (default runs/PHOTOS-k)")
	f.StringArrayVar(&o.Sets, "set", nil, "override a key of the preset, as in train.seed=2; may be repeated")
	threadsFlag(f, &o.Threads, "threads; the results do not depend on them (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfConfig)
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything and print the plan; write nothing")
	o.limits.register(f)
	f.BoolVar(&o.json, "json", false, "print the outcome as JSON")
	liveFlag(f, &o.live)
	_ = c.MarkFlagDirname("out")
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	return c
}

// heldOut reads --val or --test: a fraction or a number; "" is nil.
func heldOut(flag, value string) (*float64, error) {
	if value == "" {
		return nil, nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n >= 0 && n <= maxCount) {
		return nil, usageErrorf("--%s %s: a fraction below 1, or a number of photos", flag, value)
	}
	return &n, nil
}

func runFinetune(ctx context.Context, a *app, o *finetuneOptions) error {
	if o.From == "" {
		return usageErrorf("finetune: --from is missing: the checkpoint or file of weights to start from (`%s weights list` shows some that can be fetched)", a.self)
	}
	limit, err := o.limits.check()
	if err != nil {
		return err
	}
	if o.Val, err = heldOut("val", o.val); err != nil {
		return err
	}
	if o.Test, err = heldOut("test", o.test); err != nil {
		return err
	}
	if o.out != "" {
		if err := experiment.CheckNewRun(o.out); err != nil {
			return err
		}
	}
	live, err := listenLive(o.live, o.dryRun)
	if err != nil {
		return err
	}
	defer live.close()
	control := train.NewControl()
	var w *watcher
	if !o.dryRun {
		w = a.watchSignals(control, o.limits.grace, os.Exit)
		defer w.stop()
	}
	o.Env = a.env
	f, err := experiment.NewFinetuning(control.Context(ctx), a.environment(), o.FinetuneOptions)
	if err != nil {
		return w.ended(err) // nothing was written
	}
	a.sayPhotos(f)
	if o.dryRun {
		t := &experiment.Training{Experiment: f.Experiment, Memory: limit, Control: control}
		return a.dryRun(ctx, t, &trainOptions{run: o.out, json: o.json})
	}
	dir, err := experiment.NewRunDir(o.out, f.RunName())
	if err != nil {
		return err
	}
	t, err := f.In(dir)
	if err != nil {
		return err
	}
	t.MaxTime, t.Memory, t.Control = o.limits.maxTime, limit, control
	return a.runTraining(ctx, t, w, live, o.json)
}

// maxClassRows is how many classes are listed before a training.
const maxClassRows = 40

// sayPhotos says what is trained on before the training begins: the photos of each class, and what
// was left out.
func (a *app) sayPhotos(f *experiment.Finetuning) {
	counts := f.Counts()
	rows := counts
	if len(rows) > maxClassRows {
		rows = rows[:maxClassRows]
	}
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	var sum experiment.ClassCount
	for _, c := range counts {
		sum.Train, sum.Val, sum.Test = sum.Train+c.Train, sum.Val+c.Val, sum.Test+c.Test
	}
	columns := func(name string, c experiment.ClassCount) {
		fmt.Fprintf(tw, "%d\t", c.Train)
		for _, n := range []struct{ of, all int }{{c.Val, sum.Val}, {c.Test, sum.Test}} {
			if n.all > 0 {
				fmt.Fprintf(tw, "%d\t", n.of)
			}
		}
		fmt.Fprintf(tw, "\x00%s\n", name)
	}
	fmt.Fprint(tw, "training\t")
	for _, n := range []struct {
		name string
		all  int
	}{{"validation", sum.Val}, {"test", sum.Test}} {
		if n.all > 0 {
			fmt.Fprintf(tw, "%s\t", n.name)
		}
	}
	fmt.Fprintln(tw, "\x00class")
	for _, c := range rows {
		columns(text.Printable(c.Class), c)
	}
	if more := len(counts) - len(rows); more > 0 {
		fmt.Fprintf(tw, "\x00and %d more classes\n", more)
	}
	columns("in all", sum)
	_ = tw.Flush() // into memory
	for line := range strings.Lines(b.String()) {
		a.say("%s", strings.TrimRight(strings.ReplaceAll(line, "\x00", "  "), " \n"))
	}
	a.sayNotes(f.Experiment)
}
