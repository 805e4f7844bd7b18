package experiment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/system"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// Training is an experiment in a run folder.
type Training struct {
	*Experiment
	Dir     string
	Resume  bool // the folder holds a run, which goes on
	Allow   Allow
	MaxTime time.Duration
	Memory  int64 // bytes that it may take; 0 means what the tightest limit of the system leaves
	Control *train.Control
	Watcher Watcher

	// keep, if set, writes what else belongs to the records of a new run.
	keep func() error
	disk atomicfile.FS // that is asked for room; nil means the system's
	// enter, if set, looks at the folder when it is locked, and sets Resume; its error ends the
	// training.
	enter func(t *Training) error
}

// Watcher is told the course of a training. All but Line are called on the training's goroutine.
type Watcher interface {
	// Begin says that everything is checked and made: the first step comes. It is not called for a
	// run that has finished already.
	Begin()
	Step(train.Progress)
	Eval(train.Row, train.Progress)
	Message(train.Message)
	// Line is told remarks; it is called from any goroutine.
	Line(line string)
	End()
}

// ready is what a training needs before its first step.
type ready struct {
	params    *graph.ParamSet
	trainer   trainer
	more      []replica // of the other workers
	evaluator evaluator
	resume    *train.Resume // nil at the start of a run
	meta      weights.Meta
	trained   string   // what the checkpoints keep of it
	notes     []string // of what the parameters start from
}

func (r *ready) close() {
	for _, m := range r.more {
		m.trainer.close()
	}
	if r.trainer != nil {
		r.trainer.close()
	}
	if r.evaluator != nil {
		r.evaluator.close()
	}
}

