// Package ref is the mathematical specification of every operator: plain loops over row-major [N,
// C, H, W] slices, generic over float32 and float64. Gradients are checked with float64; the fast
// kernels are tested against float32.
//
// Letters: N batch, C and K input and output channels, H x W image, R x S kernel, P padding, U
// stride. Each function writes all of its first argument and reads the others. Slices must have the
// lengths that the shape says; shapes are validated where a graph is built. Functions are safe for
// concurrent use and start no goroutines.
//
// # Why float64 sums
//
// Reductions over a batch (statistics, their gradients, the loss) accumulate in float64 also for
// float32 data: a mean over 131,072 values in float32 loses three digits, and a reference that is
// off by that much could not judge a kernel. Convolutions and matrix products sum in the element's
// own type, as kernels do; their sums are shorter.
package ref

// Float is the element type of a tensor.
type Float interface{ float32 | float64 }
