package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
	"resnet/internal/train"
)

// Experiment is a configuration made ready: data open, network chosen, updates planned. Making it
// writes nothing.
type Experiment struct {
	*config.Loaded
	Spec    blocks.Spec
	Plan    train.Plan
	Threads int
	// Workers share the micro-batches of an update, each with a machine and its part of the
	// threads; 0 means 1. The results do not depend on it.
	Workers int
	Ranks   train.Ranks // the processes that share the training

	env    *Environment
	data   data
	memory allowance
	// featuresDir is where train.cache_features keeps its files; "" is nowhere. line is told what a
	// training does besides steps; nil tells the user.
	featuresDir string
	line        func(line string)
	start       *Model // the network that the training starts from, once it is open
}

// data is what images and utterances do each in their own way.
type data interface {
	// unit is what is counted: image or utterance. stepSize says how large an update is.
	unit() string
	stepSize() string
	classes() []string
	// sizes are the numbers of images or utterances of each split.
	sizes() (train, val, test int)
	// bytes are what the data set and the batches made ahead hold in memory.
	bytes() int64
	// notes say what was left out or repaired.
	notes() []string
	// identity names the data in results: see datasets.Dataset.Identity.
	identity() string
	// input is the shape of one image, or of one utterance of the longest batch.
	input() []int
	// describe says what a plan shows of network and data, a name and a text each.
	describe(p Estimate) [][2]string
	// loader opens the training batches from an epoch's batch on. onSkip is told of damaged images
	// that are left out, on another goroutine; it may be nil.
	// share says which batches are wanted.
	loader(epoch, batch int, share datasets.Share, onSkip func(id string, err error)) (train.Loader, error)
	trainer(params *graph.ParamSet, on device) (trainer, error)
	evaluator(params *graph.ParamSet) (evaluator, error)
	// timeBatch is the mean time of a training batch, measured.
	timeBatch(ctx context.Context, t trainer) (time.Duration, error)
	// timeEvaluation is the time of an evaluation, measured or estimated from a part.
	timeEvaluation(ctx context.Context, e evaluator) (time.Duration, error)
	// leastMemory is a lower bound of what training takes, known before anything is made.
	leastMemory() ([]need, error)
	// needs is what trainer and evaluator take, and the data besides.
	needs(t trainer, e evaluator) []need
	// fingerprint tells the contents of the files from others.
	fingerprint(ctx context.Context) (datasets.Fingerprint, error)
	// meta adds what checkpoints say of the input.
	meta(m *weights.Meta)
	// row is the row of the test error in a table.
	row(checkpoint string, m train.Metrics) eval.Row
}

// trainer computes the gradients of batches.
type trainer interface {
	// machine is the machine of a batch.
	machine(*datasets.Batch) (graph.Machine, error)
	// beforeBatch is told how many batches have been before: masks of dropout are a function of it.
	beforeBatch(batches int)
	// targets are what is trained towards; nil where that is the labels.
	targets() *train.Targets
	bytes() int64
	close()
}

// evaluator measures the parameters of a training on the splits that are not trained on.
type evaluator interface {
	// evaluate is train.Options.Evaluate.
	evaluate(ctx context.Context) (train.Evaluation, error)
	bytes() int64
	close()
}

// New makes a configuration ready. Mistakes that only the data show (a batch larger than the set)
// are configuration errors with their places; missing and bad files are those of package datasets.
// Experiments of one command share their open data sets. threads is 0 for all cores.
func New(ctx context.Context, env *Environment, l *config.Loaded, threads int, open DataSets) (*Experiment, error) {
	return newExperiment(ctx, env, l, threads, open, nil)
}