// prepare makes and checks all that a training needs. It writes nothing, so that a dry run can do
// the same.
func (t *Training) prepare(ctx context.Context, store *checkpoint.Store) (*ready, error) {
	r := &ready{params: graph.NewParamSet(t.Train.Seed)}
	if err := t.fill(ctx, r, store); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (t *Training) fill(ctx context.Context, r *ready, store *checkpoint.Store) (err error) {
	if err := t.CheckLeastMemory(t.Memory); err != nil {
		return err
	}
	if r.trainer, err = t.data.trainer(r.params, t.deviceOf(0)); err != nil {
		return t.memory.refuse(err, t.trainBatch(0))
	}
	if err := t.addReplicas(r); err != nil {
		return err
	}
	if r.evaluator, err = t.data.evaluator(r.params); err != nil {
		return t.memory.refuse(err, t.evalBatch(0))
	}
	all, _, _ := t.values(r.params)
	if err := t.memory.check(append(t.data.needs(r.trainer, r.evaluator), t.parameters(all), t.replicaNeed(r))...); err != nil {
		return err
	}
	disk := t.disk
	if disk == nil {
		disk = atomicfile.OS
	}
	first := t.Ranks.Rank() == 0 // the others are given what it reads
	if first {
		if err := t.checkSpace(disk, t.Dir, r.params); err != nil {
			return err
		}
	}
	if t.Resume && first {
		if r.resume, err = t.loadCheckpoint(ctx, store, r.params); err != nil {
			return err
		}
	}
	if err := t.Train.Optimizer.CheckFrozen(r.params); err != nil {
		return t.Located(err)
	}
	if r.resume == nil && t.Model.ZeroInit {
		blocks.ZeroResidual(t.Spec, r.params)
	}
	if r.resume == nil && t.Model.Weights != "" && first {
		if r.notes, err = t.startFrom(r.params); err != nil {
			return err
		}
	}
	r.notes = append(r.notes, t.notesOfRecipe()...)
	if r.meta, err = t.meta(); err != nil {
		return err
	}
	with, err := t.trained(ctx)
	if err != nil {
		return err
	}
	r.trained, err = with.encode()
	return err
}

// Estimate does everything that Run does before the first step, writes nothing, and says what the
// training would take.
func (t *Training) Estimate(ctx context.Context) (Estimate, error) {
	r, err := t.prepare(ctx, checkpoint.View(t.Dir, nil))
	if err != nil {
		return Estimate{}, err
	}
	defer r.close()
	return t.estimate(ctx, r)
}

// Run trains to the end, or until the control or the time says stop. The folder is locked
// meanwhile. What it returns besides an error is valid after a stop as well.
func (t *Training) Run(ctx context.Context) (train.Summary, error) {
	if err := t.compareRanks(ctx); err != nil {
		return train.Summary{}, err
	}
	if t.Ranks.Rank() > 0 {
		return t.follow(ctx)
	}
	store, err := checkpoint.Open(t.Dir, checkpoint.Options{Keep: t.Train.Checkpoint.Keep, Producer: "resnet " + t.env.Version})
	if err != nil {
		return train.Summary{}, t.Ranks.Agree(err)
	}
	sum, err := t.runLocked(ctx, store)
	if closeErr := store.Close(); err == nil && closeErr != nil {
		t.env.say("warning: %v", closeErr)
	}
	return sum, err
}

func (t *Training) runLocked(ctx context.Context, store *checkpoint.Store) (train.Summary, error) {
	r, err := t.prepareLocked(ctx, store)
	if err = t.prepared(r, err); err != nil {
		return train.Summary{}, err
	}
	defer r.close()
	for _, note := range r.notes {
		t.env.say("%s", note)
	}
	finished := r.resume != nil && r.resume.State.Done(t.Plan)
	if !finished { // a finished run keeps the records of what made it
		if err := t.writeRecords(); err != nil {
			return train.Summary{}, err
		}
		t.Watcher.Begin()
	}
	defer t.Watcher.End()
	o := t.options(r, t.warnSkipped)
	o.Store = &train.RunStore{
		Checkpoints: store, Meta: r.meta, ConfigDigest: digest(&t.Config), Trained: r.trained,
		BatchesPerEpoch: t.Plan.BatchesPerEpoch, Warn: func(line string) { t.Watcher.Line("warning: " + line) },
	}
	o.Dir = t.Dir
	o.Hooks = train.Hooks{OnStep: t.Watcher.Step, OnMessage: t.Watcher.Message, OnEval: t.Watcher.Eval}
	sum, err := train.Run(ctx, o)
	if sum.AlreadyFinished { // the checkpoint knows what was measured
		sum.Last = t.lastRow(sum.State, r.resume.Evaluation)
	}
	return sum, err
}

// prepareLocked is prepare in the folder of the run, which is locked.
func (t *Training) prepareLocked(ctx context.Context, store *checkpoint.Store) (*ready, error) {
	for _, note := range store.Notes {
		t.env.say("%s", note)
	}
	// Another process may have had the folder since it was looked at.
	if t.enter != nil {
		if err := t.enter(t); err != nil {
			return nil, err
		}
	} else if !t.Resume {
		if err := CheckNewRun(t.Dir); err != nil {
			return nil, err
		}
	}
	t.featuresDir = filepath.Join(t.Dir, FeaturesDir)
	if t.Watcher != nil {
		t.line = t.Watcher.Line
	}
	return t.prepare(ctx, store)
}

// warnSkipped says that a sample is left out. Loaders call it on their goroutines.
func (t *Training) warnSkipped(id string, err error) {
	t.env.say("warning: %s is left out: %v", text.Printable(id), err)
}

// options are what the training loop needs, on any rank. skipped is told of samples that are left
// out; it may be nil.
func (t *Training) options(r *ready, skipped func(id string, err error)) train.Options {
	return train.Options{
		Plan: t.Plan, MachineFor: r.trainer.machine, Params: r.params, Threads: t.Threads, Replicas: r.replicas(), Ranks: t.Ranks,
		Loader: func(_ context.Context, epoch, batch int, share datasets.Share) (train.Loader, error) {
			return t.data.loader(epoch, batch, share, skipped)
		},
		Evaluate: r.evaluator.evaluate, BeforeBatch: r.trainer.beforeBatch, Targets: r.trainer.targets(),
		Resume: r.resume, MaxTime: t.MaxTime, Control: t.Control,
	}
}

// loadCheckpoint takes up the newest checkpoint that can be used, or nil where there is none yet.
// It refuses one that was trained with something else.
func (t *Training) loadCheckpoint(ctx context.Context, store *checkpoint.Store, params *graph.ParamSet) (*train.Resume, error) {
	c, warnings, err := store.LoadLatest()
	if errors.Is(err, checkpoint.ErrNotFound) {
		t.env.say("%s: no checkpoint yet: starting over", text.Printable(t.Dir))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		t.env.say("warning: %s", w)
	}
	with, err := decodeTrained(c.State.Meta[train.TrainedKey])
	if err != nil {
		return nil, fmt.Errorf("%s: checkpoint of step %d: %w", t.Dir, c.Manifest.Step, err)
	}
	if with == nil {
		t.env.say("%s", unrecorded(t.Dir, c.Manifest.Step))
	}
	if _, err := checkConfig(with, &t.Config, &t.Config, t.Allow); err != nil {
		return nil, err
	}
	if err := t.checkData(ctx, with, c.Model.Meta, t.Allow); err != nil {
		return nil, err
	}
	r, err := train.LoadResume(c, params)
	if err == nil {
		t.sayRate(with, r.State)
	}
	return r, err
}

// sayRate says where the learning rate jumps because the schedule is another than the one that the
// checkpoint was trained with: a cosine for more epochs begins anew from a higher rate.
func (t *Training) sayRate(with *trained, st train.State) {
	if with == nil || st.Step == 0 {
		return
	}
	var sets, changed []string
	now := train.Recorded(values(&t.Config))
	for _, key := range slices.Sorted(maps.Keys(with.Config)) {
		if !strings.HasPrefix(key, "train.") {
			continue
		}
		if sets = append(sets, key+"="+with.Config[key]); now[key] != with.Config[key] {
			changed = append(changed, fmt.Sprintf("%s %s -> %s", key, with.Config[key], now[key]))
		}
	}
	if changed == nil {
		return
	}
	old, err := config.Load(config.Input{Sets: sets})
	if err != nil {
		return // of a version that had other keys
	}
	n, _, _ := t.data.sizes()
	plan, err := train.NewPlan(old.Train, t.Eval, n)
	if err != nil {
		return
	}
	was, after := train.NewScheduler(plan), train.NewScheduler(t.Plan).Rate(st.Step, st.Schedule)
	if before := was.Rate(st.Step, st.Schedule); math.Abs(after-before) <= 0.01*before {
		return
	}
	before := was.Rate(st.Step-1, st.Schedule) // of the last update
	t.env.say("note: the learning rate jumps from %.4g to %.4g at step %s, because the schedule is another now (%s)",
		before, after, text.Grouped(st.Step), text.Printable(strings.Join(changed, ", ")))
}

// writeRecords writes config.yaml and env.json.
func (t *Training) writeRecords() error {
	if t.keep != nil {
		if err := t.keep(); err != nil {
			return err
		}
	}
	written := t.Config
	if dir, err := filepath.Abs(t.Dir); err == nil && filepath.Dir(written.Data.Split) == dir {
		written.Data.Split = filepath.Base(written.Data.Split) // so that the folder may be moved
	}
	if err := checkpoint.WriteConfig(atomicfile.OS, t.Dir, config.Encode(&written, nil)); err != nil {
		return err
	}
	return checkpoint.WriteEnv(atomicfile.OS, t.Dir, checkpoint.Env{
		Version: t.env.Version, CPU: system.Read().CPU, Threads: t.Threads, Seed: t.Train.Seed, Command: t.env.Command,
		Kernels: map[string]string{"all": Kernels(t.Precision())}, Precision: t.Precision().String(), Samples: t.samples(), Data: t.data.identity(),
	})
}

// NewRunDir makes the folder of a new run: dir, which must not hold a run yet, or the first free
// runs/NAME-k.
func NewRunDir(dir, name string) (string, error) {
	if dir != "" {
		if err := CheckNewRun(dir); err != nil {
			return "", err
		}
		if err := atomicfile.OS.MkdirAll(dir, atomicfile.DirPerm); err != nil {
			return "", &IOError{err}
		}
		return dir, nil
	}
	if err := atomicfile.OS.MkdirAll("runs", atomicfile.DirPerm); err != nil {
		return "", &IOError{err}
	}
	return firstFree(func(k int) string { return filepath.Join("runs", fmt.Sprintf("%s-%d", name, k)) })
}

// CheckNewRun refuses a folder that holds a run already.
func CheckNewRun(dir string) error {
	if HoldsRun(dir) {
		return config.Usagef("%s holds a run already: `resnet train --resume %s` continues it, and another --run starts a new one",
			text.Printable(dir), text.ShellQuote(dir))
	}
	return nil
}

// firstFree makes the first folder of a series that is not there.
func firstFree(name func(k int) string) (string, error) {
	for k := 1; ; k++ {
		dir := name(k)
		err := os.Mkdir(dir, 0o755) // fails on a folder that another process has just made
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, os.ErrExist) {
			return "", &IOError{err}
		}
	}
}

