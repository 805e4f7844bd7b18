package blocks

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// bodySpec is a valid net around a body.
func bodySpec(t *testing.T, body ...Part) Spec {
	t.Helper()
	s, err := Lookup("tiny-googlenet")
	if err != nil {
		t.Fatal(err)
	}
	s.Body = body
	return s
}

// A checkpoint may say anything of its architecture.
func TestBodiesThatCannotBeAreRefused(t *testing.T) {
	end := classifier("fc")
	many := slices.Repeat(one(rectify), maxParts)
	nested := one(rectify)
	for range maxNesting + 1 {
		nested = module("m", nested)
	}
	auxiliary := func(weight float64, branches ...[]Part) Part {
		return Part{Kind: PartAux, Name: "aux", LossWeight: weight, Branches: branches}
	}
	logits := []Part{globalPool, classifier("fc1")}
	// Each body is refused for its first part alone: with globalPool and end, others would do.
	for _, c := range []struct {
		first []Part
		want  string
	}{
		{one(Part{Kind: "fold"}), "fold : not a kind of part"},
		{one(end), "fc: a fully connected layer on maps"},
		{one(conv("c.", 3, 3, 1)), "a name with an empty part"},
		{one(conv(".c", 3, 3, 1)), "a name with an empty part"},
		{one(conv("c..d", 3, 3, 1)), "a name with an empty part"},
		{one(conv("", 3, 3, 1)), "it needs a name"},
		{one(conv("c", 0, 3, 1)), "an odd kernel"},
		{one(conv("c", maxWidth+1, 3, 1)), "an odd kernel"},
		{one(conv("c", 3, 2, 1)), "an odd kernel"},
		{one(conv("c", 3, 65, 1)), "an odd kernel"},
		{one(conv("c", 3, -1, 1)), "an odd kernel"},
		{one(conv("c", 3, 3, 0)), "an odd kernel"},
		{one(conv("c", 3, 3, -1)), "an odd kernel"},
		{[]Part{conv("c", 3, 1, 1), conv("c", 3, 1, 1)}, "c: two layers of this name"},
		{one(Part{Kind: PartNorm}), "it needs a name"},
		{one(Part{Kind: PartPReLU}), "it needs a name"},
		{one(maxPool(99, 1)), "a window of 99 pixels on maps of 41"},
		{one(maxPool(0, 1)), "kernel and stride at least 1"},
		{one(avgPool(2, 0)), "kernel and stride at least 1"},
		{one(Part{Kind: PartMaxPool, Kernel: 3, Stride: 1, Pad: 2}), "pad at most half the kernel"},
		{one(Part{Kind: PartMaxPool, Kernel: 3, Stride: 1, Pad: -1}), "pad at most half the kernel"},
		{[]Part{globalPool, maxPool(1, 1)}, "a window of 1 pixels on maps of 0"},
		{[]Part{globalPool, fc("f", -1)}, "at most 16384 units"},
		{[]Part{globalPool, fc("f", maxWidth+1)}, "at most 16384 units"},
		{one(drop(1)), "rate at least 0, below 1"},
		{one(drop(-0.1)), "rate at least 0, below 1"},
		{one(drop(math.NaN())), "rate at least 0, below 1"},
		{one(Part{Kind: PartPyramid, Name: "p"}), "1 to 8 levels"},
		{one(Part{Kind: PartPyramid, Name: "p", Levels: []int{0}}), "levels of 1 to 64 bins"},
		{one(Part{Kind: PartPyramid, Name: "p", Levels: []int{65}}), "levels of 1 to 64 bins"},
		{one(Part{Kind: PartPyramid, Name: "p", Levels: slices.Repeat([]int{1}, 9)}), "1 to 8 levels"},
		{one(Part{Kind: PartPyramid, Name: "p", Levels: []int{30}}), "maps of 41 pixels have no pyramid level of 30x30"},
		{many, "too many parts"},
		{module("m", many), "too many parts"},
		{nested, "modules in modules of modules"},
		{one(Part{Kind: PartModule, Name: "m"}), "1 to 64 branches"},
		{module("", one(rectify)), "1 to 64 branches"},
		{module("m", slices.Repeat([][]Part{one(rectify)}, 65)...), "1 to 64 branches"},
		{module("m", one(maxPool(3, 2)), one(rectify)), "branches with maps of 20 and 41 pixels"},
		{module("m", one(globalPool), one(globalPool)), "branches with maps of 0 and 0 pixels"},
		{one(auxiliary(0.3, one(globalPool))), "it has to end with a fully connected layer for the classes"},
		{one(auxiliary(0.3, nil)), "it has to end with a fully connected layer for the classes"},
		{one(auxiliary(0, logits)), "has one branch and a weight above 0"},
		{one(auxiliary(math.Inf(1), logits)), "has one branch and a weight above 0"},
		{one(auxiliary(math.NaN(), logits)), "has one branch and a weight above 0"},
		{one(auxiliary(0.3, logits, logits)), "has one branch and a weight above 0"},
		{one(auxiliary(0.3)), "has one branch and a weight above 0"},
		{module("m", one(auxiliary(0.3, logits))), "stands in the body itself"},
		{one(biased(conv("a", maxWidth, 1, 1))), ""},
		{[]Part{biased(conv("a", maxWidth, 1, 1)), {Kind: PartFlatten}}, "27541504 features on maps of 0 pixels"},
	} {
		body := append(slices.Clone(c.first), globalPool, end)
		switch last := c.first[len(c.first)-1].Kind; last {
		case PartFlatten, PartPyramid, PartFC:
			body = append(slices.Clone(c.first), end)
		}
		err := bodySpec(t, body...).Validate()
		if c.want == "" {
			if err != nil {
				t.Errorf("%+v: %v", c.first, err)
			}
			continue
		}
		if !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.first[:min(len(c.first), 2)], err, c.want)
		}
	}
}

