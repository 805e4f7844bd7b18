package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/eval"
	"resnet/internal/train"
)

// trainOptions are the flags of train.
type trainOptions struct {
	configFlags
	run, resume string
	threads     int
	dryRun      bool
	maxTime     time.Duration
	grace       time.Duration
	maxMemory   string
	allowChange bool
	json        bool
}

const trainHelp = `Trains a network and keeps everything in a run folder: the merged configuration, checkpoints, metrics.csv and the curves.

Before any work starts, configuration, data, lock, free space and memory are checked. Stopping at any moment and resuming
gives the same weights and figures, to the bit, as never stopping.

Signals: the first SIGINT (Ctrl-C) or SIGTERM finishes the step and saves, the second ends at once; SIGUSR1 saves and goes on;
a closed terminal or pipe changes nothing.`

func newTrainCmd(a *app) *cobra.Command {
	o := &trainOptions{}
	c := &cobra.Command{
		Use: "train", Short: "Train a network, or continue a run",
		Long: trainHelp + exitHelp(help65, help66, help70, help73, help74, help130),
		Example: "  resnet train --config cifar20-short\n  resnet train --config cifar110.yaml --set train.seed=2 --run runs/seed2\n" +
			"  resnet train --resume runs/cifar20-short-1\n  resnet train --config cifar56 --dry-run",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && o.file == "" && o.resume == "" {
				return usageErrorf("resnet train: unexpected argument %q - did you mean --config %s?", args[0], shellQuote(args[0]))
			}
			return exactArgs()(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error { return runTrain(c.Context(), a, o) },
	}
	o.register(c)
	f := c.Flags()
	f.StringVar(&o.run, "run", "", "folder of the new run (default runs/NAME-k)")
	f.StringVar(&o.resume, "resume", "", "continue the run in this folder")
	f.IntVar(&o.threads, "threads", 0, "threads; the results do not depend on them (default all cores)")
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything and print the plan; write nothing")
	f.DurationVar(&o.maxTime, "max-time", 0, "save and end after this long, such as 3h30m")
	f.DurationVar(&o.grace, "grace", 30*time.Second, "how long saving may take after a signal; 0 means any time")
	f.StringVar(&o.maxMemory, "max-memory", "", "refuse a training that needs more, such as 8GB (default what is free)")
	f.BoolVar(&o.allowChange, "allow-config-change", false, "with --resume: let --set change what keeps the checkpoint meaningful")
	f.BoolVar(&o.json, "json", false, "print the outcome as JSON")
	c.MarkFlagsMutuallyExclusive("run", "resume")
	_ = c.MarkFlagDirname("run")
	_ = c.MarkFlagDirname("resume")
	return c
}

func runTrain(ctx context.Context, a *app, o *trainOptions) error {
	limit, err := parseBytes(o.maxMemory)
	if err != nil {
		return usageErrorf("--max-memory: %w", err)
	}
	if o.threads < 0 {
		return usageErrorf("--threads: %d is negative", o.threads)
	}
	l, err := o.configuration(a)
	if err != nil {
		return err
	}
	control := train.NewControl()
	var w *watcher
	if !o.dryRun { // from here on a signal stops the run in order, also before its first step
		w = a.watchSignals(control, o.grace, os.Exit)
		defer w.stop()
	}
	j, err := newJob(ctx, l, o.threads, newDataSets())
	if err != nil {
		return err
	}
	need, err := j.leastMemory()
	if err != nil {
		return err
	}
	if err := checkMemory(need, limit, j.Train.Batch); err != nil {
		return err
	}
	for _, note := range j.notes() {
		a.say("note: %s", eval.Printable(note))
	}
	if o.dryRun {
		return a.printPlan(ctx, j, o.json)
	}
	dir := o.resume
	if dir == "" {
		if dir, err = newRunDir(o.run, j.runName()); err != nil {
			return err
		}
	}
	hello := fmt.Sprintf("Training %s on %s in %s: %s steps of %s, %s, %s kernels", j.spec.Name, j.dataName(), dir,
		grouped(j.plan.Iterations), j.stepSize(), count(j.threads, "thread"), kernelsInUse())
	t := &training{a: a, j: j, dir: dir, maxTime: o.maxTime, memory: limit, resume: o.resume != "", label: j.spec.Name, hello: hello, control: control}
	sum, err := t.run(ctx)
	if o.resume == "" {
		removeUnused(dir)
	}
	if !sum.AlreadyFinished {
		a.reportRun(dir, j, sum)
	}
	if err := a.finishRun(dir, sum, err, w); err != nil {
		return err
	}
	return a.printOutcome(dir, j, sum, o.json)
}

// configuration loads what --config says or, when a run is resumed, what it was started with; a
// changed value is refused unless it cannot matter.
func (o *trainOptions) configuration(a *app) (*loaded, error) {
	if o.resume == "" {
		if o.file == "" {
			return nil, usageErrorf("resnet train: --config is missing: a preset (`resnet config list`) or a file; or --resume a run")
		}
		return o.load(a)
	}
	old, err := a.loadRun(o.resume, nil, false)
	if err != nil {
		return nil, err
	}
	file := o.file
	if file == "" {
		file = filepath.Join(o.resume, configFile)
	}
	l, err := loadConfig(configInput{file: file, sets: o.sets, env: a.env})
	if err != nil {
		return nil, err
	}
	changes, err := train.CheckResume(configValues(&old.Config), configValues(&l.Config), o.allowChange)
	if err != nil {
		return nil, &usageError{err}
	}
	for _, c := range changes {
		a.say("changed: %s", c)
	}
	l.Name = filepath.Base(filepath.Clean(o.resume))
	return l, nil
}

// runName is what the folder of a new run is called after.
func (j *job) runName() string {
	if j.Name != "" && j.Name != "config" {
		return strings.Map(func(r rune) rune {
			if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
				return '_'
			}
			return r
		}, j.Name)
	}
	return j.spec.Name
}

