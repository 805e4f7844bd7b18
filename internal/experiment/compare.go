package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
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
	Sweep           = "sweep"             // one network under several configurations
)

// CompareOptions say which networks a comparison trains, and how.
type CompareOptions struct {
	Kind     string
	Config   config.Input // of all runs but for what the comparison chooses
	Out      string       // folder of the runs and the report
	Depths   []int        // nil means those of the demonstration or, of ImageNet, of the paper
	Vary     []string     // of a sweep, each KEY=VALUE,VALUE
	Seeds    []uint64     // a run of each network for each
	Threads  int          // in all; 0 means all cores
	Parallel int          // runs that train at the same time, sharing the threads
	Short    float64      // of a reproduction: divides schedules; 0: not, ShortAuto: what fits
}

// Comparison is a set of trainings, each in a folder of its own within Out.
type Comparison struct {
	CompareOptions
	Runs []*ComparedRun

	env    *Environment
	family string         // of the networks; depths mean nothing for speech
	study  *compare.Study // of a reproduction; nil of other comparisons
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

	full int      // iterations of the paper's
	own  []string // what takes the place of its schedule: see config.Loaded.Overridden
}

// divergedFile records in a run folder that its loss did not stay finite, so that the next start
// does not train it again.
const divergedFile = "diverged.txt"

// NewComparison plans a comparison and makes its experiments ready, so that all mistakes show
// before any work. Nothing is written.
func NewComparison(ctx context.Context, env *Environment, o CompareOptions) (*Comparison, error) {
	c := &Comparison{CompareOptions: o, env: env}
	nets, err := c.plan()
	if err != nil {
		return nil, err
	}
	return c, c.makeRuns(ctx, nets)
}

// makeRuns makes the experiments of a plan ready.
func (c *Comparison) makeRuns(ctx context.Context, nets []compare.Net) error {
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	open := NewDataSets()
	for _, n := range nets {
		r, err := c.newRun(ctx, n, open)
		if err != nil {
			return err
		}
		c.Runs = append(c.Runs, r)
	}
	return nil
}

// chosen are the keys of the configuration that a comparison of networks sets itself, and the flag
// that says how.
var chosen = map[string]string{"model.name": "--depths", "model.family": "--depths", "model.depth": "--depths", "model.residual": "", "train.seed": "--seeds"}

// checkSets refuses overrides that would be lost without a word: of what the comparison chooses,
// and of keys that change nothing in its experiments.
func (c *Comparison) checkSets(l *config.Loaded) error {
	for _, s := range c.Config.Sets {
		key, _, _ := strings.Cut(s, "=")
		key = strings.TrimSpace(key)
		flag, ok := chosen[key]
		if c.Kind == Sweep {
			flag, ok = "--seeds", key == "train.seed"
			if slices.ContainsFunc(c.Vary, func(v string) bool { return strings.HasPrefix(v, key+"=") }) {
				flag, ok = "--vary", true
			}
		}
		switch {
		case ok && c.study != nil:
			return config.Usagef("--set %s: the paper chooses it", key)
		case ok && flag == "":
			return config.Usagef("--set %s: the comparison chooses it", key)
		case ok:
			return config.Usagef("--set %s: the comparison chooses it: use %s", key, flag)
		}
		if why := l.Idle(key); why != "" {
			return config.Usagef("--set %s: it has no effect here: %s", s, why)
		}
	}
	return nil
}

// defaultDepths are those of a comparison that is not told: the talk's of residual networks, the
// paper's of ImageNet, and of the embedded images those at which both halves of the story show.
var defaultDepths = map[string]map[string][]int{
	PlainVsResidual: {blocks.FamilyCIFAR: {8, 20}, blocks.FamilyImageNet: {18, 34}},
	ByDepth:         {blocks.FamilyCIFAR: {110, 1202}, blocks.FamilyImageNet: {18, 34}},
}

// DefaultDepths is what a comparison of a kind takes when it is not told, for people.
func DefaultDepths(kind string) string {
	d := defaultDepths[kind]
	return fmt.Sprintf("%s; of ImageNet %s", joined(d[blocks.FamilyCIFAR], strconv.Itoa), joined(d[blocks.FamilyImageNet], strconv.Itoa))
}

// plan lists the trainings.
func (c *Comparison) plan() ([]compare.Net, error) {
	l, err := config.Load(c.Config)
	if err != nil {
		return nil, err
	}
	if err := c.checkSets(l); err != nil {
		return nil, err
	}
	nets, err := c.nets(l)
	if err != nil {
		return nil, &config.UsageError{Err: err}
	}
	return nets, nil
}

// nets are the trainings by the configuration's own network: of speech its row and the plain
// counterpart, of ImageNet rows of the table with its shortcut option, otherwise the CIFAR family.
func (c *Comparison) nets(l *config.Loaded) ([]compare.Net, error) {
	if c.Kind == Sweep {
		return compare.Sweep(c.Vary, c.Seeds)
	}
	if datasets.IsSpeech(l.Data.Name) {
		c.family = blocks.FamilySpeech
		if c.Kind != PlainVsResidual {
			return nil, fmt.Errorf("compare %s: networks of speech have no depths to compare: `resnet compare plain-vs-residual`, or `compare runs` on trainings of your own", c.Kind)
		}
		if c.Depths != nil {
			return nil, errors.New("--depths: it has no effect here: networks of speech have no depths to compare")
		}
		row := strings.TrimSuffix(l.Model.Name, "-plain")
		return compare.Pairs([][2]string{{row + "-plain", row}}, c.Seeds)
	}
	c.family = blocks.FamilyCIFAR
	if s, err := blocks.Lookup(l.Model.Name); err == nil && s.Family == blocks.FamilyImageNet {
		c.family = blocks.FamilyImageNet
	}
	if c.Depths == nil {
		c.Depths = defaultDepths[c.Kind][c.family]
	}
	switch {
	case c.family == blocks.FamilyImageNet:
		return c.imageNetRows(l.Model.Name)
	case c.Kind == ByDepth:
		return compare.Depth(c.Depths, c.Seeds)
	}
	return compare.PlainVsResidual(c.Depths, c.Seeds)
}

