package onnx

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// tinySpeech is a network with every part of the row of that name.
func tinySpeech(t *testing.T, row, output string) (blocks.Spec, *graph.ParamSet) {
	t.Helper()
	s, err := blocks.Lookup(row)
	if err != nil {
		t.Fatal(err)
	}
	s.Depths, s.Widths, s.Classes, s.Speech.Output = []int{2, 1}, []int{5, 7}, 6, output
	s.Speech.Features, s.Speech.StemWidth, s.Speech.Units, s.Speech.Dense, s.Speech.Dropout = 9, 4, 3, 8, 0.1
	params := graph.NewParamSet(3)
	if _, err := blocks.BuildSequence(s, 1, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 5))
	for _, p := range params.All() { // nothing is 0 or 1, so that nothing can be left out
		for i := range p.Data {
			if len(p.Shape) == 1 {
				p.Data[i] = 0.5 + r.Float32()
			} else {
				p.Data[i] += float32(0.2 * r.NormFloat64())
			}
		}
	}
	return s, params
}

// TestSpeechModelsComputeTheNetworksLogits runs one model on batches of several lengths, and on one
// frame, and compares with the tape.
func TestSpeechModelsComputeTheNetworksLogits(t *testing.T) {
	for _, c := range []struct{ row, output, logits string }{
		{"wrbn", blocks.OutputFrame, "logits N frames 6"}, {"wrbn-plain", blocks.OutputFrame, "logits N frames 6"}, {"wrbn", blocks.OutputUtterance, "logits N 6"},
	} {
		s, params := tinySpeech(t, c.row, c.output)
		var b bytes.Buffer
		if err := Write(&b, s, params, nil, Options{Softmax: true}); err != nil {
			t.Fatal(err)
		}
		f := fields(t, fields(t, b.Bytes())[7][0])
		if in, out := dims(t, f[11][0]), dims(t, f[12][0]); in != "input N 3 9 frames" || out != c.logits {
			t.Errorf("%s %s: %s and %s", c.row, c.output, in, out)
		}
		for _, size := range [][2]int{{1, 1}, {1, 7}, {2, 12}, {3, 5}} {
			n, frames := size[0], size[1]
			run := &interpreter{t, map[string]array{"input": zeros(n, 3, 9, frames)}}
			x := make([]float32, n*3*9*frames)
			r := rand.New(rand.NewPCG(6, uint64(frames)))
			for i := range x {
				x[i] = float32(r.NormFloat64())
				run.values["input"].data[i] = float64(x[i])
			}
			want := inferUtterances(t, s, params, x, n, frames)
			for _, tensor := range f[5] {
				run.initializer(tensor)
			}
			for _, node := range f[1] {
				run.node(node)
			}
			got, p := run.values["logits"], run.values["probabilities"]
			if len(got.data) != len(want) || len(p.data) != len(want) {
				t.Fatalf("%s %s: %d logits and %d probabilities, want %d", c.row, c.output, len(got.data), len(p.data), len(want))
			}
			for i, v := range want {
				if math.Abs(got.data[i]-float64(v)) > 2e-5*(1+math.Abs(float64(v))) {
					t.Fatalf("%s %s, %d utterances of %d frames: logit %d is %v, want %v", c.row, c.output, n, frames, i, got.data[i], v)
				}
			}
			sum := 0.0
			for _, z := range want[:s.Classes] {
				sum += math.Exp(float64(z))
			}
			if want := math.Exp(float64(want[2])) / sum; math.Abs(p.data[2]-want) > 1e-5 {
				t.Errorf("%s %s: probability %v, want %v", c.row, c.output, p.data[2], want)
			}
		}
	}
}

func inferUtterances(t *testing.T, s blocks.Spec, params *graph.ParamSet, x []float32, n, frames int) []float32 {
	t.Helper()
	g, err := blocks.BuildSequence(s, n, frames, graph.Eval, params)
	if err != nil {
		t.Fatal(err)
	}
	for i := range g.Sequences.Lengths {
		g.Sequences.Lengths[i] = int32(frames)
	}
	tape, err := graph.NewTape(g, params)
	if err != nil {
		t.Fatal(err)
	}
	defer tape.Close()
	logits, err := tape.Infer(x, n)
	if err != nil {
		t.Fatal(err)
	}
	return logits
}

// Recurrent layers share the permutation of their gates, which would otherwise outweigh them.
func TestRecurrentLayersShareTheirGates(t *testing.T) {
	s, params := tinySpeech(t, "wrbn", blocks.OutputFrame)
	var b bytes.Buffer
	if err := Write(&b, s, params, nil, Options{}); err != nil {
		t.Fatal(err)
	}
	shared, recurrences := 0, 0
	for _, tensor := range fields(t, fields(t, b.Bytes())[7][0])[5] {
		name := string(fields(t, tensor)[8][0])
		if strings.HasPrefix(name, "lstm.gates") {
			shared++
		}
		if strings.HasSuffix(name, ".recurrence") {
			recurrences++
		}
	}
	if shared != 1 || recurrences != 4 {
		t.Errorf("%d permutations for %d recurrent layers", shared, recurrences)
	}
}

func TestSpeechHasNoBytesToNormalise(t *testing.T) {
	s, params := tinySpeech(t, "wrbn", blocks.OutputFrame)
	if err := Write(&bytes.Buffer{}, s, params, nil, Options{Normalize: &Normalize{}}); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
}
