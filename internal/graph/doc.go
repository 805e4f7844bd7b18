// Package graph builds networks as Gorgonia expression graphs of our own operators.
//
// A Builder draws logical operators on row-major [N, C, H, W] tensors and creates what parameters
// are missing in a ParamSet; Finish adds the loss and lets gorgonia.Grad differentiate. The Graph
// then runs on a Machine: Tape, Gorgonia's tape machine with the reference operators of kernel/ref,
// is the oracle of the tests; package schedule lowers the same graph to fast kernels.
//
// Letters: N batch, C and K input and output channels, H x W image, R x S kernel, P padding, U
// stride. Weights of a convolution are [K, C, R, S], of a fully connected layer [K, C]: PyTorch's
// layouts.
//
// Errors: a Builder keeps its first error with the place where it arose ("resnet56/layer2.0: add:
// shapes [8 32 16 16] and [8 16 16 16]"); the methods after it do nothing, so that code that draws
// a net stays flat, and Finish returns it. Sentinels are ErrShape, ErrParam, ErrMode and
// ErrCollision. Panics of Gorgonia are recovered into errors.
//
// # How to add an operator
//
// Write the loops in kernel/ref, forward and gradient, generic over float32 and float64. Write a
// file here with a struct for each direction: every number that changes the result an exported
// field, and ID. Implement Operator: signature, SymDiff, Run32 and run64. Embed differentiable or
// nonDifferentiable (or implement DiffWRT), unary or binary where any shape fits, and perImage
// where the images of a batch do not depend on each other. What Gorgonia wants besides, adapter
// gives to all. Add a method to Builder and a case to the tests, which check the derivative, the
// hash and the shapes. Until package schedule has a kernel for it, the schedule runs Run32.
//
// # Why our own operators
//
// Those of Gorgonia v0.9.18 are wrong or slow; docs/gorgonia.md has the list, and
// TestGorgoniaKnownDefect* pins it.
//
// # Why operators carry an ID
//
// Gorgonia finds nodes by a 32-bit hash and takes two nodes with equal hash, operator, type and
// shape for one, whatever their inputs. WriteHash therefore covers every field and the ID, which no
// two layers of a graph share; what Gorgonia inserts itself is verified after Grad.
//
// # Why statistics and sums are operators
//
// An operator has one output. The mean and variance of a batch, and the two reductions of the
// backward pass, are [2, C] tensors that the elementwise operators take as an input. So nothing is
// hidden in an operator, and a schedule can compute them where it likes: in the epilogue of the
// convolution before, or in one pass with the ReLU's gradient.
package graph
