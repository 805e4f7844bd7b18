// Package schedule lowers a graph once to a sequence of kernel calls, and runs it on all cores.
//
// The graph is Gorgonia's, of the operators of package graph, after differentiation. Lowering reads
// it from the outputs back and turns groups of nodes into steps:
//
//   - a convolution with the batch statistics of its result, or with bias, addition and ReLU, and
//     in evaluation with normalisation and PReLU;
//   - normalisation and ReLU between two convolutions into no step at all: the second convolution
//     applies them when it prepares its input in cache, forward and again for its weight gradient;
//   - normalisation, addition and ReLU at the end of a block into one step;
//   - the two gradients of a convolution, the sum at a residual join, the gate of a ReLU, and the
//     sums that batch normalisation's backward pass needs, into one step that reads three tensors
//     and writes one.
//
// Operators without a step of their own run as their reference (graph.Operator) on row-major copies,
// so every graph runs.
//
// A step is split into units, ranges of images that depend on the shapes alone; each worker takes
// the next free unit, partial sums belong to units and are merged in their order. So results are
// the same bits for any number of threads. Between steps that need nothing of other images there is
// no barrier: a unit goes through them while it is in cache. A layer of many weights is divided by
// output channels after a first stage by images (spread.go), and in evaluation so are the layers of
// a batch of few images (within.go).
//
// Every buffer has an interval of life in the sequence and a place in one arena, so a step
// allocates nothing.
//
// # How to add a step
//
// Write a method of compiler in a file of its own that makes a step from a node and says which
// values it reads and writes, and call it in forward (forward.go) or gradient (backward.go). The
// tests compare every net with the oracle, graph.Tape.
package schedule
