package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval/report"
	"resnet/internal/experiment"
	"resnet/internal/graph"
	"resnet/internal/system"
	"resnet/internal/text"
	"resnet/internal/train"
)

// trainOptions are the flags of train.
type trainOptions struct {
	configFlags
	run, resume string
	either      string // --start-or-resume
	threads     int
	workers     int
	dryRun      bool
	findRate    bool
	gradients   bool
	limits      limitFlags
	allow       experiment.Allow
	json        bool
	live        string
}

// limitFlags are those of the commands that train in a run folder.
type limitFlags struct {
	maxTime   time.Duration
	grace     time.Duration
	maxMemory string
}

func (l *limitFlags) register(f *pflag.FlagSet) {
	f.DurationVar(&l.maxTime, "max-time", 0, "save and end after this long, such as 3h30m")
	f.DurationVar(&l.grace, "grace", 30*time.Second, "how long saving may take after a signal; 0 means any time")
	f.StringVar(&l.maxMemory, "max-memory", "", "refuse a training that needs more, such as 8GB (default what machine, control group and ulimit leave)")
}

// check gives the limit of memory in bytes, 0 where there is none.
func (l *limitFlags) check() (memory int64, err error) {
	if memory, err = text.ParseBytes(l.maxMemory); err != nil {
		return 0, usageErrorf("--max-memory: %w", err)
	}
	if l.maxTime < 0 || l.grace < 0 {
		return 0, usageErrorf("--max-time %v, --grace %v: a time is not negative", l.maxTime, l.grace)
	}
	return memory, nil
}

const trainHelp = `Trains a network and keeps everything in a run folder: the merged configuration, checkpoints,
metrics.csv and the curves.

Configuration, data, lock, free space and memory are checked before any work starts. A run that is
stopped at any moment and resumed gives the same weights and figures, to the bit, as one that never
stopped.

Signals: the first SIGINT (Ctrl-C) or SIGTERM finishes the step and saves; the second ends at once.
SIGUSR1 saves and continues. A closed terminal or pipe changes nothing.`

