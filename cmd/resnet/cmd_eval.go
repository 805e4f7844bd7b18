package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

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
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	var table eval.Table
	open := dataCache{}
	for _, path := range paths {
		row, err := a.evalModel(ctx, o, path, open)
		if err != nil {
			if ctx.Err() != nil {
				return &silentError{&stoppedError{exitInterrupt}}
			}
			return err
		}
		table.Rows = append(table.Rows, row)
	}
	if o.json {
		return table.WriteJSON(a.out)
	}
	return table.WriteText(a.out)
}

// dataCache keeps data sets open between the rows of a table.
type dataCache map[dataKey]*datasets.Dataset

type dataKey struct {
	cfg  datasets.Config
	seed uint64
}

func (c dataCache) open(ctx context.Context, cfg datasets.Config, seed uint64) (*datasets.Dataset, error) {
	key := dataKey{cfg, seed}
	if ds := c[key]; ds != nil {
		return ds, nil
	}
	ds, err := datasets.Open(ctx, cfg, seed)
	if err == nil {
		c[key] = ds
	}
	return ds, err
}

// evalModel measures one checkpoint.
func (a *app) evalModel(ctx context.Context, o *evalOptions, path string, open dataCache) (eval.Row, error) {
	m, err := a.openModel(path, o.batch, o.threads)
	if err != nil {
		return eval.Row{}, err
	}
	defer m.machine.Close()
	cfg, seed := m.dataConfig(o.data, o.dir)
	ds, err := open.open(ctx, cfg, seed)
	if err != nil {
		return eval.Row{}, err
	}
	info := ds.Info()
	if err := m.fits(info); err != nil {
		return eval.Row{}, err
	}
	split := datasets.Split(o.split)
	if ds.Len(split) == 0 {
		return eval.Row{}, usageErrorf("%s has no %s split%s", info.Name, o.split, splitHint(split))
	}
	metrics, err := eval.EvaluateSplit(ctx, m.machine, ds, eval.SplitOptions{Split: split, Batch: o.batch, Limit: o.limit,
		Normalizer: m.norm, Classes: m.spec.Classes})
	if err != nil {
		return eval.Row{}, fmt.Errorf("%s: %w", path, err)
	}
	protocol := eval.Protocol{Views: 1, Height: info.Height, Width: info.Width, Split: split}
	if o.limit > 0 && o.limit < ds.Len(split) {
		protocol.Limit = o.limit
	}
	return eval.NewRow(m.spec.Name, strings.TrimSuffix(path, "/"), info.Name, m.params.Count(), protocol, metrics), nil
}

func splitHint(s datasets.Split) string {
	if s == datasets.Val {
		return ": data.validation was 0 when it was trained"
	}
	return ""
}
