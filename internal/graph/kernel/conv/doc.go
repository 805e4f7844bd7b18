// Package conv builds convolutions from the kernels: direct and Winograd, forward, data gradient
// and weight gradient.
//
// Letters: C input and K output channels, H×W input, OH×OW output, R×S kernel, U stride.
// Activations are blocked, weights are [K, C, R, S] outside and packed inside. A convolution reads
// its input from a padded copy in cache (Padded): the caller fills it, and normalises and rectifies
// as it copies, so that no tensor is written for that. The copy is split into U×U phases, so that
// every kernel sees stride 1; the data gradient of a strided convolution is one problem for each
// phase of its result.
//
// # Choice of algorithm
//
// Winograd F(4×4, 3×3) takes a quarter of the multiplications and serves 3×3, stride 1; everything
// else is direct. `resnet bench conv` measures both for a shape; Choose holds the results.
//
// In bfloat16 (ChooseBF16) convolutions are direct, of rounded copies of the padded images, except
// in groups and where Winograd's algorithm in float32 is faster. The first one of a network reads
// images without padding or blocks (BF16Image).
//
// # Division of work
//
// A Pass computes whole images: one worker an image. A Split divides a direct pass within an image,
// for one worker that wants each part in cache, or for several workers that share the image
// (intra-image parallelism). A TwoStage and a TwoStageGrad compute a Winograd pass over a round of
// images in two stages with a barrier between them (two-stage parallelism), for layers whose
// transformed weights are too many to be read for each image.
package conv