// newExperiment is New with the network that the training starts from, where that is open already.
func newExperiment(ctx context.Context, env *Environment, l *config.Loaded, threads int, open DataSets, start *Model) (*Experiment, error) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	// A resumed run may be started from elsewhere.
	if err := env.labelsTable(&l.Data); err != nil {
		return nil, err
	}
	if err := env.absolute(&l.Data.Dir, &l.Data.Split, &l.Model.Weights, &l.Speech.Labels, &l.Speech.ValDir, &l.Speech.TestDir); err != nil {
		return nil, err
	}
	if err := env.absoluteList(&l.Speech.Alignments); err != nil {
		return nil, err
	}
	// What the memory has room for is asked before any of it is taken.
	x := &Experiment{Loaded: l, Threads: threads, env: env, memory: env.allowed(0), start: start}
	if err := x.takeCheckpoint(); err != nil {
		return nil, err
	}
	var err error
	if datasets.IsSpeech(l.Data.Name) {
		x.data, err = openSequences(ctx, x, open)
	} else {
		x.data, err = openImages(ctx, x, open)
	}
	if err != nil {
		return nil, err
	}
	if x.Run != "" {
		x.start = nil // its parameters are in the checkpoint that goes on
	}
	return x, nil
}

// absolute makes paths that are given absolute, with ~ and variables of the environment as a shell
// has them.
func (e *Environment) absolute(paths ...*string) error {
	for _, path := range paths {
		if *path == "" {
			continue
		}
		if err := e.expand(path); err != nil {
			return err
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return &IOError{err}
		}
		*path = abs
	}
	return nil
}

// absoluteList is absolute for paths with commas between them.
func (e *Environment) absoluteList(list *string) error {
	if *list == "" {
		return nil
	}
	names := strings.Split(*list, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
		if err := e.absolute(&names[i]); err != nil {
			return err
		}
	}
	*list = strings.Join(names, ",")
	return nil
}

// sayLine tells whoever watches the training, or the user.
func (x *Experiment) sayLine(line string) {
	if x.line != nil {
		x.line(line)
		return
	}
	x.env.say("%s", line)
}

// Unit is what the data are counted in: image or utterance.
func (x *Experiment) Unit() string { return x.data.unit() }

// StepSize says how large an update is.
func (x *Experiment) StepSize() string { return x.data.stepSize() }

// Notes say what was left out of the data or repaired.
func (x *Experiment) Notes() []string { return x.data.notes() }

// TestSize is the number of test images or utterances.
func (x *Experiment) TestSize() int {
	_, _, test := x.data.sizes()
	return test
}

// EvalSplit is the split that the trained network is measured on by default: the test split, or
// without one the validation split; false where there is neither.
func (x *Experiment) EvalSplit() (datasets.Split, bool) {
	_, val, test := x.data.sizes()
	if test == 0 {
		return datasets.Val, val > 0
	}
	return datasets.Test, true
}

// RunName is what the folder of a new run is called after: the preset or file, or the network.
func (x *Experiment) RunName() string {
	if x.Name == "" || x.Name == "config" {
		return x.Spec.Name
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, x.Name)
}

// Summary says in a line what is trained.
func (x *Experiment) Summary() string {
	threads := text.Count(x.Threads, "thread")
	if x.workers() > 1 {
		threads += " in " + text.Count(x.workers(), "worker")
	}
	return fmt.Sprintf("%s steps of %s, %s", text.Grouped(x.Plan.Iterations), x.StepSize(), threads)
}

// meta is what the checkpoints carry so that they can be evaluated by themselves.
func (x *Experiment) meta() (weights.Meta, error) {
	arch, err := json.Marshal(x.Spec)
	if err != nil {
		return weights.Meta{}, err
	}
	m := weights.Meta{Arch: string(arch), Classes: x.data.classes(), Dataset: x.Data.Name}
	x.data.meta(&m)
	if p := x.Precision(); p != graph.Float32 {
		m.Precision = p.String()
	}
	if decay := x.Train.EMA.Decay; decay > 0 {
		m.Weights = fmt.Sprintf("moving average of decay %v", decay)
	}
	if x.Spec.Shortcut == blocks.OptionA {
		m.ShortcutPad = "sides"
		if x.Spec.PadEnd {
			m.ShortcutPad = "end"
		}
	}
	return m, nil
}

// digest identifies what a configuration trains: keys that change no result are left out.
func digest(c *config.Config) string {
	h := sha256.New()
	all := train.Recorded(values(c))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(h, "%s=%s\n", key, all[key])
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
