package graph

import "errors"

// ErrClosed marks a call of a Machine that has been closed.
var ErrClosed = errors.New("the machine is closed")

// A Machine executes one Graph for one batch shape and one mode over the values of a ParamSet.
//
// Two implementations exist: Tape runs the graph on Gorgonia's tape machine with the reference
// operators (the oracle of the tests), and schedule.Machine runs a lowered schedule of kernels (for
// work). Both pass graphtest.RunMachine. A Machine is used by one goroutine at a time. A call that
// fails has changed nothing.
type Machine interface {
	// Train runs forward and backward on a full batch: x [N, C, H, W] row-major, labels [N] in [0,
	// classes). It writes (or, with Accumulate, adds) the gradients of the mean loss to Param.Grad
	// and folds the batch statistics into the running statistics of the ParamSet. It fails in Eval
	// mode and when the batch is not exactly N images (see Graph.CheckTrain), and after Close.
	Train(x []float32, labels []int32, o StepOptions) (Result, error)

	// Infer computes logits [n, classes] for 1 <= n <= N images with running statistics. It fails
	// in Train mode, when x is not exactly n images (see Graph.CheckInfer), and after Close. The
	// returned slice is valid until the next call.
	Infer(x []float32, n int) ([]float32, error)

	// Diagnose names the first layer, in forward order, whose values or statistics of the last run
	// are not finite, or "" when all are.
	Diagnose() string

	// Bytes is the memory planned for activations, gradients of activations and scratch.
	Bytes() int64

	// Close frees what the machine holds. Closing twice does no harm.
	Close()
}

// StepOptions modify one call of Machine.Train.
type StepOptions struct {
	// Accumulate adds the gradients to Param.Grad instead of overwriting them.
	Accumulate bool
	// ForwardOnly skips the backward pass: for recomputing batch-normalisation statistics. Loss and
	// logits are those of the batch all the same; gradients and the masks of dropout stay.
	ForwardOnly bool
	// StatsMomentum, when not zero, replaces each layer's momentum in running = (1-m)*running +
	// m*batch.
	StatsMomentum float64
	// Targets [N, classes] are what the graph is trained towards where Graph.Targets says so, and
	// nil elsewhere. The labels are checked all the same.
	Targets []float32
	// Finished, if set, is told of a parameter when its gradient is complete, before the backward
	// pass has ended; its caller may read the gradient then and must not hold the machine up. A
	// machine need not tell of any.
	Finished func(p *Param)
}

// Result is what one training step reports, in every combination of StepOptions. Logits [N,
// classes] is valid until the next call on the same Machine.
type Result struct {
	Loss   float64
	Logits []float32
}