// RemoveUnused removes the folder of a new run in which nothing was written, so that a mistake
// leaves nothing behind. A folder that another process is using stays, and so do those that hold
// anything: os.Remove fails on them.
func RemoveUnused(dir string) {
	if HoldsRun(dir) {
		return
	}
	lock, err := checkpoint.AcquireLock(dir)
	if err != nil {
		return
	}
	if !HoldsRun(dir) {
		_ = os.Remove(filepath.Join(dir, "checkpoints"))
	}
	_ = lock.Release() // a lock without a holder is free
	_ = os.Remove(dir)
}

// HoldsRun reports whether a folder has a run's configuration or anything of a checkpoint. A folder
// whose training was killed before it wrote either is free.
func HoldsRun(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, checkpoint.ConfigFile)); err == nil {
		return true
	}
	saved, err := os.ReadDir(filepath.Join(dir, "checkpoints"))
	return len(saved) > 0 || err != nil && !errors.Is(err, os.ErrNotExist)
}

// LoadRun reads the configuration of a run folder.
func LoadRun(dir string) (*config.Loaded, error) {
	path := filepath.Join(dir, checkpoint.ConfigFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, missingf("%s: no run folder: %s is not there", text.Printable(dir), checkpoint.ConfigFile)
	}
	return loadRun(dir, config.Input{File: path, Before: before})
}

