package blocks

import (
	"fmt"

	"resnet/internal/graph"
)

// The blocks of He et al. 2016b (arXiv:1603.05027), Fig. 4(e): normalisation and ReLU before each
// convolution, nothing behind the addition.
const (
	PreBasic      Block = "preact-basic"
	PreBottleneck Block = "preact-bottleneck"
)

// residualBlocks and stems are those of nets of stages of equal blocks.
var (
	residualBlocks = []Block{Basic, Bottleneck, PreBasic, PreBottleneck}
	stems          = []Stem{Stem3x3, Stem7x7, StemCaffe, StemDeep}
)

// Variant is what later papers changed in the nets of stages of equal blocks. Its zero value is the
// paper's net.
type Variant struct {
	// StemWidth is the number of channels of the stem; 0 means those of the first stage.
	StemWidth int `json:"stem_width,omitempty"`
	// Groups are those of a bottleneck's 3x3 convolution, 0 means 1 (Xie et al. 2017). Widen makes
	// it so many times as wide as Widths says, 0 means 1; what follows stays four times Widths.
	Groups int `json:"groups,omitempty"`
	Widen  int `json:"widen,omitempty"`
	// AvgDown is the shortcut of ResNet-D (He et al. 2019, Fig. 2c): an average pooling of 2x2
	// where the map halves, before a 1x1 convolution without stride.
	AvgDown bool `json:"avg_down,omitempty"`
	// SE is squeeze-and-excitation before the addition (Hu et al. 2018): its hidden layer has the
	// block's channels divided by so many, rounded to a multiple of 8 as in timm; 0 means none.
	SE int `json:"se,omitempty"`
	// DropRate is the probability of dropout between the convolutions of a PreBasic block
	// (Zagoruyko and Komodakis 2016, section 2.4).
	DropRate float64 `json:"drop_rate,omitempty"`
}

// wrongVariant says what is wrong with a Variant, or "".
func (s Spec) wrongVariant() string {
	v := s.Variant
	if s.Family == FamilySpeech {
		if v != (Variant{}) {
			return "a network of speech has no groups, widening, average shortcuts, squeeze-and-excitation or drop_rate"
		}
		return ""
	}
	between := func(v, most int) bool { return v >= 0 && v <= most }
	switch {
	case !between(v.StemWidth, maxWidth) || !between(v.Groups, maxWidth) || !between(v.Widen, 64) || !between(v.SE, maxWidth):
		return fmt.Sprintf("stem_width %d, groups %d, widen %d, se %d; each at least 0, at most %d, %d, 64 and %d", v.StemWidth, v.Groups, v.Widen, v.SE, maxWidth, maxWidth, maxWidth)
	case (v.Groups > 1 || v.Widen > 1) && s.Block != Bottleneck:
		return fmt.Sprintf("groups and widen are for block %s, and this is %s", Bottleneck, s.Block)
	case (v.SE > 0 || v.AvgDown) && s.preActivated():
		return fmt.Sprintf("se and avg_down are not for block %s", s.Block)
	case !(v.DropRate >= 0 && v.DropRate < 1):
		return fmt.Sprintf("drop_rate %g; at least 0, below 1", v.DropRate)
	case v.DropRate > 0 && s.Block != PreBasic:
		return fmt.Sprintf("drop_rate is for block %s, and this is %s", PreBasic, s.Block)
	case s.Shortcut == OptionA && s.stemWidth() > s.out(s.Widths[0]):
		return fmt.Sprintf("a stem of %d channels before %d; option A cannot drop channels", s.stemWidth(), s.out(s.Widths[0]))
	case s.Stem == StemDeep && s.stemWidth()%2 != 0:
		return fmt.Sprintf("a deep stem of %d channels; its first convolutions have half of them", s.stemWidth())
	case s.preActivated() && s.Stem != Stem3x3:
		return fmt.Sprintf("block %s has stem %s", s.Block, Stem3x3)
	}
	for i, w := range s.Widths {
		if v.inner(w) > maxWidth || v.Groups > 1 && v.inner(w)%v.Groups != 0 {
			return fmt.Sprintf("widths[%d] is %d, widened to %d channels in %d groups", i, w, v.inner(w), v.Groups)
		}
	}
	return ""
}

// stemWidth is the number of channels before the first stage.
func (s Spec) stemWidth() int {
	if s.StemWidth > 0 {
		return s.StemWidth
	}
	return s.Widths[0]
}

