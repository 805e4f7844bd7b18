// Package train is the training loop: stochastic gradient descent over the parameters of a graph,
// learning-rate schedules, evaluation and checkpoints at planned steps, and exact resume.
//
// Words: a batch, or micro-batch, is one gradient computation of Config.Batch images; an update (or
// step) sums Config.Accumulate of them and changes the parameters once; an epoch is
// BatchesPerEpoch batches.
// Steps are counted from 0: step s means that s updates were applied, and the rate of the next one
// is Schedule.Rate(s, state), so that a drop at 32000 governs update 32001 on, as in Caffe and
// PyTorch. Errors of a model are percentages; rates are per update.
//
// The package does not print, read the environment, or know how checkpoints are laid out: the
// caller supplies a Store, a loader factory, an evaluation function and Hooks.
//
// # Why a stop is always between updates
//
// A signal that arrives while gradients are being accumulated lets the update finish: gradients are
// not part of a checkpoint. A signal during an evaluation abandons it, and the resumed run
// evaluates first. So stopping at any moment and resuming gives the same weights, momentum,
// statistics and metrics.csv, to the bit, as never stopping.
//
// # Why the last images of an epoch are dropped
//
// Each epoch is shuffled anew and cut into full batches; the remainder, shorter than a batch, is
// left out of that epoch (another remainder each time), because a schedule of kernels exists for
// one batch size and because batch statistics of a short batch are noisier. Updates may straddle
// epochs when Accumulate does not divide BatchesPerEpoch.
//
// # How to add a schedule
//
// Add its section to Schedule in config.go, its rules to validate.go, and one case to
// Scheduler.base; whatever it must remember goes into ScheduleState, which is saved with every
// checkpoint.
package train