// loadRun loads what a run folder goes on with. Paths in it that are relative, as writeRecords
// leaves those of the folder's own files, begin there.
func loadRun(dir string, in config.Input) (*config.Loaded, error) {
	l, err := config.Load(in)
	if err != nil {
		return nil, err
	}
	l.Run = dir
	if split := &l.Data.Split; *split != "" && filepath.IsLocal(*split) && l.Overridden("data.split") == "" {
		*split = filepath.Join(dir, *split)
	}
	return l, nil
}

// before is what keys meant before they were there, for the configurations of runs of former
// versions.
var before = []string{"data.orientation=" + datasets.OrientStored, "data.validation_draw=" + datasets.DrawUniform}

// Continue is the configuration with which a run goes on: the run's own with overrides over it, or
// that of another file. A value that keeps the checkpoint meaningful may not change unless it is
// allowed; changes are what does. The run's own values are those that its newest checkpoint
// recorded, whatever has been written into config.yaml since.
func Continue(dir string, in config.Input, allow Allow) (l *config.Loaded, changes []train.Change, err error) {
	old, err := LoadRun(dir)
	if err != nil {
		return nil, nil, err
	}
	if in.File == "" {
		in.File = filepath.Join(dir, checkpoint.ConfigFile)
	}
	// Another file that leaves them out means the run's.
	in.Before = []string{"data.orientation=" + old.Data.Orientation, "data.validation_draw=" + old.Data.Draw}
	if l, err = loadRun(dir, in); err != nil {
		return nil, nil, err
	}
	with, _, err := newestTrained(dir)
	if err != nil {
		return nil, nil, err
	}
	if changes, err = checkConfig(with, &old.Config, &l.Config, allow); err != nil {
		return nil, nil, err
	}
	l.Name = filepath.Base(filepath.Clean(dir))
	return l, changes, nil
}
