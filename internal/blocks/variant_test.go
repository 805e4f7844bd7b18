package blocks

import (
	"errors"
	"strings"
	"testing"
)

func TestVariantsThatCannotBeAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		row    string
		change func(*Spec)
		want   string
	}{
		"groups that do not divide":  {"tiny-groups", func(s *Spec) { s.Groups = 5 }, "5 groups"},
		"groups of a basic block":    {"tiny-b", func(s *Spec) { s.Groups = 2 }, "bottleneck"},
		"negative groups":            {"tiny-groups", func(s *Spec) { s.Groups = -1 }, "groups -1"},
		"widened too much":           {"tiny-groups", func(s *Spec) { s.Widen = 65 }, "widen 65"},
		"wider than a layer":         {"tiny-widened", func(s *Spec) { s.Widths[1], s.Widen = maxWidth, 2 }, "widened"},
		"excitation of no channels":  {"tiny-se", func(s *Spec) { s.SE = -4 }, "se -4"},
		"excitation before addition": {"tiny-preact", func(s *Spec) { s.SE = 4 }, "se and avg_down"},
		"average shortcuts":          {"tiny-wrn", func(s *Spec) { s.AvgDown = true }, "se and avg_down"},
		"dropout of everything":      {"tiny-wrn", func(s *Spec) { s.DropRate = 1 }, "drop_rate 1"},
		"dropout of other blocks":    {"tiny-b", func(s *Spec) { s.DropRate = 0.5 }, "drop_rate"},
		"half a channel":             {"tiny-d", func(s *Spec) { s.StemWidth = 7 }, "deep stem"},
		"pooling before activation":  {"tiny-preact", func(s *Spec) { s.Stem = Stem7x7 }, "stem"},
		"a stem of too many":         {"tiny-wrn", func(s *Spec) { s.StemWidth = maxWidth + 1 }, "stem_width"},
		"option A from a wide stem":  {"tiny-preact", func(s *Spec) { s.StemWidth = 30 }, "option A"},
	} {
		s, err := Lookup(c.row)
		if err != nil {
			t.Fatal(err)
		}
		c.change(&s)
		if err := s.Validate(); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	speech := smallSpeech(speechRows[0])
	speech.Groups = 2
	if err := speech.Validate(); !errors.Is(err, ErrSpec) {
		t.Errorf("a network of speech in groups: %v", err)
	}
}

// What a Variant changes tells rows apart, where tensors are the same and where a file says so.
func TestVariantsAreOtherNetworks(t *testing.T) {
	a, err := Lookup("tiny-groups")
	if err != nil {
		t.Fatal(err)
	}
	b := a.clone()
	b.Groups = 2
	if a.same(b) || !a.same(a.clone()) {
		t.Error("networks with other groups are the same")
	}
}
