package experiment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/fielderr"
	"resnet/internal/graph"
	"resnet/internal/text"
	"resnet/internal/train"
)

// checkRecipe refuses what the data cannot have: early stopping without a validation split, and of
// utterances what is for images.
func (x *Experiment) checkRecipe(val int) error {
	c := x.Train
	fail := func(path, hint, msg string) error {
		return x.Located(fielderr.Error{Section: "train", Path: path, Msg: msg, Hint: hint})
	}
	if c.EarlyStop.Patience > 0 && val == 0 {
		return fail("early_stopping.patience", "set data.validation, or 0", "there is no validation split whose error could stop falling")
	}
	if !datasets.IsSpeech(x.Data.Name) {
		return nil
	}
	switch {
	case c.TargetKind(false) != graph.ClassTargets:
		return fail("loss", "leave out train.loss, train.label_smoothing and train.class_weights", "utterances are trained towards their labels alone")
	case c.Optimizer.FreezeStats:
		return fail("optimizer.freeze_statistics", "leave it out", "networks of speech have no running statistics")
	case x.Data.Sampling == datasets.SamplingBalanced:
		return config.Usagef("data.sampling: utterances come in batches of equal length: leave it out")
	}
	return nil
}

// targets makes the targets of this training; nil where they are the labels.
func (d *images) targets() *train.Targets {
	c := d.x.Train
	if c.TargetKind(d.x.Data.Augment.Mixes()) == graph.ClassTargets {
		return nil
	}
	t := &train.Targets{Classes: d.x.Spec.Classes, Smoothing: c.Smoothing}
	if c.Weights == train.WeightsBalanced {
		t.Weights = train.BalancedWeights(d.set.ClassCounts(datasets.Train))
	}
	return t
}

// buildOptions are those of the graph that is trained.
func (d *images) buildOptions() graph.Options {
	o := graph.Options{Targets: d.x.Train.TargetKind(d.x.Data.Augment.Mixes())}
	if len(d.x.Train.Optimizer.FrozenParts()) > 0 {
		o.Frozen = d.x.Train.Optimizer.Frozen
	}
	return o
}

// notesOfRecipe say what the figures of this training are of.
func (x *Experiment) notesOfRecipe() (notes []string) {
	if x.Data.Augment.Mixes() {
		notes = append(notes, "Training images are mixed: the training error counts the label of the larger share, and is higher than that of the images as they are.")
	}
	if e := x.Train.EMA; e.Decay > 0 {
		notes = append(notes, fmt.Sprintf("What is evaluated and saved is the moving average of the weights (decay %v).", e.Decay))
		// A weight of the average is 1/e of the newest one's after so many updates.
		if over := float64(e.Every) / (1 - e.Decay); over > longAverage*float64(x.Plan.Iterations) {
			notes = append(notes, fmt.Sprintf("It is over about %s of the %s updates, so that it is behind the weights to the end: set train.ema.decay lower.",
				text.Grouped(int(math.Round(over))), text.Grouped(x.Plan.Iterations)))
		}
	}
	return notes
}

// longAverage is the share of a training from which an average is said to be too long for it. That
// of cifar20-modern is 1/64, and worse than no average where it is 1/1.6 (docs/recipes.md).
const longAverage = 0.1

// partsOf are the first parts of the names of a network's layers with parameters, in order: conv1,
// bn1, layer1 and so on. The last is the classifier.
func partsOf(s blocks.Spec) (parts []string) {
	sum, err := blocks.Summarize(s)
	if err != nil {
		return nil
	}
	for _, l := range sum.Layers {
		part, _, _ := strings.Cut(l.Name, ".")
		if l.Params > 0 && (len(parts) == 0 || parts[len(parts)-1] != part) {
			parts = append(parts, part)
		}
	}
	return parts
}

// frozenThrough is the train.optimizer.freeze of all parts of a network up to one, or with
// train.FreezeBackbone of all but the classifier.
func frozenThrough(s blocks.Spec, last string) (string, error) {
	parts := partsOf(s)
	n := max(len(parts)-1, 0)
	if last != train.FreezeBackbone {
		n = slices.Index(parts[:n], last) + 1
	}
	if n == 0 {
		return "", fmt.Errorf("%s has no part %q in front of its classifier: %s", s.Name, last, strings.Join(parts[:max(len(parts)-1, 0)], ", "))
	}
	return strings.Join(parts[:n], ","), nil
}

// freezeBackbone puts the names of the network's parts in the place of train.FreezeBackbone.
func (x *Experiment) freezeBackbone() (err error) {
	if o := &x.Train.Optimizer; o.Freeze == train.FreezeBackbone {
		o.Freeze, err = frozenThrough(x.Spec, train.FreezeBackbone)
	}
	return err
}

// dividedMachine trains a network whose first layers are frozen, statistics included: they run as
// in evaluation, and what they give is the input of the rest. There is no backward pass below.
type dividedMachine struct {
	below, above graph.Machine
	n            int
}

// compileDivided draws the network in two and compiles both; the graph is that of the upper part.
// frozen says which parameters are not trained.
func (e *Environment) compileDivided(s blocks.Spec, n int, params *graph.ParamSet, o graph.Options, on device, limit int64) (*graph.Graph, graph.Machine, error) {
	d, err := blocks.BuildDivided(s, n, graph.Train, params, o)
	if err != nil {
		return nil, nil, err
	}
	so := on.options(limit)
	frozen := so
	frozen.Frozen = true
	below, err := e.Compile(d.Below, params, frozen)
	if err != nil {
		return nil, nil, err
	}
	above, err := e.Compile(d.Above, params, so)
	if err != nil {
		below.Close()
		return nil, nil, err
	}
	return d.Above, &dividedMachine{below, above, n}, nil
}

// frozenError says in terms of the configuration why a network is not divided.
func (x *Experiment) frozenError(err error, params *graph.ParamSet) error {
	if !errors.Is(err, blocks.ErrSpec) {
		return err
	}
	if wrong := x.Train.Optimizer.CheckFrozen(params); wrong != nil {
		return x.Located(wrong)
	}
	return x.Located(fielderr.Error{
		Section: "train", Path: "optimizer.freeze_statistics", Msg: err.Error(),
		Hint: "freeze the first layers of the network, all of them up to one: conv1,bn1,layer1",
	})
}

func (m *dividedMachine) Train(x []float32, labels []int32, o graph.StepOptions) (graph.Result, error) {
	features, err := m.below.Infer(x, m.n)
	if err != nil {
		return graph.Result{}, err
	}
	return m.above.Train(features, labels, o)
}

func (m *dividedMachine) Infer(x []float32, n int) ([]float32, error) { return m.above.Infer(x, n) }

func (m *dividedMachine) Diagnose() string {
	if layer := m.below.Diagnose(); layer != "" {
		return layer
	}
	return m.above.Diagnose()
}

func (m *dividedMachine) Bytes() int64 { return m.below.Bytes() + m.above.Bytes() }

func (m *dividedMachine) Close() {
	m.below.Close()
	m.above.Close()
}
