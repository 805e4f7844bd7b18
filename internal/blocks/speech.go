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

// What a network of sequences tells apart.
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
	Dense      int      `json:"dense"`      // units of the hidden layer before the classes; 0 means none
	Dropout    float64  `json:"dropout"`    // probability, in blocks and before recurrent layers
	Output     string   `json:"output"`     // frame or utterance
}

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
	d := sequenceNet{b, s}
	logits := d.forward(b.Input(n, s.InputChannels, s.Speech.Features, frames))
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
	if n < 1 || frames < 1 {
		return fmt.Errorf("%s: a batch of %d utterances of %d frames; at least 1", s.Name, n, frames)
	}
	return nil
}

// sequenceNet draws a network of sequences at the Builder's scope.
type sequenceNet struct {
	b *graph.Builder
	s Spec
}

func (d sequenceNet) in(scope string) sequenceNet { return sequenceNet{d.b.In(scope), d.s} }

// activate is normalisation and ELU. ELU(0) is 0, so that the padding stays 0.
func (d sequenceNet) activate(name string, x *graph.Node) *graph.Node {
	return d.b.ELU(d.b.UtteranceNorm(name, x, d.s.BNEps), 1)
}

func (d sequenceNet) conv(name string, x *graph.Node, filters, kernel, stride int) *graph.Node {
	return d.b.Conv(name, x, graph.ConvOpts{Filters: filters, Kernel: kernel, Stride: stride, StrideW: 1, Pad: (kernel - 1) / 2})
}

// forward draws convolution, residual stages, the joining of the frequencies, recurrent layers and
// the classifier: [N, C, F, T] to [N, Classes, 1, T].
func (d sequenceNet) forward(x *graph.Node) *graph.Node {
	p := d.s.Speech
	x = d.conv("conv1", x, p.StemWidth, 3, 2)
	in := p.StemWidth
	for i, width := range d.s.Widths {
		stage := d.in("layer" + strconv.Itoa(i+1))
		for j := range d.s.Depths[i] {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			x = stage.in(strconv.Itoa(j)).block(x, in, width, stride)
			in = width
		}
	}
	x = d.activate("bn", x)
	x = d.b.ELU(d.b.FrequencyLinear("pooler", x), 1)
	for i, directions := range p.Directions {
		x = d.in("blstm").in(strconv.Itoa(i)).recurrent(x, directions)
	}
	c := d.in("classifier")
	if p.Dense > 0 {
		x = c.activate("bn", c.conv("0", x, p.Dense, 1, 1))
	}
	return c.b.ChannelBias("1", c.conv("1", x, d.s.Classes, 1, 1))
}

// block is a pre-activation block: y = conv2(drop(act(bn2(conv1(n))))) + id with n = act(bn1(x)),
// and id a projection of n where the shape changes, else x. A plain net has no id. Only the
// frequency is strided, so that every frame keeps its place.
func (d sequenceNet) block(x *graph.Node, in, width, stride int) *graph.Node {
	n := d.activate("bn1", x)
	h := d.activate("bn2", d.conv("conv1", n, width, 3, stride))
	h = d.conv("conv2", d.b.Dropout("dropout", h, d.s.Speech.Dropout), width, 3, 1)
	switch {
	case d.s.Shortcut == None:
		return h
	case in != width || stride != 1:
		return d.b.Add(h, d.conv("downsample", n, width, 1, stride))
	}
	return d.b.Add(h, x)
}

// recurrent is a bidirectional LSTM [N, C, 1, T] whose directions are summed or concatenated. The
// gates' inputs are normalised for each utterance; the normalisation's β is the bias.
func (d sequenceNet) recurrent(x *graph.Node, directions string) *graph.Node {
	x = d.b.Dropout("dropout", x, d.s.Speech.Dropout)
	var h [2]*graph.Node
	for i, name := range []string{"forward", "backward"} {
		one := d.in(name)
		gates := one.b.UtteranceNorm("bn", one.conv("input", x, 4*d.s.Speech.Units, 1, 1), d.s.BNEps)
		h[i] = one.b.LSTM("hidden", gates, i == 1)
	}
	if directions == DirectionsSum {
		return d.b.Add(h[0], h[1])
	}
	return d.b.Concat(h[0], h[1])
}

