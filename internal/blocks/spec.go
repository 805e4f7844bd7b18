package blocks

import (
	"errors"
	"fmt"
	"slices"
)

// ErrSpec marks an architecture that cannot be built: an unknown kind or a size out of range.
var ErrSpec = errors.New("invalid architecture")

// Block is the kind of building block.
type Block string

// The blocks of the paper: Fig. 5 left (two 3x3) and right (1x1, 3x3, 1x1 with four times the
// width).
const (
	Basic      Block = "basic"
	Bottleneck Block = "bottleneck"
)

// Stem is what stands before the first stage.
type Stem string

// The stems: a 3x3 convolution (section 4.2), or a 7x7 with stride 2 and a 3x3 max pooling with
// stride 2 (Table 1). The pooling is torchvision's, padded by a pixel, or that of the authors' own
// Caffe networks, without padding and rounded up: 56 windows of 112 pixels either way, which begin
// at pixels -1, 1, 3 or at 0, 2, 4. The deep stem has three 3x3 for the 7x7 (ResNet-D).
const (
	Stem3x3   Stem = "3x3"
	Stem7x7   Stem = "7x7-maxpool"
	StemCaffe Stem = "7x7-maxpool-ceil"
	StemDeep  Stem = "3x3x3-maxpool"
)

// Shortcut is how a block joins its input to its output (section 3.3 and 4.1).
type Shortcut string

// The shortcuts. A: identity, and zero channels where the shape changes (no parameters). B:
// identity, and a 1x1 convolution with batch normalisation where the shape changes. C: such a
// projection in every block. None: a plain net.
const (
	None    Shortcut = "none"
	OptionA Shortcut = "A"
	OptionB Shortcut = "B"
	OptionC Shortcut = "C"
)

// The families of the table; compare --depths means FamilyCIFAR.
const (
	FamilyCIFAR    = "cifar"
	FamilyImageNet = "imagenet"
	FamilyTest     = "test"
)

// Defaults of batch normalisation, PyTorch's; the paper gives neither.
const (
	DefaultBNEps      = 1e-5
	DefaultBNMomentum = 0.1
)

// Spec describes an architecture completely: with the values of its parameters it is the model. It
// survives a round trip through JSON, which is how checkpoints carry it.
type Spec struct {
	Name     string   `json:"name"`
	Family   string   `json:"family"`
	Block    Block    `json:"block"`
	Stem     Stem     `json:"stem,omitempty"`
	Depths   []int    `json:"depths"` // blocks of each stage; all but the first halve the map
	Widths   []int    `json:"widths"` // channels of the 3x3 convolutions in each stage
	Shortcut Shortcut `json:"shortcut"`
	// PadEnd puts the zero channels of option A after the others instead of half on each side.
	PadEnd bool `json:"pad_end,omitempty"`
	// StrideIn3x3 moves a bottleneck's stride from its first 1x1 to its 3x3 ("v1.5").
	StrideIn3x3 bool `json:"stride_in_3x3,omitempty"`

	// What is not the paper's, of nets with stages of blocks alone: see variation.
	Activation  Activation `json:"activation,omitempty"`
	NoBatchNorm bool       `json:"no_batch_norm,omitempty"` // convolutions have biases instead
	StemKernel  int        `json:"stem_kernel,omitempty"`   // 0 means that of the Stem

	Variant

	// Body is there for Block Sequence alone, and then instead of Stem, Depths, Widths and
	// Shortcut.
	Body []Part `json:"body,omitempty"`

	InputChannels int `json:"input_channels"`
	InputSize     int `json:"input_size"` // pixels, height and width
	Classes       int `json:"classes"`

	// Speech is there for FamilySpeech alone.
	Speech *Speech `json:"speech,omitempty"`

	// StochasticDepth is the probability that the last residual branch is left out in training.
	StochasticDepth float64 `json:"stochastic_depth,omitempty"`

	BNEps      float64 `json:"bn_eps"`
	BNMomentum float64 `json:"bn_momentum"` // running = (1-m)*running + m*batch

	Params int64 `json:"params"` // weights, biases, γ and β, with those of auxiliary classifiers
	MACs   int64 `json:"macs"`   // multiply-adds of convolutions and linear layers, for an image

	// PaperError is what the paper reports for exactly this net, or nil.
	PaperError *PaperValue `json:"paper_error,omitempty"`
	Source     string      `json:"source,omitempty"`    // where the row comes from
	TestOnly   bool        `json:"test_only,omitempty"` // left out of Names

	// dropped is the part of a block that is left out; nil of a whole net. No file has it.
	dropped *dropped
}

// PaperValue is a published error in percent, with the protocol it was measured by.
type PaperValue struct {
	Dataset string   `json:"dataset"`
	Top1    float64  `json:"top1"`           // the best run where several are reported
	Top5    *float64 `json:"top5,omitempty"` // nil where the paper gives none
	Mean    float64  `json:"mean,omitempty"` // with Std over Runs, where reported
	Std     float64  `json:"std,omitempty"`
	Runs    int      `json:"runs,omitempty"`
	Crops   int      `json:"crops"`
	Source  string   `json:"source"`
}

