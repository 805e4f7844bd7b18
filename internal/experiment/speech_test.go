package experiment

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// smallSpeech is a network of frames with 2 maps of 6 features and 4 classes.
func smallSpeech(t testing.TB, output string) *Model {
	t.Helper()
	c := blocks.DefaultConfig()
	c.Name = "wrbn"
	c.Speech.StemWidth, c.Speech.Widths, c.Speech.Depths, c.Speech.Units, c.Speech.Dense, c.Speech.Output = 3, []int{4}, []int{1}, 3, 5, output
	spec, err := blocks.ResolveSequence(c, blocks.SequenceInfo{Dim: 12, Maps: 2, Classes: 4})
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(4)
	if _, err := blocks.BuildSequence(spec, 1, 8, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	front := corpus.DefaultConfig().Frontend
	front.Bins, front.Deltas = 6, 1
	return &Model{Model: &eval.Model{Spec: spec, Params: params, Frontend: front.Encode()}, Named: "m", env: &Environment{}}
}

// TestARecordingIsClassifiedByTheMeanOfItsFrames runs the network on exactly as many frames as
// there are, with nothing filled up, and takes the mean by hand.
func TestARecordingIsClassifiedByTheMeanOfItsFrames(t *testing.T) {
	const frames, dim, k = 37, 12, 4
	m := smallSpeech(t, blocks.OutputFrame)
	r, err := newRecordings(m, PredictOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	rng := rand.New(rand.NewPCG(1, 2))
	f := speech.Features{Frames: frames, Dim: dim, Data: make([]float32, frames*dim)}
	for i := range f.Data {
		f.Data[i] = float32(rng.NormFloat64())
	}
	got, bad, err := r.compute(f)
	if bad != nil || err != nil {
		t.Fatal(bad, err)
	}
	g, err := blocks.BuildSequence(m.Spec, 1, frames, graph.Eval, m.Params)
	if err != nil {
		t.Fatal(err)
	}
	g.Sequences.Lengths[0] = frames
	tape, err := graph.NewTape(g, m.Params)
	if err != nil {
		t.Fatal(err)
	}
	defer tape.Close()
	x := make([]float32, frames*dim)
	corpus.Transpose(x, f.Data, dim, frames)
	logits, err := tape.Infer(x, 1)
	if err != nil || len(logits) != frames*k {
		t.Fatalf("%d logits (%v)", len(logits), err)
	}
	for c := range k {
		want := 0.
		for i := range frames {
			want += float64(logits[i*k+c])
		}
		if want /= frames; math.Abs(float64(got[c])-want) > 1e-4 {
			t.Errorf("class %d: %v, want %v", c, got[c], want)
		}
	}
}

func TestMeansAreOfFrames(t *testing.T) {
	if got := meanLogits([]float32{1, 10, 3, 20, 8, 60}, 2); !slices.Equal(got, []float32{4, 30}) {
		t.Errorf("%v, want [4 30]", got)
	}
}

func TestANetworkSaysWhatItCounts(t *testing.T) {
	frames, whole := smallSpeech(t, blocks.OutputFrame).Spec, smallSpeech(t, blocks.OutputUtterance).Spec
	if sequenceUnit(frames) != "frames" || sequenceUnit(whole) != "utterances" || sequenceProtocol(frames) != "frames" || sequenceProtocol(whole) != "whole utterances" {
		t.Error(sequenceUnit(frames), sequenceUnit(whole), sequenceProtocol(frames), sequenceProtocol(whole))
	}
	m := &Model{Model: &eval.Model{Spec: frames}, Named: "m"}
	if err := m.fitsFrames(12); err != nil {
		t.Error(err)
	}
	if err := m.fitsFrames(6); err == nil || err.Error() != "m: cannot be evaluated: it takes frames of 12 values (2 maps of 6), and these have 6" {
		t.Error(err)
	}
}

// TestACorpusOfOtherClassesIsNotMeasured: classes of utterances are numbered by their sorted names.
func TestACorpusOfOtherClassesIsNotMeasured(t *testing.T) {
	m := smallSpeech(t, blocks.OutputUtterance)
	m.Classes = []string{"a", "b", "c", "d"}
	for _, c := range []struct {
		info corpus.Info
		ok   bool
	}{
		{corpus.Info{Count: 4, Classes: []string{"a", "b", "c", "d"}}, true},
		{corpus.Info{Count: 2, Classes: []string{"a", "b"}}, true},
		{corpus.Info{Count: 3, Classes: []string{"a", "c", "d"}}, false},
		{corpus.Info{Count: 4, Classes: []string{"a", "bb", "c", "d"}}, false},
		{corpus.Info{Count: 5, Classes: []string{"a", "b", "c", "d", "e"}}, false},
		{corpus.Info{Count: 5}, false}, // of alignments
		{corpus.Info{Count: 4}, true},
	} {
		if err := m.fitsClasses(c.info); (err == nil) != c.ok || err != nil && !errors.Is(err, eval.ErrLabel) {
			t.Errorf("%v: %v", c.info, err)
		}
	}
}
