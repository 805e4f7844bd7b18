package train

import (
	"context"
	"errors"
	"fmt"
	"time"

	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// Errors that end a run early; both leave a checkpoint of the last update.
var (
	// ErrStopped means that Control.Stop was called.
	ErrStopped = errors.New("stopped after saving")
	// ErrMaxTime means that Options.MaxTime has passed.
	ErrMaxTime = errors.New("stopped after saving: the time allowed has passed")
)

// A Loader gives the training batches in order, without end; *datasets.Loader is one, with Shuffle
// and DropLast. It prepares batches ahead, so that Next seldom waits.
type Loader interface {
	// Next returns the next batch; it is the caller's until it is handed to Recycle.
	Next(ctx context.Context) (*datasets.Batch, error)
	Recycle(*datasets.Batch)
	Close()
}

// Metrics are figures of one split.
type Metrics struct {
	Loss  float64 // mean cross-entropy
	Error float64 // top-1, percent
	// Percent; nil where it says nothing: fewer than five classes, or not counted.
	Top5Error *float64
	// UtteranceError is that of whole utterances where Error is of frames, percent; nil where
	// utterances have no label of their own.
	UtteranceError *float64
}

// Evaluation is what the caller's evaluation returns; a split that does not exist is nil.
type Evaluation struct {
	Val, Test *Metrics
	// Train is of the training set as it is, in evaluation mode; nil unless Plan.EvalTrainSet.
	Train *Metrics
	// Since is of the updates since the evaluation before; the loop fills it in.
	Since *Metrics
}

// A Store saves checkpoints. A failed Save leaves the earlier ones as they were. The same step may
// be saved again: when a stop came before its evaluation, the resumed run evaluates and saves it
// once more, with the same tensors.
//
// Save takes no context: the usual moment of a stop is the one at which a last checkpoint is
// wanted.
type Store interface {
	Save(s Snapshot) error
}

// Hooks are called on the loop's own goroutine, so they must be quick. Each may be nil.
type Hooks struct {
	OnStep    func(Progress)      // after every update
	OnEval    func(Row, Progress) // after every evaluation
	OnSave    func(step int)      // after every checkpoint that was saved
	OnMessage func(Message)       // what a user should know
}

// Message is a remark of the loop. A warning is something that a user may want to act on.
type Message struct {
	Step    int
	Warning bool
	Text    string
}

// Progress is where a run stands.
type Progress struct {
	Step, Total     int
	Epoch           float64
	Rate            float64 // of the last update
	Loss, Error     float64 // of the last update; error in percent
	MeanLoss        float64 // since the last evaluation
	MeanError       float64 // percent
	ImagesPerSecond float64 // moving average over about the last 20 updates, evaluations excluded
	ETA             time.Duration
	Elapsed         time.Duration // of this process's Run
	LoaderWait      time.Duration // of Elapsed, spent waiting for batches
}

// Replica is a copy of the network with machines of its own.
type Replica struct {
	// Params is the graph.ParamSet.Replica of the training's parameters.
	Params *graph.ParamSet
	// The others are as in Options.
	MachineFor  func(*datasets.Batch) (graph.Machine, error)
	Targets     *Targets
	BeforeBatch func(batches int)
}

// Options are what Run needs.
type Options struct {
	Plan    Plan
	Machine graph.Machine // in Train mode, for batches of Plan.Config.Batch
	// MachineFor, for batches of several shapes, gives the machine of a batch and is used instead
	// of Machine.
	MachineFor func(*datasets.Batch) (graph.Machine, error)
	Params     *graph.ParamSet
	// Threads update the parameters together, 0 for all cores. No value depends on them.
	Threads int
	// Replicas are more copies of the network, which compute a part of each update's micro-batches
	// beside the first. With it they are a power of two that divides Plan.Config.Accumulate.
	Replicas []Replica
	// Ranks are the processes that share the training; each has as many Replicas.
	Ranks Ranks
	// Loader opens the training batches at a position: epoch counts from 0, batch from 0 within the
	// epoch. share says which of those that follow are wanted.
	Loader func(ctx context.Context, epoch, batch int, share datasets.Share) (Loader, error)
	// Targets are what the machine is trained towards; nil where that is the labels.
	Targets *Targets
	// Evaluate measures the current parameters, with the same result on all ranks. Its context ends
	// when a stop is requested; it then returns the context's error, and the evaluation is repeated
	// by the resumed run.
	Evaluate func(ctx context.Context) (Evaluation, error)
	Store    Store
	// Dir gets metrics.csv and timing.csv; "" means neither.
	Dir   string
	Hooks Hooks
	// Resume continues from a checkpoint whose parameters are in Params already.
	Resume *Resume
	// MaxTime stops the run after the first update that ends later; 0 means no limit.
	MaxTime time.Duration
	// Control receives signals; nil means none.
	Control *Control
	// BeforeBatch is called before each gradient computation with the number of batches before it
	// since the start of the training: dropout masks are keyed by it. It may be nil.
	BeforeBatch func(batches int)
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Resume is the part of a checkpoint that is not in the parameters.
type Resume struct {
	State    State
	Momentum []Tensor
	// Evaluation of this very step, or nil; the checkpoint keeps it when it is saved again.
	Evaluation *Evaluation
}

// Summary is how a run ended.
type Summary struct {
	State           State
	Last            *Row // of the last evaluation in this Run, or nil
	AlreadyFinished bool // the checkpoint was of a finished training: nothing was done
	Saves           int
	Elapsed         time.Duration
	LoaderWait      time.Duration
	ImagesPerSecond float64 // mean over this Run's updates
}

// stepper makes the optimizer of the plan.
func (o *Options) stepper() Stepper {
	return NewStepper(o.Plan.Config.Optimizer, o.Params, o.Threads)
}

func (o *Options) check() error {
	p := o.Plan
	switch {
	case o.Machine == nil && o.MachineFor == nil || o.Params == nil || o.Loader == nil || o.Evaluate == nil || o.Store == nil:
		return errors.New("train: machine, parameters, loader, evaluation and store are required")
	case p.Iterations < 1 || p.BatchesPerEpoch < 1 || p.Config.Batch < 1 || p.Config.Accumulate < 1:
		return errors.New("train: the plan is empty: make it with NewPlan")
	}
	if err := CheckWorkers(o.Ranks.Size()*(1+len(o.Replicas)), p.Config.Accumulate); err != nil {
		return err
	}
	if r := o.Resume; r != nil && r.State.Batches != r.State.Step*p.Config.Accumulate {
		return fmt.Errorf("resume: the checkpoint has used %d batches in %d updates, but train.accumulate is %d: resume with the configuration it was made with",
			r.State.Batches, r.State.Step, p.Config.Accumulate)
	}
	return nil
}
