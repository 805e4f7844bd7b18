package blocks

import (
	"math"
	"slices"
	"strings"
	"testing"

	"resnet/internal/graph"
)

func TestZeroInitialisationIsThatOfTheLastNormalisations(t *testing.T) {
	for name, want := range map[string][]string{
		"tiny-b":          {"layer1.0.bn2", "layer2.0.bn2", "layer3.0.bn2"},
		"tiny-bottleneck": {"layer1.0.bn3", "layer1.1.bn3", "layer2.0.bn3"},
		"tiny-plain":      nil,
	} {
		s := mustLookup(t, name)
		params := graph.NewParamSet(1)
		if _, err := Build(s, 2, graph.Train, params); err != nil {
			t.Fatal(err)
		}
		ZeroResidual(s, params)
		var zero []string
		for _, p := range params.All() {
			if p.Kind == graph.KindScale && !slices.ContainsFunc(p.Data, func(x float32) bool { return x != 0 }) {
				zero = append(zero, strings.TrimSuffix(p.Name, ".weight"))
			}
		}
		if !slices.Equal(zero, want) {
			t.Errorf("%s: γ is 0 in %v, want %v", name, zero, want)
		}
	}
}

func mustLookup(t *testing.T, name string) Spec {
	t.Helper()
	s, ok := lookup(name)
	if !ok {
		t.Fatalf("no row %s", name)
	}
	return s
}

// TestStochasticDepthRisesEvenly: as timm's linspace(0, rate, blocks).
func TestStochasticDepthRisesEvenly(t *testing.T) {
	s := mustLookup(t, "resnet20")
	s.StochasticDepth = 0.4
	for block, want := range map[string]float64{"layer1.0": 0, "layer1.1": 0.05, "layer2.0": 0.15, "layer3.2": 0.4} {
		if got := s.dropRate(block); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", block, got, want)
		}
	}
	g, err := Build(s, 2, graph.Train, graph.NewParamSet(1))
	if err != nil {
		t.Fatal(err)
	}
	var rates []float64
	for _, n := range g.G.AllNodes() {
		if op, ok := graph.OpOf(n).(*graph.DropPath); ok {
			rates = append(rates, math.Round(op.P*1000)/1000)
		}
	}
	if want := []float64{0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4}; !slices.Equal(rates, want) || g.Dropout == nil {
		t.Errorf("rates %v, want %v", rates, want)
	}
	g, err = Build(s, 2, graph.Eval, graph.NewParamSet(1))
	if err != nil || g.Dropout != nil {
		t.Errorf("evaluation drops paths: %v, %v", g.Dropout, err)
	}
}

func TestTheRecipesKeysAreRefusedWhereTheyMeanNothing(t *testing.T) {
	for _, c := range []Config{
		{Name: "plain20", DropPath: 0.1},
		{Name: "resnet20", DropPath: 1},
		{Name: "resnet20", DropPath: -0.1},
		{Name: "vgg16", DropPath: 0.1},
		{Name: "plain20", ZeroInit: true},
		{Name: "vgg16", ZeroInit: true},
		{Name: "wrbn", ZeroInit: true},
		{Name: "resnet20", ZeroInit: true, BNEps: -1}, // which stands for batch_norm: false here
	} {
		if c.BatchNorm, c.BNEps = c.BNEps == 0, 0; len(c.Validate()) != 1 {
			t.Errorf("%+v: %v", c, c.Validate())
		}
	}
	for _, c := range []Config{{Name: "resnet20", DropPath: 0.1, ZeroInit: true}, {Name: "resnet50", DropPath: 0.1, ZeroInit: true}} {
		c.BatchNorm = true
		if errs := c.Validate(); len(errs) != 0 {
			t.Errorf("%+v: %v", c, errs)
		}
	}
}

// TestADividedNetworkIsTheWhole: the lower part holds what is frozen alone and the upper one the
// rest, with gradients; with the classifier alone above, both together give the logits of
// evaluation.
func TestADividedNetworkIsTheWhole(t *testing.T) {
	for _, c := range []struct {
		arch    string
		trained []string
		input   []int // of the upper part
	}{
		{"tiny-b", []string{"fc."}, []int{4, 20, 1, 1}},
		{"tiny-bottleneck", []string{"layer2.", "fc."}, []int{4, 12, 9, 9}},
		{"tiny-c", []string{"layer3.", "fc."}, []int{4, 10, 4, 4}},
	} {
		s := mustLookup(t, c.arch)
		frozen := func(name string) bool {
			return !slices.ContainsFunc(c.trained, func(p string) bool { return strings.HasPrefix(name, p) })
		}
		params := graph.NewParamSet(3)
		d, err := BuildDivided(s, 4, graph.Train, params, graph.Options{Frozen: frozen})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(d.Above.Input.Shape(), c.input) {
			t.Errorf("%s: the upper part takes %v, want %v", c.arch, d.Above.Input.Shape(), c.input)
		}
		for _, p := range d.Below.Params {
			if !frozen(p.Param.Name) {
				t.Errorf("%s: %s is below", c.arch, p.Param.Name)
			}
		}
		for _, p := range d.Above.Params {
			if frozen(p.Param.Name) || p.Grad == nil {
				t.Errorf("%s: %s is above, gradient %v", c.arch, p.Param.Name, p.Grad)
			}
		}
		below, err := graph.NewTape(d.Below, params)
		if err != nil {
			t.Fatal(err)
		}
		above, err := graph.NewTape(d.Above, params)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, 4*s.InputChannels*s.InputSize*s.InputSize)
		for i := range x {
			x[i] = float32(math.Sin(float64(3 * i)))
		}
		features, err := below.Infer(x, 4)
		if err != nil {
			t.Fatal(err)
		}
		got, err := above.Train(features, []int32{0, 1, 2, 1}, graph.StepOptions{})
		if err != nil {
			t.Fatal(err)
		}
		// With the batch's statistics above, only the head alone is what evaluation computes.
		if len(c.trained) == 1 {
			g, err := Build(s, 4, graph.Eval, params)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := graph.NewTape(g, params)
			if err != nil {
				t.Fatal(err)
			}
			want, err := whole.Infer(x, 4)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if math.Abs(float64(want[i]-got.Logits[i])) > 1e-5 {
					t.Fatalf("%s: logits %v, want %v", c.arch, got.Logits, want)
				}
			}
		}
	}
}

func TestAFrozenLayerBehindATrainedOneIsRefused(t *testing.T) {
	s := mustLookup(t, "tiny-b")
	for what, frozen := range map[string]func(name string) bool{
		"a stage in the middle": func(name string) bool { return strings.HasPrefix(name, "layer2.") },
		"nothing":               func(string) bool { return false },
		"a stage after another": func(name string) bool {
			return strings.HasPrefix(name, "conv1.") || strings.HasPrefix(name, "bn1.") || strings.HasPrefix(name, "layer2.")
		},
	} {
		if _, err := BuildDivided(s, 4, graph.Train, graph.NewParamSet(1), graph.Options{Frozen: frozen}); err == nil {
			t.Errorf("%s frozen: no error", what)
		}
	}
}
