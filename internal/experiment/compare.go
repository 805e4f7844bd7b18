package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval/report"
	"resnet/internal/input"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
	"resnet/internal/train/compare"
)

// Kinds of comparisons.
const (
	PlainVsResidual = "plain-vs-residual" // plain and residual networks of several depths
	ByDepth         = "depth"             // residual networks of several depths
)

// CompareOptions say which networks a comparison trains, and how.
type CompareOptions struct {
	Kind     string
	Config   config.Input // of all runs but for what the comparison chooses
	Out      string       // folder of the runs and the report
	Depths   []int
	Seeds    []uint64 // a run of each network for each
	Threads  int      // in all; 0 means all cores
	Parallel int      // runs that train at the same time, sharing the threads
}

// Comparison is a set of trainings, each in a folder of its own within Out.
type Comparison struct {
	CompareOptions
	Runs []*ComparedRun

	env    *Environment
	speech bool // depths mean nothing
}

// ComparedRun is a training of a comparison and how far it is.
type ComparedRun struct {
	compare.Net
	*Experiment
	Dir  string
	Step int // of the newest complete checkpoint
	Done bool
	// Diverged says why the run has no end, from its record; "" where it has not diverged.
	Diverged string
	// Incomplete says which record of the run could not be written, or is nil.
	Incomplete error
}

// divergedFile records in a run folder that its loss did not stay finite, so that the next start
// does not train it again.
const divergedFile = "diverged.txt"

// NewComparison plans a comparison and makes its experiments ready, so that all mistakes show
// before any work. Nothing is written.
func NewComparison(ctx context.Context, env *Environment, o CompareOptions) (*Comparison, error) {
	c := &Comparison{CompareOptions: o, env: env}
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	nets, err := c.plan()
	if err != nil {
		return nil, err
	}
	open := NewDataSets()
	for _, n := range nets {
		r, err := c.newRun(ctx, n, open)
		if err != nil {
			return nil, err
		}
		c.Runs = append(c.Runs, r)
	}
	return c, nil
}

// chosen are the keys of the configuration that a comparison sets itself, and the flag that says
// how.
var chosen = map[string]string{"model.name": "--depths", "model.family": "--depths", "model.depth": "--depths", "model.residual": "", "train.seed": "--seeds"}

// checkSets refuses overrides of what the comparison chooses: they would be lost without a word.
func checkSets(sets []string) error {
	for _, s := range sets {
		key, _, _ := strings.Cut(s, "=")
		flag, ok := chosen[key]
		switch {
		case ok && flag == "":
			return config.Usagef("--set %s: the comparison chooses it", key)
		case ok:
			return config.Usagef("--set %s: the comparison chooses it: use %s", key, flag)
		}
	}
	return nil
}

// plan lists the trainings. On speech the networks are the configuration's row and its plain
// counterpart.
func (c *Comparison) plan() (nets []compare.Net, err error) {
	if err := checkSets(c.Config.Sets); err != nil {
		return nil, err
	}
	l, err := config.Load(c.Config)
	if err != nil {
		return nil, err
	}
	c.speech = datasets.IsSpeech(l.Data.Name)
	switch {
	case c.speech && c.Kind != PlainVsResidual:
		return nil, config.Usagef("compare %s: networks of speech have no depths to compare: `resnet compare plain-vs-residual`, or `compare runs` on trainings of your own", c.Kind)
	case c.speech:
		row := strings.TrimSuffix(l.Model.Name, "-plain")
		nets, err = compare.Rows(row+"-plain", row, c.Seeds)
	case c.Kind == ByDepth:
		nets, err = compare.Depth(c.Depths, c.Seeds)
	default:
		nets, err = compare.PlainVsResidual(c.Depths, c.Seeds)
	}
	if err != nil {
		return nil, &config.UsageError{Err: err}
	}
	return nets, nil
}

// newRun makes the experiment of a run and compares it with what its folder holds.
func (c *Comparison) newRun(ctx context.Context, n compare.Net, open DataSets) (*ComparedRun, error) {
	in := c.Config
	in.Sets = append(append([]string{}, in.Sets...), n.Sets()...)
	l, err := config.Load(in)
	if err != nil {
		return nil, err
	}
	r := &ComparedRun{Net: n, Dir: filepath.Join(c.Out, n.Name())}
	if r.Experiment, err = New(ctx, c.env, l, max(1, c.Threads/c.Parallel), open); err != nil {
		return nil, err
	}
	return r, r.look(ctx)
}

