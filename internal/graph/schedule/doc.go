// Package schedule lowers a graph once to a sequence of kernel calls, and runs it on all cores.
//
// The graph is Gorgonia's, of the operators of package graph, after differentiation. Compile
// takes it through passes, each in the file of its name:
//
//   - read collects the nodes that the outputs depend on, and who reads them;
//   - fuse decides which nodes of the backward half one step computes;
//   - lower makes the steps, forward half first (forward.go, backward.go: one case a node), and
//     says which values each reads and writes;
//   - order sorts the steps so that everything is made before it is read;
//   - regions cuts the sequence where a barrier is needed;
//   - place gives each value an interval of life and a place in one arena, so that a call
//     allocates nothing.
//
// What is fused:
//
//   - a convolution with the batch statistics of its result, or with bias, addition and ReLU, and
//     in evaluation with normalisation and PReLU: its epilogue;
//   - normalisation and ReLU between two convolutions into the second one's prologue: it applies
//     them when it prepares its input in cache, forward and again for its weight gradient;
//   - normalisation, addition and ReLU at the end of a block into one step;
//   - the two gradients of a convolution, the sum at a residual join, the mask of a ReLU, and the
//     sums that batch normalisation's backward pass needs, into one step that reads three tensors
//     and writes one: the backward epilogue;
//   - a loss and its gradient, in the forward half.
//
// Operators without a step of their own run as their reference (graph.Operator) on row-major
// copies, so every graph runs.
//
// A step is split into units, ranges of images; each worker takes the next free unit. Partial sums
// belong to ranges that depend on the shapes alone and are merged in their order. So results are
// the same bits for any number of threads, also where more threads have smaller units. Between
// steps that need nothing of other images there
// is no barrier: a unit goes through them while it is in cache.
//
// # Glossary
//
//   - block: 16 channels, kernel.Lanes; a blocked tensor is [N, C/16, H, W, 16].
//   - value: a tensor with a place in the arena. A view is a part of each image of one.
//   - narrow: of a value, that it is bfloat16 in memory (narrow.go). What is computed is float32;
//     to open a value is to widen a part of it, to close it is to round what was made.
//   - tensor: what is known of a node: a blocked value or a lazy expression, a row-major value,
//     or both.
//   - lazy expression: a tensor that whoever reads it computes: act(a·x + b·r) of two values.
//   - fused prologue: a lazy expression applied while a convolution pads its input.
//   - epilogue, backward epilogue: what is done with a convolution's result, or with the gradient
//     of its input, before it leaves the cache.
//   - fused node: one that the step of another node computes.
//   - step: an entry of the schedule. A whole step has one unit, of all images.
//   - unit: the images of a step that one worker takes at a time; there are about Units, and
//     more for more threads.
//   - range of sums: the images whose statistics are summed together; see sizes.
//   - share: of a weight gradient's accumulator, what one worker does, where threads are many.
//   - inner units: a second stage of a step, behind a barrier, divided in another way.
//   - region: steps without a barrier between them. Each unit goes through all of them.
//   - two-stage parallel: a convolution of many weights is divided by output channels, after a
//     first stage that transforms the images of a round (twostage.go).
//   - intra-image parallel: in evaluation, a layer of few images is divided within them
//     (intraimage.go).
//   - pack: a convolution's weights in the order in which its kernel reads them.
//   - norm: one batch normalisation; moments are its forward sums, backward its backward ones.
//   - sink: where what a unit has summed goes.
//   - reference fallback: a step that runs graph.Operator on row-major values (fallback.go).
//   - local machine: one whose units keep short-lived values in their worker's arena.
//
// # How to add a step
//
// Write a method of compiler in a file of its own that makes a step from a node and says which
// values it reads and writes and which gradients it completes, and call it in forward or
// gradient. The tests compare every net with the oracle, graph.Tape, verify its steps, and run
// each region with all hidden that it does not say it reads.
package schedule
