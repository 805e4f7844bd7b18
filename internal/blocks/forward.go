package blocks

import (
	"fmt"

	"resnet/internal/graph"
)

// residualHead is the name of the classifier of residual and plain nets, torchvision's.
const residualHead = "fc"

// forward draws a whole net: stem, stages of blocks, global average pooling and the classifier
// (Table 1, section 4.2). x [N, C, H, W] becomes logits [N, classes].
func forward[T any](b net[T], s Spec, x T) T {
	switch {
	case s.Family == FamilySpeech:
		return forwardSpeech(b, s, x)
	case s.Block == Sequence:
		return sequence(b, s, s.Body, x)
	}
	b = vary(b, s)
	x = stem(b, s, x)
	in := s.stemWidth()
	block := blockFunc[T](s.Block)
	for i, width := range s.Widths {
		stage := b.In(fmt.Sprintf("layer%d", i+1))
		for j := range s.Depths[i] {
			p := blockSpec{
				In: in, Width: width, Out: s.out(width), Stride: 1,
				Shortcut: s.Shortcut, PadEnd: s.PadEnd, StrideIn3x3: s.StrideIn3x3,
				Variant: s.Variant, First: i == 0 && j == 0,
			}
			if i > 0 && j == 0 {
				p.Stride = 2
			}
			x = rest(s, fmt.Sprintf("layer%d.%d", i+1, j), block)(stage.In(fmt.Sprint(j)), x, p)
			in = p.Out
		}
	}
	if s.preActivated() {
		x = b.ReLU(b.BatchNorm("bn1", x)) // of the last addition
	}
	return b.Classifier(residualHead, b.GlobalAvgPool(x), s.Classes)
}

// stem draws what stands before the first stage. Before pre-activation blocks it is the convolution
// alone: normalisation and ReLU are the first block's.
func stem[T any](b net[T], s Spec, x T) T {
	first := convOpts{filters: s.stemWidth(), kernel: 7, stride: 2}
	pool := graph.PoolOpts{Kernel: 3, Stride: 2, Pad: 1}
	switch s.Stem {
	case StemDeep:
		return b.MaxPool("maxpool", b.ReLU(b.BatchNorm("bn1", deepStem(b.In("conv1"), x, s.stemWidth()))), pool)
	case Stem3x3:
		first.kernel, first.stride = 3, 1
	case StemCaffe:
		pool.Pad, pool.Ceil = 0, true
	}
	if s.StemKernel > 0 {
		first.kernel = s.StemKernel
	}
	x = b.Conv("conv1", x, first)
	if s.preActivated() {
		return x
	}
	x = b.ReLU(b.BatchNorm("bn1", x))
	if s.Stem == Stem3x3 {
		return x
	}
	return b.MaxPool("maxpool", x, pool)
}