// look compares the run with what its folder holds, and says how far it is.
func (r *ComparedRun) look(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(r.Dir, checkpoint.ConfigFile)); err == nil {
		old, err := LoadRun(r.Dir)
		if err != nil {
			return err
		}
		if err := r.checkFolder(ctx, old); err != nil {
			return err
		}
	}
	view := checkpoint.View(r.Dir, nil)
	if m, err := view.Latest(); err == nil {
		r.Step, r.Done = int(m.Step), m.Final
		if _, err := os.Stat(filepath.Join(r.Dir, report.ReportFile)); err != nil {
			// It was killed between its last checkpoint and its report, which comes now.
			r.Done = false
		}
		if _, state, err := view.Metadata(m); err == nil && train.PendingRows(state) > 0 {
			r.Done = false // it is resumed, and adds them
		}
	}
	if why, err := input.Read(filepath.Join(r.Dir, divergedFile), 1<<16); err == nil {
		r.Diverged = string(why)
	}
	return nil
}

// errEnded ends a training that another process has brought to its end since the plan was made.
var errEnded = errors.New("another process has trained it")

// checkFolder compares the run with what its folder was trained with: a finished run counts as
// well.
func (r *ComparedRun) checkFolder(ctx context.Context, own *config.Loaded) error {
	const remedy = "choose another --out, or move it away"
	with, model, err := newestTrained(r.Dir)
	if err != nil {
		return err
	}
	if _, err := checkConfig(with, &own.Config, &r.Config, Allow{}); err != nil {
		return config.Usagef("%s was trained with another configuration: %s: %w", text.Printable(r.Dir), remedy, err)
	}
	if model == nil {
		return nil
	}
	if err := r.checkData(ctx, with, model, Allow{}); err != nil {
		return fmt.Errorf("%s: %s: %w", text.Printable(r.Dir), remedy, err)
	}
	return nil
}

// Name is the run's folder within the comparison's.
func (r *ComparedRun) Name() string { return r.Net.Name() }

// Command is the command line that makes the comparison, or goes on with it.
func (c *Comparison) Command() string {
	args := []string{"resnet", "compare", c.Kind, "--config", text.ShellQuote(c.Config.File)}
	if !c.speech {
		args = append(args, "--depths", joined(c.Depths, strconv.Itoa))
	}
	args = append(args, "--seeds", joined(c.Seeds, func(s uint64) string { return strconv.FormatUint(s, 10) }))
	for _, s := range c.Config.Sets {
		args = append(args, "--set", text.ShellQuote(s))
	}
	return strings.Join(append(args, "--out", text.ShellQuote(c.Out)), " ")
}

func joined[T any](list []T, write func(T) string) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = write(v)
	}
	return strings.Join(parts, ",")
}

// AllDiverged reports whether no run has an end.
func (c *Comparison) AllDiverged() bool {
	for _, r := range c.Runs {
		if r.Diverged == "" {
			return false
		}
	}
	return true
}

// train trains or continues one run. Divergence is recorded and no error. It fails with
// folderlock.ErrLocked where another process trains the run.
func (c *Comparison) train(ctx context.Context, r *ComparedRun, control *train.Control, w Watcher) error {
	t := &Training{Experiment: r.Experiment, Dir: r.Dir, Control: control, Watcher: w}
	t.enter = func(t *Training) error {
		if err := r.look(ctx); err != nil {
			return err
		}
		if r.Done || r.Diverged != "" {
			return errEnded
		}
		t.Resume = HoldsRun(r.Dir)
		return nil
	}
	sum, err := t.Run(ctx)
	var nonfinite *train.NonFiniteError
	var incomplete *train.IncompleteError
	switch {
	case errors.Is(err, errEnded):
		return nil
	case errors.As(err, &incomplete):
		r.Incomplete = err
	case errors.Is(err, train.ErrStopped):
		c.env.say("Saved step %s of %s.", text.Grouped(sum.State.Step), r.Name())
		return err
	case errors.As(err, &nonfinite):
		r.Diverged = err.Error()
		c.env.say("%s: %v", r.Name(), err)
		return atomicfile.WriteFile(atomicfile.OS, filepath.Join(r.Dir, divergedFile), "compare", []byte(r.Diverged+"\n"))
	case err != nil:
		return fmt.Errorf("%s: %w", r.Name(), err)
	}
	r.Incomplete = errors.Join(r.Incomplete, r.WriteReport(r.Dir, sum))
	return nil
}

// Incomplete is the error of the records that could not be written, or nil. The report of the
// comparison is right without them.
func (c *Comparison) Incomplete() error {
	var all []error
	for _, r := range c.Runs {
		all = append(all, r.Incomplete)
	}
	return errors.Join(all...)
}