func TestABodyEndsWithItsClassifier(t *testing.T) {
	for name, s := range map[string]Spec{
		"no body": bodySpec(t), "no classifier": bodySpec(t, globalPool), "units": bodySpec(t, globalPool, fc("fc", 10)),
		"something behind": bodySpec(t, globalPool, classifier("fc"), rectify),
	} {
		if err := s.Validate(); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), "has to end with a fully connected layer") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, spoil := range map[string]func(*Spec){
		"stem": func(s *Spec) { s.Stem = Stem3x3 }, "shortcut": func(s *Spec) { s.Shortcut = OptionA },
		"stages": func(s *Spec) { s.Depths, s.Widths = []int{1}, []int{1} },
	} {
		s := bodySpec(t, globalPool, classifier("fc"))
		spoil(&s)
		if err := s.Validate(); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), "has a body, and no stem") {
			t.Errorf("%s: %v", name, err)
		}
	}
	residual, _ := Lookup("resnet20")
	residual.Body = one(rectify)
	if err := residual.Validate(); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), "a body, and block") {
		t.Errorf("a body in a residual net: %v", err)
	}
}

// What is at the edge of a limit can be built.
func TestBodiesAtTheirLimitsAreTaken(t *testing.T) {
	nested := one(rectify)
	for range maxNesting {
		nested = module("m", nested)
	}
	for _, first := range [][]Part{
		one(conv("c", maxWidth, 63, 1)), one(drop(0)), nested, slices.Repeat(one(rectify), maxParts-2),
		one(Part{Kind: PartMaxPool, Kernel: 4, Stride: 9, Pad: 2}), module("m", slices.Repeat([][]Part{one(rectify)}, 64)...),
	} {
		if err := bodySpec(t, append(first, globalPool, classifier("fc"))...).Validate(); err != nil {
			t.Error(err)
		}
	}
}

// The depth counts convolutions and fully connected layers on the longest path: of a module its
// longest branch, of an auxiliary classifier nothing.
func TestDepthOfABody(t *testing.T) {
	s := bodySpec(t, conv("c", 3, 3, 1), Part{Kind: PartNorm, Name: "n"}, rectify,
		module("m", slices.Concat(one(conv("a", 3, 1, 1)), one(conv("b", 3, 1, 1))), one(conv("d", 3, 1, 1)))[0],
		Part{Kind: PartAux, Name: "aux", LossWeight: 1, Branches: [][]Part{{globalPool, fc("x", 3), classifier("y")}}},
		globalPool, fc("f", 7), classifier("fc"))
	if got := s.Depth(); got != 1+2+2 {
		t.Errorf("depth %d, want 5", got)
	}
}

// Nets that differ in auxiliary classifiers alone are the same in evaluation.
func TestSameBodyForgetsAuxiliaryClassifiersAlone(t *testing.T) {
	aux := Part{Kind: PartAux, Name: "aux", LossWeight: 1, Branches: [][]Part{{globalPool, classifier("y")}}}
	plain := bodySpec(t, conv("c", 3, 3, 1), globalPool, classifier("fc"))
	with := bodySpec(t, conv("c", 3, 3, 1), aux, globalPool, classifier("fc"))
	if !plain.SameBody(with) || !with.SameBody(plain) {
		t.Error("an auxiliary classifier makes another net")
	}
	if other := bodySpec(t, conv("c", 4, 3, 1), globalPool, classifier("fc")); plain.SameBody(other) {
		t.Error("another convolution makes no other net")
	}
	got := with.WithoutAuxiliary()
	// 3 filters of 3x3 on 3 channels; 3 weights and a bias for each of 10 classes.
	if len(got.Body) != 3 || got.Params != 81+40 || got.MACs != 81*41*41+30 || len(with.Body) != 4 {
		t.Errorf("%d parts, %d parameters, %d multiply-adds; the original has %d parts", len(got.Body), got.Params, got.MACs, len(with.Body))
	}
}
