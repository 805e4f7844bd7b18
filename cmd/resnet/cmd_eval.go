package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	experiment.MeasureOptions
	split    string
	table    int // of the paper; 0 means none
	markdown bool
	classes  bool
	without  string
	json     bool
}

const evalHelp = `Measures the top-1 and top-5 error and the loss of checkpoints. A run folder means its best
checkpoint: the one with the lowest error on the validation split, or without that split the last.

Every image counts exactly once. --crops chooses the views of an image:
  1     one view, the one that validation used in training: the image, or the centre of the
        resized image
  10    four corners and the centre of the image resized to a shorter side of 256 (for an input
        of 224), and their mirror images
  full  the network applied at every position of the image and of its mirror image, for each of
        --scales as the shorter side
--combine says how several views are averaged. Images that all have the network's input size, as
CIFAR's do, have no ten crops; for them "full" without --scales is the image and its mirror image.

--size, --resize, --crop, --interpolation and --preprocessing look at the images in another way than
the checkpoint says: torchvision-v2 and timm-288 are those of published figures.

The classes of a folder are matched with the network's by name, in any order; a folder may hold some
of them. A network without names gets them from --classes-file, or from classes.txt beside the data.

The paper's value is shown only where it was measured in the same way: on the whole test set, of the
published files and not of a converted copy, with the same views. Several checkpoints give one row each, and one more for their ensemble. --table
prints a table of the paper together with our rows and says what differs; it uses that table's
views unless --crops chooses others.

--without takes a part of one block after another out of a trained network and measures what is
left, a row for each block. A block is act(F(x) + S(x)): without its shortcut S it is a plain block,
without its branch F it is its shortcut alone (Veit et al. 2016). Blocks of plain networks are taken
out whole, where they do not change the shape.`