func newTrainCmd(a *app) *cobra.Command {
	o := &trainOptions{}
	c := &cobra.Command{
		Use: "train", Short: "Train a network, or continue a run",
		Long: trainHelp + exitHelp(help65, help66, help70, help73, help74, help130),
		Example: "  resnet train --config cifar20-short\n  resnet train --config cifar110.yaml --set train.seed=2 --run runs/seed2\n" +
			"  resnet train --resume runs/cifar20-short-1\n  resnet train --config cifar56 --dry-run",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && o.file == "" && o.resume == "" {
				return usageErrorf("resnet train: unexpected argument %q - did you mean --config %s?", args[0], text.ShellQuote(args[0]))
			}
			return exactArgs()(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error { return runTrain(c.Context(), a, o) },
	}
	o.register(c)
	f := c.Flags()
	f.StringVar(&o.run, "run", "", "folder of the new run (default runs/NAME-k)")
	f.StringVar(&o.resume, "resume", "", "continue the run in this folder")
	f.StringVar(&o.either, "start-or-resume", "", "continue the run in this folder, or start it there: the same command for a job that is queued again")
	threadsFlag(f, &o.threads, "threads; the results do not depend on them (default all cores)")
	bounded(f, &o.workers, "workers", 1, 1, maxThreads, "share the micro-batches of an update (train.accumulate) among so many networks, each with a part of the threads; the results do not depend on it")
	precisionFlag(c, &o.precision, precisionOfConfig)
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything and print the plan; write nothing")
	f.BoolVar(&o.findRate, "find-rate", false, "train 100 steps at growing learning rates, print the losses and suggest a rate; write nothing")
	f.BoolVar(&o.gradients, "gradients", false, "print the norm of each layer's gradient before the first step or, with --resume, the next one; write nothing")
	o.limits.register(f)
	f.BoolVar(&o.allow.Config, "allow-config-change", false, "with --resume: let --set, or an edited config.yaml, change what keeps the checkpoint meaningful")
	f.BoolVar(&o.allow.Data, "allow-data-change", false, "with --resume: go on with other images or utterances of the same classes")
	f.BoolVar(&o.json, "json", false, "print the outcome as JSON")
	liveFlag(f, &o.live)
	c.MarkFlagsMutuallyExclusive("run", "resume", "start-or-resume")
	_ = c.MarkFlagDirname("run")
	_ = c.MarkFlagDirname("resume")
	_ = c.MarkFlagDirname("start-or-resume")
	return c
}

func runTrain(ctx context.Context, a *app, o *trainOptions) error {
	if !a.firstRank() {
		o.live = ""
	}
	live, err := listenLive(o.live, o.dryRun || o.findRate || o.gradients)
	if err != nil {
		return err
	}
	defer live.close()
	if err := o.chooseFolder(a); err != nil {
		return err
	}
	control := train.NewControl()
	var w *watcher
	if !o.dryRun { // from here on a signal stops the run in order, also before its first step
		w = a.watchSignals(control, o.limits.grace, os.Exit)
		defer w.stop()
	}
	t, err := o.training(ctx, a)
	if err = a.agree(err); err != nil {
		return err
	}
	t.Control = control
	if o.dryRun {
		return a.dryRun(ctx, t, o)
	}
	if o.findRate || o.gradients {
		measure := a.findRate
		if o.gradients {
			measure = a.gradients
		}
		return w.ended(measure(ctx, t, o.json))
	}
	if !t.Resume {
		if a.firstRank() {
			t.Dir, err = experiment.NewRunDir(o.run, t.RunName())
		}
		if err := a.agree(err); err != nil {
			return err
		}
	}
	return a.runTraining(ctx, t, w, live, o.json)
}

// chooseFolder decides for --start-or-resume what it means, for all ranks as rank 0 finds the
// folder.
func (o *trainOptions) chooseFolder(a *app) error {
	if o.either == "" {
		return nil
	}
	holds := []byte{0}
	if a.firstRank() && experiment.HoldsRun(o.either) {
		holds[0] = 1
	}
	if a.group != nil {
		if err := a.group.Broadcast(holds); err != nil {
			return err
		}
	}
	if holds[0] == 1 {
		o.resume = o.either
	} else {
		o.run = o.either
	}
	return nil
}

// training makes the training ready that the flags ask for.
func (o *trainOptions) training(ctx context.Context, a *app) (*experiment.Training, error) {
	limit, err := o.limits.check()
	if err != nil {
		return nil, err
	}
	if o.findRate && (o.run != "" || o.resume != "" || o.dryRun || o.limits.maxTime > 0) {
		return nil, usageErrorf("--find-rate writes no run: leave out --run, --resume, --dry-run and --max-time")
	}
	if o.gradients && (o.run != "" || o.either != "" || o.dryRun || o.findRate || o.limits.maxTime > 0) {
		return nil, usageErrorf("--gradients trains nothing: leave out --run, --start-or-resume, --dry-run, --find-rate and --max-time")
	}
	if a.group != nil && (o.dryRun || o.findRate || o.gradients) {
		return nil, usageErrorf("--dry-run, --find-rate and --gradients are for one process: leave out the launcher")
	}
	l, err := o.configuration(a)
	if err != nil {
		return nil, err
	}
	x, err := experiment.New(ctx, a.environment(), l, o.threads, experiment.NewDataSets())
	if err != nil {
		return nil, err
	}
	if a.group != nil {
		a.group.SetTimeout(l.Distributed.Patience())
	}
	if err := x.Divide(a.ranks(), o.workers); err != nil {
		return nil, err
	}
	a.sayNotes(x)
	return &experiment.Training{Experiment: x, Dir: o.resume, Resume: o.resume != "", Allow: o.allow, MaxTime: o.limits.maxTime, Memory: limit}, nil
}

// sayNotes says what is to be known of data and configuration.
func (a *app) sayNotes(x *experiment.Experiment) {
	for _, note := range append(x.Notes(), x.Loaded.Notes...) {
		a.say("note: %s", text.Printable(note))
	}
}

// runTraining trains in a run folder to the end or to a signal, writes what a run leaves besides
// its checkpoints, and prints the outcome.
func (a *app) runTraining(ctx context.Context, t *experiment.Training, w *watcher, live *liveListener, asJSON bool) error {
	x := t.Experiment
	hello := fmt.Sprintf("Training %s on %s in %s: %s, %s kernels%s", x.Spec.Name, x.Data.Name, text.Printable(t.Dir), x.Summary(), experiment.Kernels(x.Precision()), lower(x.Precision()))
	if a.group != nil {
		hello += "; " + a.describeRanks()
	}
	t.Watcher = newProgress(a, x, x.Spec.Name, hello, true)
	end := live.serve(a, t)
	defer end()
	sum, err := t.Run(ctx)
	if !t.Resume && a.firstRank() {
		experiment.RemoveUnused(t.Dir)
	}
	w.saved()
	if !a.firstRank() {
		return a.finishRun(t.Dir, sum, err, w)
	}
	var late error
	if sum.State.Step > 0 { // else nothing was trained: the folder may be another process's
		// A signal that comes now leaves out what is measured for the page.
		late = lateError(err, experiment.WriteReport(t.Control.Context(ctx), a.environment(), t.Dir, t.Threads))
	}
	if err := a.finishRun(t.Dir, sum, err, w); err != nil {
		if late != nil {
			a.say("warning: %s", text.PrintableLines(late.Error()))
		}
		return err
	}
	if err := a.printOutcome(t, sum, asJSON); err != nil {
		return err
	}
	return late
}

// lateError is what a training that is done and saved could not write besides: it is said last.
func lateError(run, report error) error {
	var incomplete *train.IncompleteError
	if errors.As(run, &incomplete) {
		return errors.Join(run, report)
	}
	return report
}

// configuration loads what --config says or, when a run is resumed, what it was started with; a
// changed value is refused unless it cannot matter.
func (o *trainOptions) configuration(a *app) (*config.Loaded, error) {
	if o.resume == "" {
		if o.file == "" {
			return nil, usageErrorf("resnet train: --config is missing: a preset (`resnet config list`) or a file; or --resume a run")
		}
		return config.Load(o.input(a))
	}
	l, changes, err := experiment.Continue(o.resume, o.input(a), o.allow)
	for _, c := range changes {
		if c.Safety != train.Always {
			a.say("changed: %s", text.Printable(c.String()))
		}
	}
	return l, err
}

// dryRun checks what a training would, and prints what it would do. The time is that of real steps
// and of an evaluation on this machine.
func (a *app) dryRun(ctx context.Context, t *experiment.Training, o *trainOptions) error {
	if !t.Resume {
		if t.Dir = o.run; t.Dir == "" {
			t.Dir = "runs"
		} else if err := experiment.CheckNewRun(t.Dir); err != nil {
			return err
		}
	}
	e, err := t.Estimate(ctx)
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(e)
	}
	if err := a.printEstimate(e, t.Unit(), t.StepSize()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, "\nNothing was written.")
	return err
}

