package blocks

import (
	"errors"
	"slices"
	"testing"

	"resnet/internal/graph"
)

// logitsOf evaluates a net on every machine, which have to agree.
func logitsOf(t *testing.T, s Spec, params *graph.ParamSet) []float32 {
	t.Helper()
	var first []float32
	for _, m := range machines {
		g, err := Build(s, 4, graph.Eval, params)
		if err != nil {
			t.Fatal(err)
		}
		machine, err := m.make(g, params)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := randomBatch(s, 4)
		y, err := machine.Infer(x, 4)
		if err != nil {
			t.Fatal(err)
		}
		if y = slices.Clone(y); first == nil {
			first = y
		} else if d := distance(y, first); d > 1e-4 {
			t.Errorf("%s: the machines differ by %.1e", s.Name, d)
		}
		machine.Close()
	}
	return first
}

// distance is that of two results by the norm of the second.
func distance(got, want []float32) float64 {
	d := make([]float32, len(want))
	for i := range d {
		d[i] = got[i] - want[i]
	}
	return norm(d) / norm(want)
}

// trainedLike are parameters of which none is trivial.
func trainedLike(t *testing.T, s Spec) *graph.ParamSet {
	t.Helper()
	params := graph.NewParamSet(5)
	if _, err := Build(s, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	for k, p := range params.All() {
		if p.Kind == graph.KindScale || p.Kind == graph.KindShift || p.Kind == graph.KindRunningMean {
			for i := range p.Data {
				p.Data[i] += 0.1 * float32((i+k)%5-2)
			}
		}
	}
	return params
}

// A branch or a projection whose normalisation gives 0 is one that is not there.
func TestADroppedPartAddsNothing(t *testing.T) {
	for _, c := range []struct {
		row  string
		part BlockPart
		last string // the normalisation of the part
	}{
		{"tiny-a", PartBranch, "bn2"},
		{"tiny-b", PartBranch, "bn2"},
		{"tiny-b-elu", PartBranch, "bn2"},
		{"tiny-a-sigmoid-stem5", PartBranch, "bn2"},
		{"tiny-bottleneck-v1.5", PartBranch, "bn3"},
		{"tiny-c", PartShortcut, "downsample.1"},
		{"tiny-bottleneck-c", PartShortcut, "downsample.1"},
	} {
		s, err := Lookup(c.row)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range s.Blocks() {
			params := trainedLike(t, s)
			whole := logitsOf(t, s, params)
			without, err := s.Without(c.part, b)
			if err != nil {
				t.Fatal(err)
			}
			got := logitsOf(t, without, params)
			if distance(got, whole) < 1e-3 {
				t.Errorf("%s without the %s of %s gives what it gives with it", c.row, c.part, b.Name)
			}
			for _, kind := range []string{".weight", ".bias"} {
				clear(params.Get(b.Name + "." + c.last + kind).Data)
			}
			if d := distance(got, logitsOf(t, s, params)); d > 1e-5 {
				t.Errorf("%s without the %s of %s differs by %.1e from it with 0 for that", c.row, c.part, b.Name, d)
			}
		}
	}
}

// A residual net of one block is a plain one without its shortcut, and a plain net without its
// second block has one.
func TestADroppedShortcutLeavesAPlainBlock(t *testing.T) {
	s, err := Lookup("tiny-a")
	if err != nil {
		t.Fatal(err)
	}
	s.Depths, s.Widths = []int{1}, []int{5}
	plain := s
	plain.Shortcut = None
	params := trainedLike(t, s)
	without, err := s.Without(PartShortcut, s.Blocks()[0])
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(logitsOf(t, without, params), logitsOf(t, plain, params)); d > 1e-6 {
		t.Errorf("without its shortcut it differs by %.1e from a plain net", d)
	}
	two := plain
	two.Depths = []int{2}
	params = trainedLike(t, two)
	if without, err = two.Without(PartBranch, two.Blocks()[1]); err != nil {
		t.Fatal(err)
	}
	if d := distance(logitsOf(t, without, params), logitsOf(t, plain, params)); d > 1e-6 {
		t.Errorf("two plain blocks without the second differ by %.1e from one", d)
	}
}

func TestBlocksSayWhereTheShapeChanges(t *testing.T) {
	for name, want := range map[string][]PlacedBlock{
		"resnet50":   nil,
		"tiny-plain": {{"layer1.0", false}, {"layer2.0", true}, {"layer3.0", true}},
		// Four times the channels behind the stem, and a smaller map.
		"tiny-bottleneck": {{"layer1.0", true}, {"layer1.1", false}, {"layer2.0", true}},
		"tiny-vgg":        {},
	} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Blocks()
		if want == nil { // Table 1: 3, 4, 6 and 3 blocks
			if len(got) != 16 || got[3] != (PlacedBlock{"layer2.0", true}) || got[15] != (PlacedBlock{"layer4.2", false}) {
				t.Errorf("%s has %v", name, got)
			}
		} else if !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", name, got, want)
		}
	}
}

func TestWhatCannotBeDroppedIsRefused(t *testing.T) {
	for name, parts := range map[string]BlockPart{"plain20": PartShortcut, "vgg16": PartBranch, "wrbn": PartBranch, "resnet20": "stem"} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Without(parts, PlacedBlock{Name: "layer1.0"}); !errors.Is(err, ErrSpec) {
			t.Errorf("%s without a %s: %v", name, parts, err)
		}
	}
	s, _ := Lookup("plain20")
	if _, err := s.Without(PartBranch, PlacedBlock{"layer2.0", true}); !errors.Is(err, ErrSpec) {
		t.Errorf("a plain block that changes the shape: %v", err)
	}
}
