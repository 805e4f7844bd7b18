package schedule_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// sequenceSpec is a small network with every operator of sequences.
func sequenceSpec(t testing.TB, name, output string) blocks.Spec {
	t.Helper()
	s, err := blocks.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	s.Depths, s.Widths, s.Classes = []int{1, 2}, []int{18, 20}, 6
	speech := *s.Speech
	speech.Features, speech.StemWidth, speech.Units, speech.Dense, speech.Output = 9, 5, 7, 17, output
	s.Speech = &speech
	return s
}

// sequences is a batch of utterances of the lengths given, in so many frames.
type sequences struct {
	spec    blocks.Spec
	lengths []int32
	frames  int
}

// graph draws the network over params.
func (s sequences) graph(t testing.TB, mode graph.Mode, params *graph.ParamSet) *graph.Graph {
	t.Helper()
	g, err := blocks.BuildSequence(s.spec, len(s.lengths), s.frames, mode, params)
	if err != nil {
		t.Fatal(err)
	}
	copy(g.Sequences.Lengths, s.lengths)
	return g
}

// batch has values and labels that depend on utterance, channel, feature and frame alone, not on
// how long the padding is.
func (s sequences) batch() (x []float32, labels []int32) {
	maps, features := s.spec.InputChannels, s.spec.Speech.Features
	for n, length := range s.lengths {
		for c := range maps * features {
			r := rand.New(rand.NewPCG(uint64(n), uint64(c)))
			row := make([]float32, s.frames)
			for f := range length {
				row[f] = float32(r.NormFloat64())
			}
			x = append(x, row...)
		}
		r := rand.New(rand.NewPCG(99, uint64(n)))
		if s.spec.Speech.Output == blocks.OutputUtterance {
			labels = append(labels, int32(r.IntN(s.spec.Classes)))
			continue
		}
		for f := range s.frames {
			label := int32(r.IntN(s.spec.Classes + 1)) // one in seven frames has none
			if f >= int(length) || label == int32(s.spec.Classes) {
				label = -1
			}
			labels = append(labels, label)
		}
	}
	return x, labels
}