// printEstimate shows a plan. unit is what is counted, stepSize how large an update is.
func (a *app) printEstimate(e experiment.Estimate, unit, stepSize string) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, line := range e.Describe() {
		fmt.Fprintf(tw, "%s\t%s\n", line[0], text.Printable(line[1]))
	}
	for _, note := range e.Notes {
		fmt.Fprintf(tw, "start\t%s\n", note)
	}
	fmt.Fprintf(tw, "steps\t%s of %s, %.1f epochs\n", text.Grouped(e.Steps), stepSize, e.Epochs)
	fmt.Fprintf(tw, "memory\tabout %s: %s training, %s evaluation, %s parameters, %s data", text.Bytes(e.MemoryBytes),
		text.Bytes(e.Memory.Training), text.Bytes(e.Memory.Evaluation), text.Bytes(e.Memory.Parameters), text.Bytes(e.Memory.Data))
	if e.PeakRSSBytes > 0 {
		fmt.Fprintf(tw, "; this dry run, with the program itself, took %s", text.Bytes(e.PeakRSSBytes))
	}
	fmt.Fprintln(tw)
	fmt.Fprintf(tw, "checkpoint\t%s each\n", text.Bytes(e.CheckpointBytes))
	threads := text.Count(e.Threads, "thread")
	if e.Workers > 1 {
		threads += " in " + text.Count(e.Workers, "worker")
	}
	fmt.Fprintf(tw, "speed\t%.1f ms a step, %.0f %ss/s (%s, %s kernels%s)\n", 1000*e.SecondsPerStep, e.ImagesPerSecond, unit, threads, e.Kernels, lower(e.Precision))
	if e.SuggestedWorkers > e.Workers {
		fmt.Fprintf(tw, "\t--workers %d may be faster: a micro-batch keeps few threads busy\n", e.SuggestedWorkers)
	}
	if e.FeaturesBytes > 0 {
		fmt.Fprintf(tw, "features\t%s, computed once, in about %s\n", text.Bytes(e.FeaturesBytes), inSeconds(e.FeaturesSeconds))
	}
	fmt.Fprintf(tw, "time\tabout %s with %s of %s; an epoch %s\n", inSeconds(e.SecondsTotal), text.Count(e.Evaluations, "evaluation"), inSeconds(e.SecondsPerEvaluation),
		inSeconds(e.SecondsPerEpoch()))
	return tw.Flush()
}

// inSeconds writes a number of seconds as a duration.
func inSeconds(s float64) string { return text.Duration(text.Seconds(s)) }

// finishRun says how a training ended, and turns its error into that of the command. One that only
// lacks a record has none.
func (a *app) finishRun(dir string, sum train.Summary, err error, w *watcher) error {
	next := fmt.Sprintf("Saved step %s. Continue: %s train --resume %s", text.Grouped(sum.State.Step), a.self, text.ShellQuote(dir))
	switch {
	case errors.Is(err, train.ErrStopped):
		a.say("%s", next)
		return &silentError{&stoppedError{w.status()}}
	case errors.Is(err, train.ErrMaxTime):
		a.say("The time allowed has passed. %s", next)
		return nil
	case errors.As(err, new(*train.IncompleteError)):
		return nil
	}
	return err
}

