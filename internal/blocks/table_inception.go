package blocks

import "slices"

// inceptionRows are GoogLeNet (Szegedy et al. 2015, arXiv:1409.4842) as published, torchvision's
// variant of it, and BN-Inception (Ioffe and Szegedy 2015, arXiv:1502.03167) as published and as
// Google's own program in TensorFlow, TF-slim, has it.
//
// googlenet has local response normalisation and biases, and two auxiliary classifiers whose
// losses count 0.3 in training. Its names follow torchvision's. The paper shows maps of 112, 56,
// 28, 14 and 7 pixels: poolings round up, as in Caffe.
//
// googlenet-bn is torchvision's `googlenet`: batch normalisation (ε = 0.001) instead of biases and
// response normalisation, a 3x3 convolution where the paper has a 5x5, 20 % dropout, and 2x2
// windows in the last max pooling. torchvision pools adaptively before the auxiliary classifiers;
// here they pool as published, 5x5 with stride 3. That touches training alone.
//
// bn-inception-slim is TF-slim's `inception_v2`: pool projections of 96 columns in 4c and 4d, which
// make the 576, 576 and 1024 channels that the figure prints; TensorFlow's padding, which begins a
// pixel later where a convolution halves the map, and leaves the zeros around a map out of
// averages; ε = 0.001; 20 % dropout; a bias and no normalisation behind the first convolution. That
// is separable there and multiplied out here, since nothing stands between its two halves; and
// normalisation has a γ here.
var inceptionRows = []Spec{
	baseline(Spec{
		Name: "googlenet", Body: googleNet(withBias, responses, 5, 3, 0.4), Params: 13_378_280, MACs: 1_582_671_872,
		Source: "Szegedy et al. 2015, Table 1",
	}),
	withEps(0.001, baseline(Spec{
		Name: "googlenet-bn", Body: googleNet(withNorm, nil, 3, 2, 0.2), Params: 13_004_888, MACs: 1_498_376_192,
		Source: "Szegedy et al. 2015, Table 1, as in torchvision: batch normalisation, 3x3 for 5x5",
	})),
	baseline(Spec{Name: "bn-inception", Body: append(bnInception(withNorm, 128), classifier("fc")), Params: 11_285_224, MACs: 2_032_600_064, Source: "Ioffe and Szegedy 2015, Figure 5; their text says 13.6 million parameters"}),
	withEps(0.001, baseline(Spec{
		Name: "bn-inception-slim", Body: append(as(same, bnInception(withBias, 96)), drop(0.2), classifier("fc")), Params: 11_194_920, MACs: 2_018_851_840,
		Source: "Ioffe and Szegedy 2015, Figure 5, as in Google's TF-slim",
	})),
}

func withEps(eps float64, s Spec) Spec {
	s.BNEps = eps
	return s
}

// unit draws a convolution with what follows it.
type unit func(name string, out, kernel, stride int) []Part

// withBias is a convolution with biases and ReLU.
var withBias unit = func(name string, out, kernel, stride int) []Part {
	return []Part{biased(conv(name, out, kernel, stride)), rectify}
}

// withNorm is a convolution with batch normalisation and ReLU.
var withNorm unit = func(name string, out, kernel, stride int) []Part {
	return []Part{conv(name+".conv", out, kernel, stride), {Kind: PartNorm, Name: name + ".bn"}, rectify}
}

// one makes a list of a part.
func one(p Part) []Part { return []Part{p} }

// pad1 pads a pooling by a pixel, so that it keeps the size of its map.
func pad1(p Part) Part {
	p.Pad = 1
	return p
}

func avgPool(kernel, stride int) Part {
	return Part{Kind: PartAvgPool, Kernel: kernel, Stride: stride}
}

func module(name string, branches ...[]Part) []Part {
	return one(Part{Kind: PartModule, Name: name, Branches: branches})
}

// inception draws a module of GoogLeNet. The columns of Table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce,
// 5x5 (of kernel five), pool proj.
func (u unit) inception(name string, five int, n1, reduce3, n3, reduce5, n5, proj int) []Part {
	return module("inception"+name,
		u("branch1", n1, 1, 1),
		slices.Concat(u("branch2.0", reduce3, 1, 1), u("branch2.1", n3, 3, 1)),
		slices.Concat(u("branch3.0", reduce5, 1, 1), u("branch3.1", n5, five, 1)),
		slices.Concat(one(pad1(maxPool(3, 1))), u("branch4.1", proj, 1, 1)))
}

// classifier draws an auxiliary classifier (section 5): 5x5 average pooling with stride 3, a 1x1
// convolution, hidden units, dropout p.
func (u unit) classifier(name string, filters, hidden int, p float64) []Part {
	return one(Part{Kind: PartAux, Name: name, LossWeight: 0.3, Branches: [][]Part{slices.Concat(
		one(avgPool(5, 3)), u("conv", filters, 1, 1), []Part{{Kind: PartFlatten}, fc("fc1", hidden), rectify, drop(p), classifier("fc2")})}})
}

