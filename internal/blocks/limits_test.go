package blocks

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"resnet/internal/graph"
)

// Each field at a limit is taken, and refused one step beyond it with its name.
func TestLimitsOfASpec(t *testing.T) {
	eps := math.Nextafter(0, 1)
	for _, c := range []struct {
		row, want     string
		good, further func(*Spec)
	}{
		{"resnet20", "input_channels 0", func(s *Spec) { s.InputChannels = 1 }, func(s *Spec) { s.InputChannels = 0 }},
		{"resnet20", "input_channels 16385", func(s *Spec) { s.InputChannels = maxWidth }, func(s *Spec) { s.InputChannels = maxWidth + 1 }},
		{"resnet20", "input_size 0", func(s *Spec) { s.InputSize = 1 }, func(s *Spec) { s.InputSize = 0 }},
		{"resnet20", "input_size 16385", func(s *Spec) { s.InputSize = maxSize }, func(s *Spec) { s.InputSize = maxSize + 1 }},
		{"resnet20", "classes 0", func(s *Spec) { s.Classes = 1 }, func(s *Spec) { s.Classes = 0 }},
		{"resnet20", "classes 1048577", func(s *Spec) { s.Classes = maxClasses }, func(s *Spec) { s.Classes = maxClasses + 1 }},
		{"resnet20", "bn_eps 0", func(s *Spec) { s.BNEps = eps }, func(s *Spec) { s.BNEps = 0 }},
		{"resnet20", "bn_eps 1", func(s *Spec) { s.BNEps = math.Nextafter(1, 0) }, func(s *Spec) { s.BNEps = 1 }},
		{"resnet20", "bn_momentum 0", func(s *Spec) { s.BNMomentum = eps }, func(s *Spec) { s.BNMomentum = 0 }},
		{"resnet20", "bn_momentum 1.0", func(s *Spec) { s.BNMomentum = 1 }, func(s *Spec) { s.BNMomentum = math.Nextafter(1, 2) }},
		{"resnet20", "depths[1] is 0", func(s *Spec) { s.Depths[1] = 1 }, func(s *Spec) { s.Depths[1] = 0 }},
		{"resnet20", "more than 10000 blocks", func(s *Spec) { s.Depths = []int{maxBlocks - 2, 1, 1} }, func(s *Spec) { s.Depths = []int{maxBlocks - 1, 1, 1} }},
		{"resnet20", "depths[0] is 10001", func(s *Spec) { s.Depths, s.Widths = []int{maxBlocks}, []int{16} }, func(s *Spec) { s.Depths, s.Widths = []int{maxBlocks + 1}, []int{16} }},
		{"resnet20b", "widths[0] is 0", func(s *Spec) { s.Widths[0] = 1 }, func(s *Spec) { s.Widths[0] = 0 }},
		{"resnet20b", "widths[2] is 16385", func(s *Spec) { s.Widths[2] = maxWidth }, func(s *Spec) { s.Widths[2] = maxWidth + 1 }},
		{"resnet20", "option A cannot drop channels", func(s *Spec) { s.Widths[2] = 32 }, func(s *Spec) { s.Widths[2] = 31 }},
		{"resnet20b", "0 depths and 0 widths", func(s *Spec) { s.Widths[2] = 31 }, func(s *Spec) { s.Depths, s.Widths = nil, nil }},
		{"resnet20", "a section speech", func(s *Spec) {}, func(s *Spec) { s.Speech = &Speech{} }},
		{"wrbn", "no section speech", func(s *Spec) {}, func(s *Spec) { s.Speech = nil }},
		{"wrbn", "features 0", func(s *Spec) { s.Speech.Features = 1 }, func(s *Spec) { s.Speech.Features = 0 }},
		{"wrbn", "features 16385", func(s *Spec) { s.Speech.Features = maxSize }, func(s *Spec) { s.Speech.Features = maxSize + 1 }},
		{"wrbn", "stem_width 0", func(s *Spec) { s.Speech.StemWidth = 1 }, func(s *Spec) { s.Speech.StemWidth = 0 }},
		{"wrbn", "stem_width 16385", func(s *Spec) { s.Speech.StemWidth = maxWidth }, func(s *Spec) { s.Speech.StemWidth = maxWidth + 1 }},
		{"wrbn", "units 0", func(s *Spec) { s.Speech.Units = 1 }, func(s *Spec) { s.Speech.Units = 0 }},
		{"wrbn", "units 2049", func(s *Spec) { s.Speech.Units = maxWidth / 8 }, func(s *Spec) { s.Speech.Units = maxWidth/8 + 1 }},
		{"wrbn", "dense -1", func(s *Spec) { s.Speech.Dense = 0 }, func(s *Spec) { s.Speech.Dense = -1 }},
		{"wrbn", "dense 16385", func(s *Spec) { s.Speech.Dense = maxWidth }, func(s *Spec) { s.Speech.Dense = maxWidth + 1 }},
		{"wrbn", "dropout 1", func(s *Spec) { s.Speech.Dropout = math.Nextafter(1, 0) }, func(s *Spec) { s.Speech.Dropout = 1 }},
		{"wrbn", "dropout -", func(s *Spec) { s.Speech.Dropout = 0 }, func(s *Spec) { s.Speech.Dropout = -eps }},
		{"wrbn", `output ""`, func(s *Spec) { s.Speech.Output = OutputUtterance }, func(s *Spec) { s.Speech.Output = "" }},
		{
			"wrbn", "17 recurrent layers", func(s *Spec) { s.Speech.Directions = slices.Repeat([]string{DirectionsSum}, 16) },
			func(s *Spec) { s.Speech.Directions = slices.Repeat([]string{DirectionsSum}, 17) },
		},
		{"wrbn", `directions "both"`, func(s *Spec) { s.Speech.Directions = []string{DirectionsConcat} }, func(s *Spec) { s.Speech.Directions = []string{DirectionsSum, "both"} }},
		{"wrbn", `shortcut "A"`, func(s *Spec) { s.Shortcut = None }, func(s *Spec) { s.Shortcut = OptionA }},
	} {
		s, err := Lookup(c.row)
		if err != nil {
			t.Fatal(err)
		}
		good, further := s.clone(), s.clone()
		c.good(&good)
		c.further(&further)
		if err := good.Validate(); err != nil {
			t.Errorf("at the limit of %q: %v", c.want, err)
		}
		if err := further.Validate(); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.row) {
			t.Errorf("%v; want %q", err, c.want)
		}
	}
}

