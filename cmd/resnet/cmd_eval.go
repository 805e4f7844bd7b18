package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	data, dir   string
	split       string
	limit       int
	crops       string
	combine     string
	predictions string
	batch       int
	threads     int
	classes     bool
	json        bool
}

const evalHelp = `Measures the top-1 and top-5 error and the loss of checkpoints. A run folder stands for its best checkpoint: the one with the
lowest error on the validation split, or without one the last.

Every image counts exactly once. The paper's value stands beside ours only where it was measured the same way: the whole test
set, one view. Several checkpoints give a row each, and one for the ensemble of all.`

func newEvalCmd(a *app) *cobra.Command {
	o := &evalOptions{}
	c := &cobra.Command{
		Use: "eval CHECKPOINT|RUN...", Short: "Measure the error of checkpoints",
		Long: evalHelp + exitHelp(help65, help66, help70, help74, "130, 143  stopped by SIGINT or SIGTERM"),
		Example: "  resnet eval runs/cifar20-short-1\n  resnet eval runs/cifar20-short-1 --split val --json\n" +
			"  resnet eval runs/seed1 runs/seed2 runs/seed3 --combine softmax\n  resnet eval runs/fashion20-1 --predictions predictions.csv",
		Args: atLeastArgs(1, "CHECKPOINT or RUN"),
		RunE: func(c *cobra.Command, args []string) error { return runEval(c.Context(), a, o, args) },
	}
	f := c.Flags()
	f.StringVar(&o.data, "data", "", "data set (default the one it was trained on)")
	f.StringVar(&o.dir, "data-dir", "", "folder that holds the data set")
	f.StringVar(&o.split, "split", "test", "test, val or train")
	f.IntVar(&o.limit, "limit", 0, "only the first so many images (default all)")
	f.StringVar(&o.crops, "crops", "1", "views of an image: 1")
	f.StringVar(&o.combine, "combine", "softmax", "what the ensemble averages: softmax or logits")
	f.StringVar(&o.predictions, "predictions", "", "write label, logits and top 5 of every image to this CSV or JSONL file")
	f.BoolVar(&o.classes, "classes", false, "show the error of each class and the confusion matrix")
	f.IntVar(&o.batch, "batch", 250, "images computed together; does not change the figures")
	f.IntVar(&o.threads, "threads", 0, "threads (default all cores)")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("data", completeData)
	_ = c.RegisterFlagCompletionFunc("split", cobra.FixedCompletions([]string{"test", "val", "train"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("combine", cobra.FixedCompletions([]string{"softmax", "logits"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// check refuses flags that contradict what there is, before any file is read.
func (o *evalOptions) check() error {
	switch o.crops {
	case "1":
	case "10", "full":
		return usageErrorf("eval: --crops %s is not built yet; --crops 1 is the protocol of the CIFAR networks", o.crops)
	default:
		return usageErrorf("eval: --crops %q: 1 is the only choice", o.crops)
	}
	switch datasets.Split(o.split) {
	case datasets.Test, datasets.Val, datasets.Train:
	default:
		return usageErrorf("eval: --split %q: test, val or train", o.split)
	}
	if o.combine != "softmax" && o.combine != "logits" {
		return usageErrorf("eval: --combine %q: softmax or logits", o.combine)
	}
	if o.limit < 0 || o.batch < 1 || o.threads < 0 {
		return usageErrorf("eval: --limit and --threads are at least 0, --batch at least 1")
	}
	if ext := filepath.Ext(o.predictions); o.predictions != "" && ext != ".csv" && ext != ".jsonl" {
		return usageErrorf("eval: --predictions %s: the name has to end in .csv or .jsonl", o.predictions)
	}
	if o.data != "" {
		if err := knownData(o.data); err != nil {
			return err
		}
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	return nil
}

func runEval(ctx context.Context, a *app, o *evalOptions, paths []string) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, status, stop := interruptible(ctx)
	defer stop()
	m := &measurement{a: a, o: o, open: map[dataKey]*datasets.Dataset{}}
	if err := m.run(ctx, paths); err != nil {
		if s := status(); s != 0 {
			return &silentError{&stoppedError{s}}
		}
		return err
	}
	return m.print()
}

// print writes the table and, with --classes, what each row confuses.
func (m *measurement) print() error {
	table := eval.Table{Rows: m.rows}
	switch {
	case m.o.json && m.o.classes:
		return m.a.printJSON(struct {
			Rows    []eval.Row         `json:"rows"`
			Classes []eval.ClassReport `json:"classes"`
		}{m.rows, m.classes})
	case m.o.json:
		return table.WriteJSON(m.a.out)
	}
	if err := table.WriteText(m.a.out); err != nil || !m.o.classes {
		return err
	}
	for i, r := range m.classes {
		fmt.Fprintf(m.a.out, "\n%s\n", eval.Printable(m.rows[i].Checkpoint))
		if err := r.WriteErrors(m.a.out); err != nil {
			return err
		}
		fmt.Fprintln(m.a.out)
		if err := r.WriteConfusion(m.a.out); err != nil {
			return err
		}
	}
	return nil
}
