package schedule_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// adaptation is the graph of a linear layer before the frozen network of s.
func (s sequences) adaptation(t testing.TB, params *graph.ParamSet) *graph.Graph {
	t.Helper()
	g, err := blocks.BuildAdaptation(s.spec, len(s.lengths), s.frames, params)
	if err != nil {
		t.Fatal(err)
	}
	copy(g.Sequences.Lengths, s.lengths)
	return g
}

// disturb moves the layer away from the identity.
func disturb(params *graph.ParamSet) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, name := range []string{blocks.AdaptationWeight, blocks.AdaptationBias} {
		for i := range params.Get(name).Data {
			params.Get(name).Data[i] += 0.1 * float32(r.NormFloat64())
		}
	}
}

func TestAdaptationOnTheScheduleMatchesTheTape(t *testing.T) {
	for _, c := range sequenceNets {
		s := sequences{sequenceSpec(t, c.name, c.output), []int32{11, 5, 6, 9, 11}, 11}
		s.spec.Speech.Dropout = 0.5 // is off
		params := graph.NewParamSet(3)
		g := s.adaptation(t, params)
		disturb(params)
		before := map[string][]float32{}
		for _, p := range params.All() {
			before[p.Name] = slices.Clone(p.Data)
			for i := range p.Grad {
				p.Grad[i] = 7 // stays where a parameter is frozen
			}
		}
		tape, err := graph.NewTape(g, params)
		if err != nil {
			t.Fatal(err)
		}
		want := s.step(t, tape, params)
		for _, threads := range []int{1, 3} {
			got := s.step(t, compile(t, s.adaptation(t, params), schedule.Options{Threads: threads}), params)
			for _, d := range differences(c.name+" "+c.output, got, want, 1e-4) {
				t.Error(d)
			}
		}
		for _, p := range params.All() {
			if !slices.Equal(p.Data, before[p.Name]) {
				t.Errorf("%s changed", p.Name)
			}
			frozen := p.Name != blocks.AdaptationWeight && p.Name != blocks.AdaptationBias
			if seven := slices.IndexFunc(p.Grad, func(v float32) bool { return v != 7 }) < 0; seven != frozen {
				t.Errorf("%s: frozen %v, its gradient untouched %v", p.Name, frozen, seven)
			}
		}
	}
}

func TestAdaptationBeginsAsTheNetworkItself(t *testing.T) {
	for _, c := range sequenceNets {
		s := sequences{sequenceSpec(t, c.name, c.output), []int32{7, 5, 3}, 7}
		params := graph.NewParamSet(3)
		a := compile(t, s.adaptation(t, params), schedule.Options{})
		b := compile(t, s.graph(t, graph.Train, params), schedule.Options{})
		x, labels := s.batch()
		got, err := a.Train(x, labels, graph.StepOptions{})
		if err != nil {
			t.Fatal(err)
		}
		adapted := s.valid(got.Logits)
		want, err := b.Train(x, labels, graph.StepOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(adapted, s.valid(want.Logits)) {
			t.Errorf("%s %s: the identity changes logits", c.name, c.output)
		}
	}
}

// With a bias that is not 0, padding would otherwise be no silence.
func TestPaddingChangesNothingOfAnAdaptation(t *testing.T) {
	for _, c := range sequenceNets {
		short := sequences{sequenceSpec(t, c.name, c.output), []int32{7, 5, 5, 6}, 7}
		long := short
		long.frames = 19
		params := graph.NewParamSet(3)
		a := compile(t, short.adaptation(t, params), schedule.Options{})
		b := compile(t, long.adaptation(t, params), schedule.Options{})
		disturb(params)
		for _, d := range differences(c.name+" "+c.output+" with padding", long.step(t, b, params), short.step(t, a, params), 2e-5) {
			t.Error(d)
		}
	}
}

func TestUtterancesWithoutALabelDoNotCountInAnAdaptation(t *testing.T) {
	s := sequences{sequenceSpec(t, "wrbn", blocks.OutputUtterance), []int32{7, 5, 6}, 7}
	two := s
	two.lengths = s.lengths[:2]
	params := graph.NewParamSet(3)
	a, b := compile(t, s.adaptation(t, params), schedule.Options{}), compile(t, two.adaptation(t, params), schedule.Options{})
	x, labels := s.batch()
	labels[2] = -1
	all, err := a.Train(x, labels, graph.StepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	grad := map[string][]float32{"grad": slices.Clone(params.Get(blocks.AdaptationWeight).Grad), "loss": {float32(all.Loss)}}
	x, labels = two.batch()
	some, err := b.Train(x, labels, graph.StepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences("two of three", grad, map[string][]float32{"grad": params.Get(blocks.AdaptationWeight).Grad, "loss": {float32(some.Loss)}}, 2e-5) {
		t.Error(d)
	}
}
