package blocks

import (
	"fmt"
	"slices"
	"strconv"

	"resnet/internal/graph"
)

// FamilySpeech are the networks of sequences, built by BuildSequence.
const FamilySpeech = "speech"

// PreActivation is the block of the Wide Residual BLSTM Network: normalisation and ELU before each
// of two 3x3 convolutions.
const PreActivation Block = "pre-activation"

// How the two directions of a recurrent layer are joined.
const (
	DirectionsSum    = "sum"
	DirectionsConcat = "concat"
)

// What a network of sequences classifies.
const (
	OutputFrame     = "frame"
	OutputUtterance = "utterance"
)

// Speech is what a Spec of FamilySpeech has besides Depths, Widths, InputChannels (static features
// and their deltas), Classes and Shortcut (None or OptionB).
type Speech struct {
	Features   int      `json:"features"`   // mel bins: the height of a map
	StemWidth  int      `json:"stem_width"` // channels of the first convolution
	Units      int      `json:"units"`      // of each direction of each recurrent layer
	Directions []string `json:"directions"` // of each recurrent layer: sum or concat
	Dense      int      `json:"dense"`      // units of the layer before the classes; 0 means none
	Dropout    float64  `json:"dropout"`    // probability, in blocks and before recurrent layers
	Output     string   `json:"output"`     // frame or utterance
}

// MaxFrames bounds an utterance: 46 hours of windows of 10 ms.
const MaxFrames = 1 << 24

// Maps is the number of input maps of a network of sequences: 3 for features with deltas of order
// 2.
func (s Spec) Maps() int { return s.InputChannels }

// validateSpeech is Validate for FamilySpeech.
func (s Spec) validateSpeech(fail func(format string, args ...any) error) error {
	p := s.Speech
	switch {
	case s.Block != PreActivation || s.Shortcut != None && s.Shortcut != OptionB:
		return fail("block %q and shortcut %q; %s with none or B", s.Block, s.Shortcut, PreActivation)
	case p == nil:
		return fail("no section speech")
	case p.Features < 1 || p.Features > maxSize:
		return fail("features %d; 1 to %d", p.Features, maxSize)
	case p.StemWidth < 1 || p.StemWidth > maxWidth || p.Units < 1 || p.Units > maxWidth/8 || p.Dense < 0 || p.Dense > maxWidth:
		return fail("stem_width %d, units %d, dense %d; 1 to %d, 1 to %d, 0 to %d", p.StemWidth, p.Units, p.Dense, maxWidth, maxWidth/8, maxWidth)
	case !(p.Dropout >= 0 && p.Dropout < 1):
		return fail("dropout %g; at least 0, below 1", p.Dropout)
	case p.Output != OutputFrame && p.Output != OutputUtterance:
		return fail("output %q; %s or %s", p.Output, OutputFrame, OutputUtterance)
	case len(p.Directions) > 16:
		return fail("%d recurrent layers; at most 16", len(p.Directions))
	}
	for _, d := range p.Directions {
		if d != DirectionsSum && d != DirectionsConcat {
			return fail("directions %q; %s or %s", d, DirectionsSum, DirectionsConcat)
		}
	}
	return nil
}

// BuildSequence makes the graph of s for batches of n utterances of up to so many frames: input [n,
// InputChannels, Features, frames]. Parameters are shared through params, as by Build, between
// graphs of any length. With OutputFrame the labels are [n·frames], -1 where a frame has none, and
// the logits rows [n·frames, Classes]; with OutputUtterance [n] and [n, Classes]. The caller sets
// Graph.Sequences.Lengths before each call of a machine. It fails with ErrSpec if s cannot be
// built.
func BuildSequence(s Spec, n, frames int, mode graph.Mode, params *graph.ParamSet) (*graph.Graph, error) {
	return buildSequence(s, n, frames, mode, params, graph.Options{})
}

func buildSequence(s Spec, n, frames int, mode graph.Mode, params *graph.ParamSet, o graph.Options) (*graph.Graph, error) {
	if err := s.checkSequences(n, frames); err != nil {
		return nil, err
	}
	o.DropoutSeed = params.Seed
	b := graph.NewBuilder(s.Name, mode, params, o)
	logits := Forward(b, s, b.Input(n, s.InputChannels, s.Speech.Features, frames))
	if s.Speech.Output == OutputFrame {
		return b.FinishFrames(logits)
	}
	return b.Finish(b.UtteranceMean(logits))
}

// checkSequences refuses what no graph of a network of sequences can be made of.
func (s Spec) checkSequences(n, frames int) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.Family != FamilySpeech {
		return fmt.Errorf("architecture %q: %w: it takes images, not sequences", s.Name, ErrSpec)
	}
	if n < 1 || frames < 1 || n > graph.MaxBatch || frames > MaxFrames {
		return fmt.Errorf("%s: a batch of %d utterances of %d frames; 1 to %d of 1 to %d", s.Name, n, frames, graph.MaxBatch, MaxFrames)
	}
	return nil
}

