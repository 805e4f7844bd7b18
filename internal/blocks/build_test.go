package blocks

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"resnet/internal/graph"
)

// huge nets take a gigabyte to build; their layers are those of smaller rows.
func huge(s Spec) bool { return s.Params > 30_000_000 }

func TestEveryRowBuildsInBothModesWithItsCounts(t *testing.T) {
	for _, s := range table {
		if s.Family == FamilySpeech || huge(s) || testing.Short() && s.Params > 2_000_000 {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			params := graph.NewParamSet(1)
			for _, mode := range []graph.Mode{graph.Train, graph.Eval} {
				g, err := Build(s, 2, mode, params)
				if err != nil {
					t.Fatal(err)
				}
				if shape := g.Logits.Shape(); !shape.Eq(tensor.Shape{2, s.Classes}) {
					t.Errorf("logits are %v, want [2 %d]", shape, s.Classes)
				}
				want := s.MACs
				if mode == graph.Train {
					want += trainingMACs(s)
				}
				if macs := graphMACs(g); macs != want*2 {
					t.Errorf("the %v graph has %d multiply-adds for two images, the row %d for one", mode, macs, want)
				}
			}
			if params.Count() != s.Params {
				t.Errorf("%d parameters, the row says %d", params.Count(), s.Params)
			}
		})
	}
}

// trainingMACs are those of auxiliary classifiers.
func trainingMACs(s Spec) int64 {
	var sum int64
	for _, l := range trace(s) {
		if l.Training {
			sum += l.MACs
		}
	}
	return sum
}

// graphMACs counts the multiply-adds of the forward operators in a graph, apart from Summarize.
func graphMACs(g *graph.Graph) int64 {
	var sum int64
	for _, n := range g.G.AllNodes() {
		switch op := graph.OpOf(n).(type) {
		case *graph.Conv:
			weights := op.K * op.GroupChannels() * op.R * op.S
			shape := n.Shape()
			sum += int64(op.N) * int64(weights) * int64(shape[2]*shape[3])
		case *graph.Linear:
			sum += int64(op.N) * int64(op.C) * int64(op.K)
		}
	}
	return sum
}

func TestGraphsParametersAreTheSummarysLayers(t *testing.T) {
	for _, s := range table {
		if !s.TestOnly && s.Name != "resnet20" {
			continue
		}
		params := graph.NewParamSet(1)
		if _, err := Build(s, 1, graph.Eval, params); err != nil {
			t.Fatal(err)
		}
		counts := map[string]int64{}
		for _, p := range params.All() {
			if p.Trainable() {
				layer := p.Name[:strings.LastIndex(p.Name, ".")]
				counts[layer] += int64(len(p.Data))
			}
		}
		m, err := Summarize(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range m.Layers {
			if counts[l.Name] != l.Params {
				t.Errorf("%s: %s has %d parameters in the graph, %d in the summary", s.Name, l.Name, counts[l.Name], l.Params)
			}
			delete(counts, l.Name)
		}
		if len(counts) > 0 {
			t.Errorf("%s: only in the graph: %v", s.Name, counts)
		}
	}
}

func TestEveryParameterOfEverySmallNetLearns(t *testing.T) {
	for _, s := range table {
		if !s.TestOnly {
			continue
		}
		for _, m := range machines {
			t.Run(s.Name+"/"+m.name, func(t *testing.T) {
				const n = 4
				params := graph.NewParamSet(7)
				g, err := Build(s, n, graph.Train, params)
				if err != nil {
					t.Fatal(err)
				}
				machine, err := m.make(g, params)
				if err != nil {
					t.Fatal(err)
				}
				defer machine.Close()
				x, labels := randomBatch(s, n)
				r, err := machine.Train(x, labels, graph.StepOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if !(r.Loss > 0 && r.Loss < 20) || len(r.Logits) != n*s.Classes {
					t.Errorf("loss %g with %d logits", r.Loss, len(r.Logits))
				}
				if where := machine.Diagnose(); where != "" {
					t.Errorf("not finite at %s", where)
				}
				for _, p := range params.All() {
					if p.Trainable() && !(norm(p.Grad) > 1e-8) && !(s.Name == "tiny-vggbn" && constantBefore(p)) {
						t.Errorf("the gradient of %s has norm %g", p.Name, norm(p.Grad))
					}
				}
			})
		}
	}
}

// constantBefore reports whether a parameter is a convolution's bias, whose gradient is zero but
// for rounding where batch normalisation follows.
func constantBefore(p *graph.Param) bool {
	return p.Kind == graph.KindBias && strings.HasPrefix(p.Name, "features.")
}

func randomBatch(s Spec, n int) ([]float32, []int32) {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n*s.InputChannels*s.InputSize*s.InputSize)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	labels := make([]int32, n)
	for i := range labels {
		labels[i] = int32(r.IntN(s.Classes))
	}
	return x, labels
}

func norm(v []float32) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

func TestConvolutionsStartWithHesVariance(t *testing.T) {
	s, err := Lookup("resnet20")
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(3)
	if _, err := Build(s, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	p := params.Get("layer3.2.conv2.weight") // 36,864 values of fan-in 576
	want := math.Sqrt(2.0 / 576)
	got := norm(p.Data) / math.Sqrt(float64(len(p.Data)))
	if !(math.Abs(got/want-1) <= 0.02) { // five standard errors of the estimate
		t.Errorf("standard deviation %.5f, want sqrt(2/576) = %.5f", got, want)
	}
}

func TestBuildRefusesWhatCannotBe(t *testing.T) {
	s, err := Lookup("tiny-b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Build(s, 0, graph.Eval, graph.NewParamSet(1)); err == nil {
		t.Error("an empty batch was built")
	}
	params := graph.NewParamSet(1)
	if _, err := Build(s, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	other := s
	other.Classes = 11
	if _, err := Build(other, 1, graph.Eval, params); err == nil || !strings.Contains(err.Error(), "fc") {
		t.Errorf("parameters of another shape were taken: %v", err)
	}
	s.Block = "dense"
	if _, err := Build(s, 1, graph.Eval, graph.NewParamSet(1)); !errors.Is(err, ErrSpec) {
		t.Errorf("%v", err)
	}
}