// Depth is the number of layers with weights that the paper counts: projections are not among them.
func (s Spec) Depth() int {
	if s.Block == Sequence {
		return depthOf(s.Body)
	}
	n := 0
	for _, d := range s.Depths {
		n += d
	}
	switch {
	case s.Block == Bottleneck, s.Block == PreBottleneck:
		return 3*n + 2
	case s.Block == PreActivation, s.Block == PreBasic && s.Shortcut == OptionB:
		return 2*n + 4 // with three projections, as Zagoruyko and Komodakis (2016) count: 6N+4
	}
	return 2*n + 2
}

// clone copies what a Spec points to, so that a caller cannot change the table.
func (s Spec) clone() Spec {
	s.Depths = slices.Clone(s.Depths)
	s.Widths = slices.Clone(s.Widths)
	s.Speech = s.Speech.clone()
	s.Body = cloneParts(s.Body)
	if s.PaperError != nil {
		v := *s.PaperError
		s.PaperError = &v
	}
	return s
}

// Limits of a Spec. They are far above any known net and keep the arithmetic of shapes and counts
// in range, whatever a checkpoint's metadata says.
const (
	maxBlocks  = 10_000
	maxWidth   = 16_384
	maxClasses = 1 << 20
	maxSize    = 16_384
)

// Validate reports, wrapping ErrSpec, the first thing that makes the Spec impossible to build.
func (s Spec) Validate() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("architecture %q: %w: %s", s.Name, ErrSpec, fmt.Sprintf(format, args...))
	}
	speech, sequence := s.Family == FamilySpeech, s.Block == Sequence
	if speech {
		if err := s.validateSpeech(fail); err != nil {
			return err
		}
	}
	switch {
	case s.Speech != nil && !speech:
		return fail("a section speech in the family %q", s.Family)
	case len(s.Body) > 0 && !sequence:
		return fail("a body, and block %q", s.Block)
	case !speech && !sequence && !slices.Contains(residualBlocks, s.Block):
		return fail("block %q; basic, bottleneck, %s, %s or sequence", s.Block, PreBasic, PreBottleneck)
	case !sequence && !slices.Contains(stems, s.Stem):
		return fail("stem %q; one of %q", s.Stem, stems)
	case !slices.Contains([]Shortcut{None, OptionA, OptionB, OptionC}, s.Shortcut):
		return fail("shortcut %q; none, A, B or C", s.Shortcut)
	case !sequence && len(s.Depths) == 0 || len(s.Depths) != len(s.Widths):
		return fail("%d depths and %d widths; one of each for every stage", len(s.Depths), len(s.Widths))
	case s.InputChannels < 1 || s.InputChannels > maxWidth:
		return fail("input_channels %d; 1 to %d", s.InputChannels, maxWidth)
	case s.InputSize < 1 || s.InputSize > maxSize:
		return fail("input_size %d; 1 to %d", s.InputSize, maxSize)
	case s.Classes < 1 || s.Classes > maxClasses:
		return fail("classes %d; 1 to %d", s.Classes, maxClasses)
	case !(s.BNEps > 0 && s.BNEps < 1):
		return fail("bn_eps %g; above 0, below 1", s.BNEps)
	case !(s.StochasticDepth >= 0 && s.StochasticDepth < 1) || s.StochasticDepth > 0 && !s.branches():
		return fail("stochastic_depth %g; above 0, below 1 for residual networks of images, 0 for others", s.StochasticDepth)
	case !(s.BNMomentum > 0 && s.BNMomentum <= 1):
		return fail("bn_momentum %g; above 0, at most 1", s.BNMomentum)
	}
	if wrong := s.wrongVariation(); wrong != "" {
		return fail("%s", wrong)
	}
	if sequence {
		return s.validateBody(fail)
	}
	if wrong := s.wrongVariant(); wrong != "" {
		return fail("%s", wrong)
	}
	blocks := 0
	for i := range s.Depths {
		if s.Depths[i] < 1 || s.Depths[i] > maxBlocks {
			return fail("depths[%d] is %d; 1 to %d", i, s.Depths[i], maxBlocks)
		}
		if s.Widths[i] < 1 || s.Widths[i] > maxWidth {
			return fail("widths[%d] is %d; 1 to %d", i, s.Widths[i], maxWidth)
		}
		if i > 0 && s.Shortcut == OptionA && s.Widths[i] < s.Widths[i-1] {
			return fail("widths[%d] is %d after %d; option A cannot drop channels", i, s.Widths[i], s.Widths[i-1])
		}
		if blocks += s.Depths[i]; blocks > maxBlocks {
			return fail("more than %d blocks", maxBlocks)
		}
	}
	return nil
}