// speechHead is the name of the classifier of networks of sequences.
const speechHead = "classifier.1"

// activate is normalisation and ELU. ELU(0) is 0, so that the padding stays 0.
func activate[T any](b net[T], s Spec, name string, x T) T {
	return b.ELU(b.UtteranceNorm(name, x, s.BNEps))
}

// speechConv is a convolution without biases that strides the frequencies alone.
func speechConv[T any](b net[T], name string, x T, filters, kernel, stride int) T {
	return b.Conv(name, x, convOpts{filters: filters, kernel: kernel, stride: stride, rowsOnly: true})
}

// forwardSpeech draws convolution, residual stages, the joining of the frequencies, recurrent
// layers and the classifier: [N, C, F, T] to [N, Classes, 1, T].
func forwardSpeech[T any](b net[T], s Spec, x T) T {
	p := s.Speech
	x = speechConv(b, "conv1", x, p.StemWidth, 3, 2)
	in := p.StemWidth
	for i, width := range s.Widths {
		stage := b.In("layer" + strconv.Itoa(i+1))
		for j := range s.Depths[i] {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			x = preActivation(stage.In(strconv.Itoa(j)), s, x, in, width, stride)
			in = width
		}
	}
	x = activate(b, s, "bn", x)
	x = b.ELU(b.FrequencyLinear("pooler", x))
	for i, directions := range p.Directions {
		x = recurrent(b.In("blstm").In(strconv.Itoa(i)), s, x, directions)
	}
	if p.Dense > 0 {
		c := b.In("classifier")
		x = activate(c, s, "bn", speechConv(c, "0", x, p.Dense, 1, 1))
	}
	return b.FrameClassifier(speechHead, x, s.Classes)
}

// preActivation is a block: y = conv2(drop(act(bn2(conv1(n))))) + id with n = act(bn1(x)), and id a
// projection of n where the shape changes, else x. A plain net has no id. Only the frequency is
// strided, so that every frame keeps its place.
func preActivation[T any](b net[T], s Spec, x T, in, width, stride int) T {
	n := activate(b, s, "bn1", x)
	h := activate(b, s, "bn2", speechConv(b, "conv1", n, width, 3, stride))
	h = speechConv(b, "conv2", b.Dropout("dropout", h, s.Speech.Dropout), width, 3, 1)
	switch {
	case s.Shortcut == None:
		return h
	case in != width || stride != 1:
		return b.Add(h, speechConv(b, "downsample", n, width, 1, stride))
	}
	return b.Add(h, x)
}

// recurrent is a bidirectional LSTM [N, C, 1, T] whose directions are summed or concatenated. The
// gates' inputs are normalised for each utterance; the normalisation's β is the bias.
func recurrent[T any](b net[T], s Spec, x T, directions string) T {
	x = b.Dropout("dropout", x, s.Speech.Dropout)
	var h [2]T
	for i, name := range []string{"forward", "backward"} {
		one := b.In(name)
		gates := one.UtteranceNorm("bn", speechConv(one, "input", x, 4*s.Speech.Units, 1, 1), s.BNEps)
		h[i] = one.LSTM("hidden", gates, i == 1)
	}
	if directions == DirectionsSum {
		return b.Add(h[0], h[1])
	}
	return b.Concat(h[0], h[1])
}

// speechRows are the Wide Residual BLSTM Network (Heymann, Drude and Haeb-Umbach 2016, CHiME-4) as
// its authors published it in their TensorFlow port, and the same without shortcuts, which is ours:
// for comparing. Multiply-adds are of a frame.
var speechRows = []Spec{
	wrbn("wrbn", OptionB, 17_470_229, 99_594_240),
	wrbn("wrbn-plain", None, 17_404_949, 98_775_040),
}

func wrbn(name string, shortcut Shortcut, params, macs int64) Spec {
	return row(Spec{
		Name: name, Family: FamilySpeech, Block: PreActivation, Stem: Stem3x3, Shortcut: shortcut, Depths: []int{3, 3, 3}, Widths: []int{80, 160, 320},
		InputChannels: 3, InputSize: 80, Classes: 2042, Params: params, MACs: macs, Source: "Heymann et al. 2016, the authors' TensorFlow port",
		Speech: &Speech{Features: 80, StemWidth: 16, Units: 512, Directions: []string{DirectionsSum, DirectionsConcat}, Dense: 1024, Output: OutputFrame},
	})
}

func (s *Speech) clone() *Speech {
	if s == nil {
		return nil
	}
	c := *s
	c.Directions = slices.Clone(s.Directions)
	return &c
}