// The depth counts the layers that the paper counts: two or three for each block, the first and the
// last; of pre-activation blocks the three projections too.
func TestDepthsOfEachKindOfBlock(t *testing.T) {
	for _, c := range []struct {
		block Block
		want  int
	}{{Basic, 2*6 + 2}, {Bottleneck, 3*6 + 2}, {PreActivation, 2*6 + 4}} {
		if got := (Spec{Block: c.block, Depths: []int{1, 2, 3}}).Depth(); got != c.want {
			t.Errorf("%s: %d layers, want %d", c.block, got, c.want)
		}
	}
}

func newParams() *graph.ParamSet { return graph.NewParamSet(1) }

func second(_ *graph.Graph, err error) error { return err }

func TestSizesOfGraphsOutOfRangeAreRefused(t *testing.T) {
	images, _ := Lookup("tiny-a")
	vgg, _ := Lookup("tiny-vgg")
	speech := smallSpeech(speechRows[0])
	for name, err := range map[string]error{
		"no images":             second(Build(images, 0, graph.Train, newParams())),
		"no height":             second(BuildSized(images, 1, 0, 9, graph.Train, newParams())),
		"too wide":              second(BuildSized(images, 1, 9, maxSize+1, graph.Train, newParams())),
		"another size for VGG":  second(BuildSized(vgg, 1, 15, 14, graph.Train, newParams())),
		"another width for VGG": second(BuildSized(vgg, 1, 14, 15, graph.Train, newParams())),
		"smaller than itself":   second(BuildDense(vgg, 1, 13, 14, newParams())),
		"narrower than itself":  second(BuildDense(vgg, 1, 14, 13, newParams())),
		"no utterances":         second(BuildSequence(speech, 0, 4, graph.Train, newParams())),
		"no frames":             second(BuildSequence(speech, 1, 0, graph.Train, newParams())),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, err := range map[string]error{
		"one image": second(Build(images, 1, graph.Eval, newParams())), "its own size": second(BuildSized(vgg, 1, 14, 14, graph.Eval, newParams())),
		"a pixel": second(BuildSized(images, 1, 1, 1, graph.Eval, newParams())), "one frame": second(BuildSequence(speech, 1, 1, graph.Eval, newParams())),
		"the dense form at its size": second(BuildDense(vgg, 1, 14, 14, newParams())), "and beyond": second(BuildDense(vgg, 1, 15, 14, newParams())),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