// outcome is `train --json`.
type outcome struct {
	Run             string        `json:"run"`
	Model           string        `json:"model"`
	Step            int           `json:"step"`
	Epoch           float64       `json:"epoch"`
	Finished        bool          `json:"finished"`
	AlreadyFinished bool          `json:"already_finished"`
	Seconds         float64       `json:"seconds"`
	ImagesPerSecond float64       `json:"images_per_second"`
	Train           *splitOutcome `json:"train"`
	Validation      *splitOutcome `json:"validation"`
	Test            *splitOutcome `json:"test"`
}

type splitOutcome struct {
	Top1Error float64  `json:"top1_error"`
	Top5Error *float64 `json:"top5_error"` // null for the training error, which is counted while the model changes, and for fewer than five classes
	Loss      float64  `json:"loss"`
}

func newSplitOutcome(m *train.Metrics) *splitOutcome {
	if m == nil {
		return nil
	}
	return &splitOutcome{Top1Error: m.Error, Top5Error: m.Top5Error, Loss: m.Loss}
}

func (a *app) printOutcome(dir string, j *job, sum train.Summary, asJSON bool) error {
	o := outcome{Run: dir, Model: j.spec.Name, Step: sum.State.Step, Epoch: j.plan.Epoch(sum.State.Step), Finished: sum.State.Finished,
		AlreadyFinished: sum.AlreadyFinished, Seconds: sum.Elapsed.Seconds(), ImagesPerSecond: sum.ImagesPerSecond}
	if r := sum.Last; r != nil {
		o.Train, o.Validation, o.Test = newSplitOutcome(r.Train), newSplitOutcome(r.Val), newSplitOutcome(r.Test)
	}
	if asJSON {
		return a.printJSON(o)
	}
	if o.AlreadyFinished {
		fmt.Fprintf(a.out, "%s has finished: %s steps are done. Next: %s eval %s\n", dir, grouped(o.Step), a.self, shellQuote(dir))
		return nil
	}
	fmt.Fprintf(a.out, "%s: %s steps, %.1f epochs in %s (%.0f %ss/s)\n", dir, grouped(o.Step), o.Epoch, duration(sum.Elapsed), o.ImagesPerSecond, j.unit())
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "split\ttop-1 error\ttop-5 error\tloss\t")
	for _, row := range []struct {
		name string
		s    *splitOutcome
	}{{"train", o.Train}, {"validation", o.Validation}, {"test", o.Test}} {
		if row.s == nil {
			continue
		}
		top5 := ""
		if row.s.Top5Error != nil {
			top5 = fmt.Sprintf("%.2f%%", *row.s.Top5Error)
		}
		fmt.Fprintf(tw, "%s\t%.2f%%\t%s\t%.4f\t\n", row.name, row.s.Top1Error, top5, row.s.Loss)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "Next: %s eval %s\n", a.self, shellQuote(dir))
	return err
}

// parseBytes reads 8GB, 500MB, 1.5GiB or a number of bytes.
func parseBytes(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	text, unit := strings.ToUpper(strings.TrimSpace(s)), 1.0
	for _, u := range []struct {
		suffix string
		size   float64
	}{{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(text, u.suffix); ok {
			text, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0) || n*unit > 1<<62 {
		return 0, fmt.Errorf("%q is no size such as 8GB", s)
	}
	return int64(n * unit), nil
}
