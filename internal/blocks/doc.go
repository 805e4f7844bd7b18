// Package blocks holds the plain and residual building blocks of He et al. ("Deep Residual Learning
// for Image Recognition", CVPR 2016, arXiv:1512.03385) and the table of architectures made of them.
//
// An architecture is a Spec: a row of the table. Lookup finds one by name, Resolve makes one from
// the `model` section of an experiment, Build draws it as a graph, Summarize counts it without
// building anything.
//
// Letters: N batch, C/K in/out channels, H x W map; maps are [N, C, H, W], logits [N, classes].
// A variation has another activation, no batch normalisation or another kernel in the stem: blocks
// say ReLU and BatchNorm, and varied draws what is meant.
// Parameters have torchvision's names: conv1, bn1, layer1.0.conv1, layer2.0.downsample.0, fc.
//
// # How to add an architecture
//
// One row in table_cifar.go or table_imagenet.go, with its exact counts: a test rebuilds every row
// and compares. A new kind of block is one file with a function like basic, and a case in
// blockFunc. A new stem is a constant and a case in stem.
//
// # Why blocks are generic
//
// A block is written once against the interface net and read twice: with graph nodes it makes the
// graph, with traced layers it makes the table of layers, the counts and the drawing. So the counts
// cannot drift from what is trained.
//
// # Choices the paper leaves open
//
// Option A pads with zero channels; the paper does not say where. The default here is half on each
// side, the field PadEnd appends them. ImageNet's first pooling is 3x3, stride 2, padding 1, as in
// torchvision; the networks that the authors published in Caffe have no padding and round up: the
// same size, other windows (rows named -caffe). The
// bottleneck strides in its first 1x1, as in the paper's own models; rows named v1.5 stride in the
// 3x3.
package blocks