func newEvalCmd(a *app) *cobra.Command {
	o := &evalOptions{}
	c := &cobra.Command{
		Use: "eval CHECKPOINT|RUN...", Short: "Measure the error of checkpoints",
		Long: evalHelp + exitHelp(help65, help66, help70, help74, helpStopped),
		Example: "  resnet eval runs/cifar20-short-1\n  resnet eval runs/seed1 runs/seed2 runs/seed3 --combine softmax --predictions predictions.csv\n" +
			"  resnet eval resnet50.safetensors --data imagenet --data-dir ILSVRC --crops 10\n  resnet eval runs/cifar* --table 6",
		Args: func(c *cobra.Command, args []string) error {
			if o.table != 0 { // the paper's alone is a table as well
				return nil
			}
			return atLeastArgs(1, "CHECKPOINT or RUN")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.byTable(c.Flags().Changed("crops") || c.Flags().Changed("scales")); err != nil {
				return err
			}
			return runEval(c.Context(), a, o, args)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Data, "data", "", "data set (default the one it was trained on)")
	f.StringVar(&o.Dir, "data-dir", "", "folder that holds the data set")
	f.StringVar(&o.split, "split", "test", "test, val or train")
	f.StringVar(&o.Adaptation, "adaptation", "", "speech: transforms of the split's speakers, from speech adapt")
	f.StringVar(&o.ClassesFile, "classes-file", "", "names of the network's classes, one a line in the order of its outputs (default the checkpoint's)")
	bounded(f, &o.Limit, "limit", 0, 0, maxCount, "only the first so many images (default all)")
	viewFlags(c, &o.View)
	f.StringVar(&o.without, "without", "", "also measure it without this part of each block in turn: shortcut or branch")
	lookFlags(c, &o.Look)
	bounded(f, &o.table, "table", 0, 0, maxCount, "print this table of the paper, 2 to 6, with our rows beside")
	f.BoolVar(&o.markdown, "markdown", false, "print Markdown")
	f.StringVar(&o.Predictions, "predictions", "", "write label, logits and top 5 of every image to this CSV or JSONL file")
	f.BoolVar(&o.classes, "classes", false, "show the error of each class and the confusion matrix")
	bounded(f, &o.Batch, "batch", 0, 0, maxBatch, "images or views computed together; below 16 they are rounded otherwise (default the eval.batch of the training)")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfCheckpoint)
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("data", completeData)
	_ = c.RegisterFlagCompletionFunc("split", cobra.FixedCompletions([]string{"test", "val", "train"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("without", cobra.FixedCompletions([]string{string(blocks.PartShortcut), string(blocks.PartBranch)}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("table", cobra.FixedCompletions([]string{"2", "3", "4", "5", "6"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// check refuses flags that contradict what there is, before any file is read.
func (o *evalOptions) check() error {
	if err := errors.Join(o.View.Check(), o.Look.Check()); err != nil {
		return err
	}
	switch o.Split = datasets.Split(o.split); o.Split {
	case datasets.Test, datasets.Val, datasets.Train:
	default:
		return usageErrorf("eval: --split %q: test, val or train", o.split)
	}
	switch o.Without = blocks.BlockPart(o.without); {
	case o.without == "":
	case o.Without != blocks.PartShortcut && o.Without != blocks.PartBranch:
		return usageErrorf("eval: --without %q: shortcut or branch", o.without)
	case o.table != 0 || o.classes || o.Predictions != "":
		return usageErrorf("eval: --without excludes --table, --classes and --predictions")
	}
	if o.json && o.markdown || o.table != 0 && o.classes {
		return usageErrorf("eval: --json and --markdown, and --table and --classes, exclude each other")
	}
	if ext := filepath.Ext(o.Predictions); o.Predictions != "" && ext != ".csv" && ext != ".jsonl" {
		return usageErrorf("eval: --predictions %s: the name has to end in .csv or .jsonl", o.Predictions)
	}
	if o.Data != "" {
		if err := knownData(o.Data); err != nil {
			return err
		}
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return nil
}

// byTable takes the protocol of the table that was asked for, unless the user chose one.
func (o *evalOptions) byTable(chosen bool) error {
	if o.table == 0 {
		return nil
	}
	t, err := eval.LookupTable(o.table)
	if err != nil {
		return usageErrorf("eval: --%w", err)
	}
	if !chosen {
		o.View.Crops = t.Crops()
	}
	return nil
}

func runEval(ctx context.Context, a *app, o *evalOptions, paths []string) error {
	if err := o.check(); err != nil {
		return err
	}
	return a.interruptible(ctx, "", func(ctx context.Context) error {
		m, err := experiment.Measure(ctx, a.environment(), paths, o.MeasureOptions)
		if err != nil {
			return err
		}
		return a.printMeasurement(m, o)
	})
}

// printMeasurement writes the table and, with --classes, what each row confuses.
func (a *app) printMeasurement(m experiment.Measurement, o *evalOptions) error {
	table := m.Table()
	switch {
	case o.table != 0:
		return a.printBeside(m.Rows, o)
	case o.json && o.classes:
		return a.printJSON(struct {
			Rows    []eval.Row         `json:"rows"`
			Classes []eval.ClassReport `json:"classes"`
		}{table.Rows, m.Classes})
	case o.json:
		return table.WriteJSON(a.out)
	case o.markdown:
		return table.WriteMarkdown(a.out)
	}
	if err := table.WriteText(a.out); err != nil {
		return err
	}
	for _, said := range eval.Lesions(table.Rows) {
		fmt.Fprintln(a.out, text.Printable(said))
	}
	if !o.classes {
		return nil
	}
	for i, r := range m.Classes {
		fmt.Fprintf(a.out, "\n%s\n", text.Printable(table.Rows[i].Checkpoint))
		if err := r.WriteErrors(a.out); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
		if err := r.WriteConfusion(a.out); err != nil {
			return err
		}
	}
	return nil
}

// printBeside writes the paper's table with the rows beside its lines.
func (a *app) printBeside(rows []eval.Measured, o *evalOptions) error {
	t, err := eval.LookupTable(o.table)
	if err != nil {
		return err
	}
	b := t.Compare(rows)
	switch {
	case o.json:
		return b.WriteJSON(a.out)
	case o.markdown:
		return b.WriteMarkdown(a.out)
	}
	return b.WriteText(a.out)
}