// layers lists the layers with weights, for one frame of an utterance: their multiply-adds are
// those of a frame.
func (d sequenceNet) layers() []Layer {
	s, p := d.s, d.s.Speech
	var list []Layer
	rows := p.Features
	last := "input"
	add := func(l Layer) {
		l.Inputs = []string{last}
		last = l.Name
		list = append(list, l)
	}
	conv := func(name string, in, out, kernel, stride int) {
		detail := window(kernel, 1)
		if stride > 1 {
			detail += fmt.Sprintf(" /%dx1", stride)
		}
		weights := int64(in) * int64(out) * int64(kernel) * int64(kernel)
		add(Layer{Name: name, Type: "conv", Detail: detail, Output: []int{out, rows}, Params: weights, MACs: weights * int64(rows)})
	}
	norm := func(name string, c int) {
		add(Layer{Name: name, Type: "utterance-norm", Output: []int{c, rows}, Params: 2 * int64(c)})
	}
	half := func() { rows = (rows + 1) / 2 }
	half()
	conv("conv1", s.InputChannels, p.StemWidth, 3, 2)
	in := p.StemWidth
	for i, width := range s.Widths {
		for j := range s.Depths[i] {
			scope := fmt.Sprintf("layer%d.%d.", i+1, j)
			stride := 1
			norm(scope+"bn1", in)
			if i > 0 && j == 0 {
				stride = 2
				half()
			}
			conv(scope+"conv1", in, width, 3, stride)
			norm(scope+"bn2", width)
			conv(scope+"conv2", width, width, 3, 1)
			if s.Shortcut != None && (in != width || stride != 1) {
				conv(scope+"downsample", in, width, 1, stride)
			}
			in = width
		}
	}
	norm("bn", in)
	add(Layer{Name: "pooler", Type: "frequency-linear", Output: []int{in, 1}, Params: int64(rows) + 1, MACs: int64(rows) * int64(in)})
	rows = 1
	for i, directions := range p.Directions {
		for _, name := range []string{"forward", "backward"} {
			scope := fmt.Sprintf("blstm.%d.%s.", i, name)
			conv(scope+"input", in, 4*p.Units, 1, 1)
			norm(scope+"bn", 4*p.Units)
			weights := 4 * int64(p.Units) * int64(p.Units)
			add(Layer{Name: scope + "hidden", Type: "lstm", Output: []int{p.Units, 1}, Params: weights, MACs: weights})
		}
		in = p.Units
		if directions == DirectionsConcat {
			in = 2 * p.Units
		}
	}
	if p.Dense > 0 {
		conv("classifier.0", in, p.Dense, 1, 1)
		norm("classifier.bn", p.Dense)
		in = p.Dense
	}
	weights := int64(in) * int64(s.Classes)
	add(Layer{Name: "classifier.1", Type: "linear", Output: []int{s.Classes}, Params: weights + int64(s.Classes), MACs: weights})
	return list
}

// speechRows are the Wide Residual BLSTM Network (Heymann, Drude and Haeb-Umbach 2016, CHiME-4) as
// its authors published it in their TensorFlow port, and the same without shortcuts, which is ours:
// for comparing. Multiply-adds are of a frame.
var speechRows = []Spec{
	wrbn("wrbn", OptionB, 17_470_229, 99_594_240),
	wrbn("wrbn-plain", None, 17_404_949, 98_775_040),
}

func wrbn(name string, shortcut Shortcut, params, macs int64) Spec {
	return row(Spec{Name: name, Family: FamilySpeech, Block: PreActivation, Stem: Stem3x3, Shortcut: shortcut, Depths: []int{3, 3, 3}, Widths: []int{80, 160, 320},
		InputChannels: 3, InputSize: 80, Classes: 2042, Params: params, MACs: macs, Source: "Heymann et al. 2016, the authors' TensorFlow port",
		Speech: &Speech{Features: 80, StemWidth: 16, Units: 512, Directions: []string{DirectionsSum, DirectionsConcat}, Dense: 1024, Output: OutputFrame}})
}

func (s *Speech) clone() *Speech {
	if s == nil {
		return nil
	}
	c := *s
	c.Directions = slices.Clone(s.Directions)
	return &c
}