// googleNet draws Table 1. five is the kernel of the column 5x5, last that of the last max pooling,
// p the dropout before the classifier; lrn is the normalisation after the first pooling and before
// the second.
func googleNet(u unit, lrn []Part, five, last int, p float64) []Part {
	return slices.Concat(
		u("conv1", 64, 7, 2), one(ceilPool(3, 2)), lrn,
		u("conv2", 64, 1, 1), u("conv3", 192, 3, 1), lrn, one(ceilPool(3, 2)),
		u.inception("3a", five, 64, 96, 128, 16, 32, 32),
		u.inception("3b", five, 128, 128, 192, 32, 96, 64), one(ceilPool(3, 2)),
		u.inception("4a", five, 192, 96, 208, 16, 48, 64), u.classifier("aux1", 128, 1024, 0.7),
		u.inception("4b", five, 160, 112, 224, 24, 64, 64),
		u.inception("4c", five, 128, 128, 256, 24, 64, 64),
		u.inception("4d", five, 112, 144, 288, 32, 64, 64), u.classifier("aux2", 128, 1024, 0.7),
		u.inception("4e", five, 256, 160, 320, 32, 128, 128), one(ceilPool(last, 2)),
		u.inception("5a", five, 256, 160, 320, 32, 128, 128),
		u.inception("5b", five, 384, 192, 384, 48, 128, 128),
		[]Part{globalPool, drop(p), classifier("fc")})
}

// responses is local response normalisation in a list.
var responses = one(Part{Kind: PartLRN})

// inceptionBN draws a module of BN-Inception. The columns of Figure 5: 1x1, 3x3 reduce, 3x3, double
// 3x3 reduce, double 3x3, pool and its projection.
func inceptionBN(name string, n1, reduce3, n3, reduceD, nD int, pool Part, proj int) []Part {
	return module("inception"+name,
		withNorm("branch1", n1, 1, 1),
		slices.Concat(withNorm("branch2.0", reduce3, 1, 1), withNorm("branch2.1", n3, 3, 1)),
		slices.Concat(withNorm("branch3.0", reduceD, 1, 1), withNorm("branch3.1", nD, 3, 1), withNorm("branch3.2", nD, 3, 1)),
		slices.Concat(one(pad1(pool)), withNorm("branch4.1", proj, 1, 1)))
}

// halvingBN draws a module that halves the map. The columns: 3x3 reduce, 3x3, double 3x3 reduce,
// double 3x3; its pooling passes all channels on.
func halvingBN(name string, reduce3, n3, reduceD, nD int) []Part {
	return module("inception"+name,
		slices.Concat(withNorm("branch2.0", reduce3, 1, 1), withNorm("branch2.1", n3, 3, 2)),
		slices.Concat(withNorm("branch3.0", reduceD, 1, 1), withNorm("branch3.1", nD, 3, 1), withNorm("branch3.2", nD, 3, 2)),
		one(ceilPool(3, 2)))
}

// bnInception draws Figure 5: 5x5 convolutions are two 3x3 ones, and the modules 3c and 4e halve
// the map.
//
// The figure says 576 channels behind 4c and 4d, and 1024 behind 4e; its columns sum to 608, 608
// and 1056, and the columns are built. They make 11.3 million parameters, where section 4.2 says
// 13.6 million: what the others would be is not said. The text has a separable first convolution
// "with depth multiplier 8", the figure a 7x7: that is built, an ordinary one. Zeros around the map
// count in average poolings. The convolutions have no biases, which β replaces (section 3.2). There
// is no dropout (section 4.2.1), and no auxiliary classifier is mentioned. Names are ours, after
// torchvision's GoogLeNet. proj is the width of the projections in 4c and 4d, 128 in the figure;
// first draws the first convolution.
func bnInception(first unit, proj int) []Part {
	avg := avgPool(3, 1)
	return slices.Concat(
		first("conv1", 64, 7, 2), one(ceilPool(3, 2)),
		withNorm("conv2", 64, 1, 1), withNorm("conv3", 192, 3, 1), one(ceilPool(3, 2)),
		inceptionBN("3a", 64, 64, 64, 64, 96, avg, 32),
		inceptionBN("3b", 64, 64, 96, 64, 96, avg, 64),
		halvingBN("3c", 128, 160, 64, 96),
		inceptionBN("4a", 224, 64, 96, 96, 128, avg, 128),
		inceptionBN("4b", 192, 96, 128, 96, 128, avg, 128),
		inceptionBN("4c", 160, 128, 160, 128, 160, avg, proj),
		inceptionBN("4d", 96, 128, 192, 160, 192, avg, proj),
		halvingBN("4e", 128, 192, 192, 256),
		inceptionBN("5a", 352, 192, 320, 160, 224, avg, 128),
		inceptionBN("5b", 352, 192, 320, 192, 224, maxPool(3, 1), 128),
		one(globalPool))
}

// same pads as TensorFlow does.
func same(p *Part) {
	p.Same = p.Kind == PartConv && p.Stride > 1 && p.Kernel > 1 || p.Kind == PartAvgPool
}

// as changes parts and those of their branches.
func as(change func(*Part), parts []Part) []Part {
	for i := range parts {
		change(&parts[i])
		for _, branch := range parts[i].Branches {
			as(change, branch)
		}
	}
	return parts
}