// step trains once and gives everything that it leaves; of the logits the valid frames alone.
func (s sequences) step(t testing.TB, m graph.Machine, params *graph.ParamSet) map[string][]float32 {
	t.Helper()
	x, labels := s.batch()
	r, err := m.Train(x, labels, graph.StepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := snapshot(params, r)
	out["logits"] = s.valid(r.Logits)
	return out
}

func (s sequences) valid(logits []float32) (out []float32) {
	if s.spec.Speech.Output == blocks.OutputUtterance {
		return slices.Clone(logits)
	}
	k := s.spec.Classes
	for n, length := range s.lengths {
		out = append(out, logits[n*s.frames*k:][:int(length)*k]...)
	}
	return out
}

// units is the network with so many of each recurrent layer: of 96, threads compute 32 each.
func (s sequences) units(n int) sequences {
	speech := *s.spec.Speech
	speech.Units = n
	s.spec.Speech = &speech
	return s
}

var sequenceNets = []struct {
	name, output string
	units        int
}{{"wrbn", blocks.OutputFrame, 7}, {"wrbn", blocks.OutputFrame, 96}, {"wrbn-plain", blocks.OutputFrame, 7}, {"wrbn", blocks.OutputUtterance, 64}}

func TestSequencesOnTheScheduleMatchTheTape(t *testing.T) {
	for _, c := range sequenceNets {
		s := sequences{sequenceSpec(t, c.name, c.output), []int32{11, 5, 6, 9, 11, 10, 7, 8, 6}, 11}.units(c.units)
		params := graph.NewParamSet(3)
		tape, err := graph.NewTape(s.graph(t, graph.Train, params), params)
		if err != nil {
			t.Fatal(err)
		}
		want := s.step(t, tape, params)
		for _, threads := range []int{1, 3} {
			got := s.step(t, compile(t, s.graph(t, graph.Train, params), schedule.Options{Threads: threads}), params)
			for _, d := range differences(c.name+" "+c.output, got, want, 1e-4) {
				t.Error(d)
			}
		}
		// Evaluation has the same normalisation as training; also without an operator that has no
		// steps of its own.
		m := compile(t, s.graph(t, graph.Eval, params), schedule.Options{})
		x, _ := s.batch()
		logits, err := m.Infer(x, len(s.lengths))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range differences(c.name+" in evaluation", map[string][]float32{"logits": s.valid(logits)}, map[string][]float32{"logits": want["logits"]}, 2e-5) {
			t.Error(d)
		}
	}
}

func TestPaddingChangesNothing(t *testing.T) {
	for _, c := range sequenceNets {
		short := sequences{sequenceSpec(t, c.name, c.output), []int32{7, 5, 5, 6}, 7}.units(c.units)
		long := short
		long.frames = 19
		params := graph.NewParamSet(3)
		var pages schedule.Arena
		a := compile(t, short.graph(t, graph.Train, params), schedule.Options{Arena: &pages})
		b := compile(t, long.graph(t, graph.Train, params), schedule.Options{Arena: &pages})
		want := short.step(t, a, params)
		got := long.step(t, b, params)
		for _, d := range differences(c.name+" "+c.output+" with padding", got, want, 2e-5) {
			t.Error(d)
		}
		again := short.step(t, a, params) // what another machine left in the arena does not matter
		for name, v := range want {
			if !slices.Equal(v, again[name]) {
				t.Errorf("%s: %s differs after another machine has used the arena", c.name, name)
			}
		}
	}
}

// TestAnArenaGrowsAndForgets: a longer machine may come after a shorter one has run, the memory is
// counted once by whoever subtracts it, and a closed machine leaves nothing behind.
func TestAnArenaGrowsAndForgets(t *testing.T) {
	short := sequences{sequenceSpec(t, "wrbn", blocks.OutputFrame), []int32{7, 5}, 7}
	long := short
	long.frames = 40
	params := graph.NewParamSet(3)
	var pages schedule.Arena
	a := compile(t, short.graph(t, graph.Eval, params), schedule.Options{Arena: &pages})
	x, _ := short.batch()
	infer := func(m graph.Machine, x []float32) []float32 {
		t.Helper()
		y, err := m.Infer(x, 2)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(y)
	}
	want := infer(a, x)
	before := a.Bytes() - pages.Bytes()
	small := pages.Bytes()
	b := compile(t, long.graph(t, graph.Eval, params), schedule.Options{Arena: &pages})
	if pages.Bytes() <= small || a.Bytes()-pages.Bytes() != before || b.Bytes() <= pages.Bytes() {
		t.Errorf("the arena grew from %d to %d; the machines have %d and %d with it", small, pages.Bytes(), a.Bytes(), b.Bytes())
	}
	y, _ := long.batch()
	wantLong := infer(b, y)
	if !slices.Equal(infer(a, x), want) {
		t.Error("the shorter machine computes something else in the larger arena")
	}
	a.Close()
	if a.Bytes() >= before+small {
		t.Errorf("a closed machine still holds %d bytes", a.Bytes())
	}
	compile(t, short.graph(t, graph.Eval, params), schedule.Options{Arena: &pages})
	if !slices.Equal(infer(b, y), wantLong) {
		t.Error("closing a machine disturbed another one of its arena")
	}
}

func TestThreadsDoNotChangeABitOfSequences(t *testing.T) {
	for _, units := range []int{7, 96, 160} {
		s := sequences{sequenceSpec(t, "wrbn", blocks.OutputFrame), []int32{11, 4, 1, 9, 11, 6, 2, 8, 10}, 11}.units(units)
		params := graph.NewParamSet(3)
		want := s.step(t, compile(t, s.graph(t, graph.Train, params), schedule.Options{Threads: 1}), params)
		for _, o := range []schedule.Options{{Threads: 2}, {Threads: 5}, {Threads: 2, Divide: 64}} {
			m := compile(t, s.graph(t, graph.Train, params), o)
			_ = s.step(t, m, params) // what a batch leaves does not matter to the next
			got := s.step(t, m, params)
			for name, v := range want {
				if !slices.Equal(v, got[name]) {
					t.Errorf("%d units: %+v changes %s", units, o, name)
				}
			}
		}
	}
}

// TestABatchOfFewerUtterancesIsEvaluated: of a machine for nine, in two groups of a recurrence.
func TestABatchOfFewerUtterancesIsEvaluated(t *testing.T) {
	s := sequences{sequenceSpec(t, "wrbn", blocks.OutputFrame), []int32{7, 4, 5, 7, 2, 6, 3, 7, 7}, 7}.units(64)
	m := compile(t, s.graph(t, graph.Eval, graph.NewParamSet(3)), schedule.Options{Threads: 2})
	x, _ := s.batch()
	infer := func(n int) []float32 {
		t.Helper()
		y, err := m.Infer(x[:len(x)/9*n], n)
		if err != nil {
			t.Fatal(err)
		}
		few := s
		few.lengths = s.lengths[:n]
		return few.valid(y)
	}
	want := infer(9)
	for _, n := range []int{8, 5, 1} {
		if got := infer(n); len(got) == 0 || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("the first %d utterances have other logits than among nine", n)
		}
	}
}

func TestLabelsThatAreNoClassAreRefused(t *testing.T) {
	s := sequences{sequenceSpec(t, "wrbn", blocks.OutputFrame), []int32{4, 4}, 4}
	params := graph.NewParamSet(3)
	m := compile(t, s.graph(t, graph.Train, params), schedule.Options{})
	x, labels := s.batch()
	for _, bad := range []int32{-2, 6} {
		labels[3] = bad
		if _, err := m.Train(x, labels, graph.StepOptions{}); err == nil {
			t.Errorf("label %d was accepted", bad)
		}
	}
	for i := range labels {
		labels[i] = -1
	}
	r, err := m.Train(x, labels, graph.StepOptions{})
	if err != nil || r.Loss != 0 || math.IsNaN(float64(params.All()[0].Grad[0])) {
		t.Errorf("a batch without labels: loss %v, %v", r.Loss, err)
	}
}
