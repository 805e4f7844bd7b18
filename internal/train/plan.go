package train

import (
	"fmt"
	"math"

	"resnet/internal/eval"
	"resnet/internal/fielderr"
)

// Plan is what follows from a configuration and the size of the training set. Everything the loop
// does at a planned step is a question to the Plan.
type Plan struct {
	Config          Config
	TrainImages     int  // images of the training split
	BatchesPerEpoch int  // full batches; the remainder is dropped
	Sequences       bool // batches hold utterances, of several shapes
	// metrics.csv has the errors of whole utterances, too; set it after making the plan.
	UtteranceErrors bool
	Iterations      int  // updates in all
	EvalEvery       int  // updates between evaluations; 0 means by EvalEpochs
	EvalEpochs      int  // epochs between evaluations; 0 with EvalEvery 0 means only at the end
	EvalTrainSet    bool // the training set is measured, too
}

// NewPlan derives a Plan for a training split of trainImages images. It fails when the
// configuration is invalid (every fielderr.Error, joined) and when a batch is larger than the set
// (a fielderr.Error, too).
func NewPlan(c Config, e eval.Config, trainImages int) (Plan, error) {
	return newPlan(c, e, trainImages, trainImages/max(1, c.Batch))
}

// NewSequencePlan derives a Plan for a training split of so many utterances, which a loader cuts
// into batches of several shapes: batches of them in an epoch, each of at most Config.Batch
// utterances. It fails as NewPlan does.
func NewSequencePlan(c Config, e eval.Config, utterances, batches int) (Plan, error) {
	p, err := newPlan(c, e, utterances, batches)
	p.Sequences = true
	return p, err
}

func newPlan(c Config, e eval.Config, trainImages, batches int) (Plan, error) {
	if fields := c.Validate(); len(fields) > 0 {
		return Plan{}, fielderr.Join(fields)
	}
	e.Batch = max(e.Batch, 1) // no part of a plan
	if fields := e.Validate(); len(fields) > 0 {
		return Plan{}, fielderr.Join(fields)
	}
	if c.Batch > trainImages || batches < 1 {
		return Plan{}, fielderr.Error{
			Section: "train", Path: "batch", Hint: "lower it",
			Msg: fmt.Sprintf("%d is more than the %d images of the training split", c.Batch, trainImages),
		}
	}
	p := Plan{
		Config:          c,
		TrainImages:     trainImages,
		BatchesPerEpoch: batches,
		Iterations:      c.Iterations,
		EvalEvery:       e.Every,
		EvalTrainSet:    e.TrainSet,
	}
	if e.Every == 0 {
		p.EvalEpochs = e.EveryEpochs
	}
	if p.Iterations == 0 {
		if c.Epochs > math.MaxInt/2/p.BatchesPerEpoch {
			return Plan{}, fielderr.Error{Section: "train", Path: "epochs", Msg: fmt.Sprintf("%d is too many", c.Epochs)}
		}
		p.Iterations = p.StepsIn(c.Epochs)
		if p.Iterations > maxSteps {
			return Plan{}, fielderr.Error{Section: "train", Path: "epochs", Msg: fmt.Sprintf("%d are %d updates, and %d at most are possible", c.Epochs, p.Iterations, maxSteps)}
		}
	}
	return p, nil
}

// ImagesPerStep is the number of images of one update; for sequences the mean number of utterances.
func (p Plan) ImagesPerStep() int {
	if !p.Sequences {
		return p.Config.Batch * p.Config.Accumulate
	}
	return max(1, (p.TrainImages*p.Config.Accumulate+p.BatchesPerEpoch/2)/p.BatchesPerEpoch)
}

// StepsIn returns the first step at which so many epochs are complete.
func (p Plan) StepsIn(epochs int) int {
	return (epochs*p.BatchesPerEpoch + p.Config.Accumulate - 1) / p.Config.Accumulate
}

// Epoch returns the number of epochs, with its fraction, that so many updates take.
func (p Plan) Epoch(step int) float64 {
	return float64(step) * float64(p.Config.Accumulate) / float64(p.BatchesPerEpoch)
}

// EvalDue reports whether the model is evaluated after so many updates.
func (p Plan) EvalDue(step int) bool {
	switch {
	case step <= 0:
		return false
	case step >= p.Iterations:
		return true
	case p.EvalEvery > 0:
		return step%p.EvalEvery == 0
	case p.EvalEpochs > 0:
		period := p.EvalEpochs * p.BatchesPerEpoch // batches
		return step*p.Config.Accumulate/period != (step-1)*p.Config.Accumulate/period
	}
	return false
}

// Evaluations is the number of evaluations after so many updates: how often EvalDue is true of the
// steps that are left.
func (p Plan) Evaluations(done int) int {
	done = max(done, 0)
	last := p.Iterations - 1 // before the end, which has one in any case
	if done > last {
		return 0
	}
	switch {
	case p.EvalEvery > 0:
		return 1 + last/p.EvalEvery - done/p.EvalEvery
	case p.EvalEpochs > 0:
		period, batches := p.EvalEpochs*p.BatchesPerEpoch, p.Config.Accumulate
		if batches > period { // every update crosses an end
			return 1 + last - done
		}
		return 1 + last*batches/period - done*batches/period
	}
	return 1
}

// SaveDue reports whether a checkpoint is saved after so many updates. A new best model is saved
// besides.
func (p Plan) SaveDue(step int) bool {
	if step >= p.Iterations {
		return true
	}
	if every := p.Config.Checkpoint.Every; every > 0 {
		return step > 0 && step%every == 0
	}
	return p.EvalDue(step)
}