// imageNetRows are the rows of the table with the depths asked for and the shortcut option of the
// configuration's row: resnet34a stands for resnet18a and resnet34a. A plain network stands for
// option A, beside which the paper has it.
func (c *Comparison) imageNetRows(row string) ([]compare.Net, error) {
	// "a-elu": of a variation, both kinds are of it.
	option := strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(row, "plain"), "resnet"), "0123456789")
	_, varied, _ := strings.Cut(option, "-")
	if varied != "" {
		varied = "-" + varied
	}
	if strings.HasPrefix(row, "plain") {
		option = "a" + varied
	}
	depths := slices.Clone(c.Depths)
	slices.Sort(depths)
	var pairs [][2]string
	for i, d := range depths {
		pair := [2]string{fmt.Sprintf("plain%d%s", d, varied), fmt.Sprintf("resnet%d%s", d, option)}
		need := pair[:]
		if c.Kind == ByDepth {
			need = pair[1:]
		}
		for _, name := range need {
			if s, err := blocks.Lookup(name); err != nil || s.Family != blocks.FamilyImageNet {
				return nil, fmt.Errorf("--depths %d: there is no row %s for ImageNet (`resnet models list`)", d, name)
			}
		}
		if i > 0 && d == depths[i-1] {
			return nil, fmt.Errorf("depth %d is given twice", d)
		}
		pairs = append(pairs, pair)
	}
	nets, err := compare.Pairs(pairs, c.Seeds)
	if c.Kind == ByDepth {
		nets = slices.DeleteFunc(nets, func(n compare.Net) bool { return !n.Residual })
	}
	return nets, err
}

// newRun makes the experiment of a run and compares it with what its folder holds.
func (c *Comparison) newRun(ctx context.Context, n compare.Net, open DataSets) (*ComparedRun, error) {
	l, err := c.load(n, nil)
	if err != nil {
		return nil, err
	}
	r := &ComparedRun{Net: n, Dir: filepath.Join(c.Out, n.Name())}
	threads := max(1, c.Threads/c.Parallel)
	if c.Short == ShortAuto {
		x, err := New(ctx, c.env, l, threads, open)
		if err != nil {
			return nil, err
		}
		images, _, _ := x.data.sizes()
		c.Short = factor(*c.study, images)
	}
	if c.Short > 0 {
		paper, err := config.Load(config.Input{File: n.Preset})
		if err != nil {
			return nil, err
		}
		r.full, r.own = paper.Train.Iterations, ownSchedule(l)
		if l, err = c.load(n, shorten(l, c.Short)); err != nil {
			return nil, err
		}
	}
	if r.Experiment, err = New(ctx, c.env, l, threads, open); err != nil {
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

// load is the configuration of a network. What the user sets comes after the values of a shorter
// schedule, what the comparison chooses after both.
func (c *Comparison) load(n compare.Net, short []string) (*config.Loaded, error) {
	in := c.Config
	if n.Preset != "" {
		in.File = n.Preset
	}
	in.Sets = slices.Concat(short, in.Sets, n.Sets())
	return config.Load(in)
}

// Name is the run's folder within the comparison's.
func (r *ComparedRun) Name() string { return r.Net.Name() }

// Command is the command line that makes the comparison, or goes on with it.
func (c *Comparison) Command() string {
	args := []string{"resnet", "compare", c.Kind, "--config", text.ShellQuote(c.Config.File)}
	if c.study != nil {
		args = []string{"resnet", "reproduce", c.Kind}
		if c.Short > 0 {
			args = append(args, "--short="+strconv.FormatFloat(c.Short, 'g', -1, 64))
		}
	}
	if c.Depths != nil {
		args = append(args, "--depths", joined(c.Depths, strconv.Itoa))
	}
	for _, v := range c.Vary {
		args = append(args, "--vary", text.ShellQuote(v))
	}
	if c.study == nil {
		args = append(args, "--seeds", joined(c.Seeds, func(s uint64) string { return strconv.FormatUint(s, 10) }))
	}
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
	var incomplete *train.IncompleteError
	switch {
	case errors.Is(err, errEnded):
		return nil
	case errors.As(err, &incomplete):
		r.Incomplete = err
	case errors.Is(err, train.ErrStopped):
		c.env.say("Saved step %s of %s.", text.Grouped(sum.State.Step), r.Name())
		return err
	case errors.Is(err, train.ErrNonFinite), errors.Is(err, eval.ErrNonFinite):
		r.Diverged = err.Error()
		c.env.say("%s: %v", r.Name(), err)
		return atomicfile.WriteFile(atomicfile.OS, filepath.Join(r.Dir, divergedFile), "compare", []byte(r.Diverged+"\n"))
	case err != nil:
		return fmt.Errorf("%s: %w", r.Name(), err)
	}
	r.Incomplete = errors.Join(r.Incomplete, writePage(r.Dir, func(p *page) { p.undiagnosed(r.Dir) }))
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