// outcome is `train --json`.
type outcome struct {
	Run             string          `json:"run"`
	Model           string          `json:"model"`
	Step            int             `json:"step"`
	Epoch           float64         `json:"epoch"`
	Finished        bool            `json:"finished"`
	AlreadyFinished bool            `json:"already_finished"`
	Seconds         float64         `json:"seconds"`
	ImagesPerSecond float64         `json:"images_per_second"`
	Precision       graph.Precision `json:"precision"`
	// Of this process, all that it holds; 0 where the system does not say.
	PeakRSSBytes int64         `json:"peak_rss_bytes"`
	Train        *splitOutcome `json:"train"`
	Validation   *splitOutcome `json:"validation"`
	Test         *splitOutcome `json:"test"`
}

type splitOutcome struct {
	Top1Error float64 `json:"top1_error"`
	// Null for the training error, which is counted while the model changes, and for fewer than
	// five classes.
	Top5Error *float64 `json:"top5_error"`
	Loss      float64  `json:"loss"`
}

func newSplitOutcome(m *train.Metrics) *splitOutcome {
	if m == nil {
		return nil
	}
	return &splitOutcome{Top1Error: m.Error, Top5Error: m.Top5Error, Loss: m.Loss}
}

func (a *app) printOutcome(t *experiment.Training, sum train.Summary, asJSON bool) error {
	dir := text.Printable(t.Dir)
	o := outcome{
		Run: t.Dir, Model: t.Spec.Name, Step: sum.State.Step, Epoch: t.Plan.Epoch(sum.State.Step), Finished: sum.State.Finished,
		AlreadyFinished: sum.AlreadyFinished, Seconds: sum.Elapsed.Seconds(), ImagesPerSecond: sum.ImagesPerSecond, Precision: t.Precision(), PeakRSSBytes: system.PeakRSS(),
	}
	if r := sum.Last; r != nil {
		o.Train, o.Validation, o.Test = newSplitOutcome(r.Train), newSplitOutcome(r.Val), newSplitOutcome(r.Test)
	}
	if asJSON {
		return a.printJSON(o)
	}
	if o.AlreadyFinished {
		_, err := fmt.Fprintf(a.out, "%s has finished: %s steps are done.%s\n", dir, text.Grouped(o.Step), a.nextEval(t, " Next: "))
		return err
	}
	memory := ""
	if o.PeakRSSBytes > 0 {
		memory = ", peak memory " + text.Bytes(o.PeakRSSBytes)
	}
	fmt.Fprintf(a.out, "%s: %s steps, %.1f epochs in %s (%.0f %ss/s%s%s)\n", dir, text.Grouped(o.Step), o.Epoch, text.Duration(sum.Elapsed), o.ImagesPerSecond, t.Unit(), lower(o.Precision), memory)
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
	if next := a.nextEval(t, "Next: "); next != "" {
		if _, err := fmt.Fprintln(a.out, next); err != nil {
			return err
		}
	}
	return a.printUse(t, sum)
}

// printUse says how the classifier of a fine-tuning is used, and what there is to look at.
func (a *app) printUse(t *experiment.Training, sum train.Summary) error {
	if t.Model.Weights != "" && datasets.AnySize(t.Data.Name) {
		dir := text.ShellQuote(t.Dir)
		for _, next := range []string{"predict " + dir + " IMAGE...", "serve " + dir, "explain " + dir + " IMAGE... --out explained.png"} {
			fmt.Fprintf(a.out, "      %s %s\n", a.self, next)
		}
	}
	if best := sum.State.Best; best != nil && best.Step != sum.State.Step {
		fmt.Fprintf(a.out, "Used:  the checkpoint of step %s, whose validation error was the lowest, %.2f%%\n", text.Grouped(best.Step), best.ValError)
	}
	var files []string
	for _, name := range []string{report.ReportFile, datasets.SplitFile} {
		if path := filepath.Join(t.Dir, name); isFile(path) {
			files = append(files, text.Printable(path))
		}
	}
	if files == nil {
		return nil
	}
	_, err := fmt.Fprintf(a.out, "Files: %s\n", strings.Join(files, ", "))
	return err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// nextEval suggests to measure a run, on the validation split where it has no test images; "" where
// it has neither.
func (a *app) nextEval(t *experiment.Training, before string) string {
	split, ok := t.EvalSplit()
	if !ok {
		return ""
	}
	next := before + a.self + " eval " + text.ShellQuote(t.Dir)
	if split != datasets.Test {
		next += " --split " + string(split)
	}
	return next
}