// preActivated reports whether the blocks are those of He et al. 2016b.
func (s Spec) preActivated() bool { return s.Block == PreBasic || s.Block == PreBottleneck }

// out is the number of channels behind a block.
func (s Spec) out(width int) int {
	if s.Block == Bottleneck || s.Block == PreBottleneck {
		return expansion * width
	}
	return width
}

// inner is the number of channels of a bottleneck's 3x3 convolution.
func (v Variant) inner(width int) int { return width * max(1, v.Widen) }

// deepStem is three 3x3 convolutions, the first of which halves the map; the normalisation behind
// the last one is the net's bn1. Names are timm's and torchvision's of a Sequential.
func deepStem[T any](b net[T], x T, width int) T {
	for i, c := range []convOpts{{filters: width / 2, kernel: 3, stride: 2}, {filters: width / 2, kernel: 3, stride: 1}} {
		x = b.Conv(fmt.Sprint(3*i), x, c)
		x = b.ReLU(b.BatchNorm(fmt.Sprint(3*i+1), x))
	}
	return b.Conv("6", x, convOpts{filters: width, kernel: 3, stride: 1})
}

// averageDown is the projection of ResNet-D. Its pooling is part 0 of timm's Sequential, without
// parameters; on maps of an odd size the last window is of what there is.
func averageDown[T any](b net[T], x T, s blockSpec) T {
	if s.Stride > 1 {
		x = b.AvgPool("0", x, graph.PoolOpts{Kernel: s.Stride, Stride: s.Stride, Ceil: true, ExcludePad: true})
	}
	return b.BatchNorm("2", b.Conv("1", x, convOpts{filters: s.Out, kernel: 1, stride: 1}))
}

// excite is squeeze-and-excitation: the mean of each channel goes through two fully connected
// layers to a factor for it. Names are timm's.
func excite[T any](b net[T], x T, s blockSpec) T {
	if s.SE == 0 {
		return x
	}
	se := b.In("se")
	f := se.ReLU(se.ChannelLinear("fc1", se.GlobalAvgPool(x), max(8, (s.Out+4*s.SE)/(8*s.SE)*8)))
	return se.Excite(x, se.ChannelLinear("fc2", f, s.Out))
}

// preActivate is normalisation and ReLU, and what the shortcut sees: x itself, or in the first
// block of the net and where the shape changes the same activation (He et al. 2016b, appendix, and
// the code of its authors; Zagoruyko and Komodakis too).
func preActivate[T any](b net[T], x T, s blockSpec) (f, shortcut T) {
	f = b.ReLU(b.BatchNorm("bn1", x))
	if s.First || s.Stride != 1 || s.In != s.Out {
		return f, f
	}
	return f, x
}

// preBasic is the pre-activation block of two 3x3 convolutions.
func preBasic[T any](b net[T], x T, s blockSpec) T {
	f, x := preActivate(b, x, s)
	f = b.Conv("conv1", f, convOpts{filters: s.Width, kernel: 3, stride: s.Stride})
	f = b.ReLU(b.BatchNorm("bn2", f))
	f = b.Conv("conv2", b.Dropout("dropout", f, s.DropRate), convOpts{filters: s.Out, kernel: 3, stride: 1})
	return joinPreActivated(b, f, x, s)
}

// preBottleneck is the pre-activation block of 1x1, 3x3 and 1x1 convolutions.
func preBottleneck[T any](b net[T], x T, s blockSpec) T {
	first, middle := s.Stride, 1
	if s.StrideIn3x3 {
		first, middle = 1, s.Stride
	}
	f, x := preActivate(b, x, s)
	f = b.Conv("conv1", f, convOpts{filters: s.Width, kernel: 1, stride: first})
	f = b.ReLU(b.BatchNorm("bn2", f))
	f = b.Conv("conv2", f, convOpts{filters: s.Width, kernel: 3, stride: middle})
	f = b.ReLU(b.BatchNorm("bn3", f))
	f = b.Conv("conv3", f, convOpts{filters: s.Out, kernel: 1, stride: 1})
	return joinPreActivated(b, f, x, s)
}

// joinPreActivated is join with projections that are a convolution alone: what it reads has been
// normalised.
func joinPreActivated[T any](b net[T], f, x T, s blockSpec) T {
	changes := s.Stride != 1 || s.In != s.Out
	if s.Shortcut == OptionC || s.Shortcut == OptionB && changes {
		return b.Add(f, b.In("downsample").Conv("0", x, convOpts{filters: s.Out, kernel: 1, stride: s.Stride}))
	}
	return join(b, f, x, s)
}
