package adapt

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// The network of the tests has 5 classes and takes 3 maps of 4 features.
const (
	planes, features, classes = 3, 4, 5
	dim                       = planes * features
	utterances, frames, size  = 24, 20, 8
)

func network(t *testing.T, output string) blocks.Spec {
	t.Helper()
	s, err := blocks.Lookup("wrbn")
	if err != nil {
		t.Fatal(err)
	}
	s.Depths, s.Widths, s.Classes = []int{1}, []int{6}, classes
	p := *s.Speech
	p.Features, p.StemWidth, p.Units, p.Dense, p.Output = features, 4, 4, 6, output
	s.Speech = &p
	return s
}

// clean are utterances of one speaker, [T, D] each: static features, and two maps that are filters
// of them over time, as differences are.
func clean() (all []speech.Features) {
	r := rand.New(rand.NewPCG(8, 8))
	for range utterances {
		f := speech.NewFeatures(frames, dim)
		for t := range frames {
			for k := range features {
				f.Data[t*dim+k] = float32(r.NormFloat64())
			}
		}
		for m := 1; m < planes; m++ {
			for t := range frames {
				for k := range features {
					at := func(t int) float32 { return f.Data[min(max(t, 0), frames-1)*dim+(m-1)*features+k] }
					f.Data[t*dim+m*features+k] = (at(t+1) - at(t-1)) / 2
				}
			}
		}
		all = append(all, f)
	}
	return all
}

// distorted are the utterances behind a fixed matrix on the static features, which filters over
// time pass on to the other maps.
func distorted(all []speech.Features) []speech.Features {
	r := rand.New(rand.NewPCG(9, 9))
	m := speech.Transform{Dim: dim, Weight: make([]float32, dim*dim), Bias: make([]float32, dim)}
	for i := range features {
		for j := range features {
			v := float32(0.5 * r.NormFloat64())
			if i == j {
				v++
			}
			for k := range planes {
				m.Weight[(k*features+i)*dim+k*features+j] = v
			}
		}
	}
	var out []speech.Features
	for _, f := range all {
		f.Data = slices.Clone(f.Data)
		_ = m.Apply(f)
		out = append(out, f)
	}
	return out
}

// rounds gives batches of utterances in order, epoch after epoch.
type rounds struct {
	all []speech.Features
	at  int
}

func (b *rounds) Next(context.Context) (*datasets.Batch, error) {
	per := len(b.all) / size
	out := &datasets.Batch{N: size, Frames: frames, Epoch: b.at / per, X: make([]float32, size*dim*frames)}
	for j := range size {
		i := b.at%per*size + j
		corpus.Transpose(out.X[j*dim*frames:(j+1)*dim*frames], b.all[i].Data, dim, frames)
		out.Index = append(out.Index, i)
	}
	b.at++
	return out, nil
}

func (b *rounds) Recycle(*datasets.Batch) {}

// speaker is a network behind a layer, and what it says of utterances.
type speaker struct {
	spec   blocks.Spec
	params *graph.ParamSet
	m      *schedule.Machine
	g      *graph.Graph
}

func newSpeaker(t *testing.T, output string) *speaker {
	t.Helper()
	s := &speaker{spec: network(t, output), params: graph.NewParamSet(3)}
	var err error
	if s.g, err = blocks.BuildAdaptation(s.spec, size, frames, s.params); err != nil {
		t.Fatal(err)
	}
	for i := range s.g.Sequences.Lengths {
		s.g.Sequences.Lengths[i] = frames
	}
	if s.m, err = schedule.Compile(s.g, schedule.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.m.Close)
	return s
}

// labels are the network's own, through the layer as it is.
func (s *speaker) labels(t *testing.T, all []speech.Features) (out []int32) {
	t.Helper()
	b := &rounds{all: all}
	none := slices.Repeat([]int32{-1}, s.g.LabelsLen())
	for range len(all) / size {
		batch, _ := b.Next(t.Context())
		r, err := s.m.Train(batch.X, none, graph.StepOptions{ForwardOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		per := len(r.Logits) / size
		for j := range size {
			out = append(out, FirstPass(r.Logits[j*per:(j+1)*per], classes, s.spec.Speech.Output == blocks.OutputUtterance, 0)...)
		}
	}
	return out
}

func (s *speaker) pass(labels []int32) Pass {
	return func(b *datasets.Batch) (float64, int, error) {
		per := len(labels) / utterances
		r, err := s.m.Train(b.X, labels[b.Index[0]*per:(b.Index[0]+size)*per], graph.StepOptions{})
		return r.Loss, size * per, err
	}
}

func wrong(a, b []int32) float64 {
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// A speaker whose features went through a matrix is told apart again by a layer that was estimated
// from the labels of the frames.
func TestADistortionIsUndone(t *testing.T) {
	for _, structure := range []string{Shared, Block, Full} {
		s := newSpeaker(t, blocks.OutputFrame)
		l, err := NewLayer(s.params, planes, Options{Structure: structure, Iterations: 120, Rate: 0.03})
		if err != nil {
			t.Fatal(err)
		}
		undistorted := clean()
		truth := s.labels(t, undistorted)
		all := distorted(undistorted)
		before := wrong(s.labels(t, all), truth)
		p, err := l.Estimate(t.Context(), &rounds{all: all}, s.pass(truth))
		if err != nil {
			t.Fatal(err)
		}
		after := wrong(s.labels(t, all), truth)
		t.Logf("%s: wrong %.3f, after %.3f; loss %.4f to %.4f", structure, before, after, p.First, p.Last)
		if before < 0.15 || after > before/2 || !(p.Last < p.First) {
			t.Errorf("%s: %.3f of the frames were wrong and %.3f are, loss %.4f to %.4f", structure, before, after, p.First, p.Last)
		}
	}
}

func TestAnEstimationIsDeterministicAndBeginsAnew(t *testing.T) {
	s := newSpeaker(t, blocks.OutputUtterance)
	l, err := NewLayer(s.params, planes, Options{Structure: Shared, Iterations: 2, Rate: 0.01, Regularise: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	all := clean()
	truth := s.labels(t, all)
	network := Digest(s.params)
	var first speech.Transform
	for k := range 2 {
		if _, err := l.Estimate(t.Context(), &rounds{all: all}, s.pass(truth)); err != nil {
			t.Fatal(err)
		}
		got := l.Transform()
		if k == 0 {
			first = got
		} else if !slices.Equal(got.Weight, first.Weight) || !slices.Equal(got.Bias, first.Bias) {
			t.Error("a second estimation differs")
		}
	}
	if Digest(s.params) != network {
		t.Error("the network changed")
	}
	for i := range dim {
		for j := range dim {
			w := first.Weight[i*dim+j]
			if i/features != j/features && w != 0 || w != first.Weight[i%features*dim+j%features] && i/features == j/features {
				t.Fatalf("W[%d, %d] is %g: not the same block on the diagonal", i, j, w)
			}
		}
		if i >= features && first.Bias[i] != 0 {
			t.Errorf("differences have a bias, %g", first.Bias[i])
		}
	}
	none, err := NewLayer(s.params, planes, Options{Structure: Full, Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Estimate(t.Context(), &rounds{all: all}, s.pass(truth)); err != nil {
		t.Fatal(err)
	}
	for i, w := range none.Transform().Weight {
		if want := float32(1); i/dim == i%dim && w != want || i/dim != i%dim && w != 0 {
			t.Errorf("without iterations W[%d] is %g", i, w)
		}
	}
}

func TestThePenaltyKeepsTheLayerNearTheIdentity(t *testing.T) {
	s := newSpeaker(t, blocks.OutputFrame)
	undistorted := clean()
	truth := s.labels(t, undistorted)
	var far [2]float64
	for k, lambda := range []float64{0, 10} {
		l, err := NewLayer(s.params, planes, Options{Structure: Full, Iterations: 20, Rate: 0.01, Regularise: lambda})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Estimate(t.Context(), &rounds{all: distorted(undistorted)}, s.pass(truth)); err != nil {
			t.Fatal(err)
		}
		for i, w := range l.Transform().Weight {
			if i/dim == i%dim {
				w--
			}
			far[k] += float64(w) * float64(w)
		}
	}
	if far[0] == 0 || far[1] > far[0]/4 {
		t.Errorf("squared distance %g without a penalty, %g with one", far[0], far[1])
	}
}

// Adam's step along a gradient that does not change is the rate.
func TestTheRateFallsEvenlyFromPassToPass(t *testing.T) {
	s := newSpeaker(t, blocks.OutputFrame)
	o := Options{Structure: Full, Iterations: 4, Rate: 0.01}
	l, err := NewLayer(s.params, planes, o)
	if err != nil {
		t.Fatal(err)
	}
	var at []float64
	steady := func(*datasets.Batch) (float64, int, error) {
		at = append(at, float64(l.bias.Data[0]))
		clear(l.weight.Grad)
		for i := range l.bias.Grad {
			l.bias.Grad[i] = 1
		}
		return 1, 1, nil
	}
	if _, err := l.Estimate(t.Context(), &rounds{all: clean()}, steady); err != nil {
		t.Fatal(err)
	}
	at = append(at, float64(l.bias.Data[0]))
	const each = utterances / size
	if len(at) != each*o.Iterations+1 {
		t.Fatalf("%d updates, want %d", len(at)-1, each*o.Iterations)
	}
	for i := range len(at) - 1 {
		want := o.Rate * (1 - float64(i/each)/float64(o.Iterations))
		if got := at[i] - at[i+1]; !(math.Abs(got-want) <= 1e-3*o.Rate) {
			t.Errorf("update %d moves by %g, want %g", i, got, want)
		}
	}
}

func TestADivergedEstimationSaysSo(t *testing.T) {
	s := newSpeaker(t, blocks.OutputFrame)
	l, err := NewLayer(s.params, planes, Options{Structure: Full, Iterations: 1, Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		pass := func(*datasets.Batch) (float64, int, error) { return loss, 1, nil }
		if _, err := l.Estimate(t.Context(), &rounds{all: clean()}, pass); !errors.Is(err, ErrDiverged) {
			t.Errorf("a loss of %v: %v", loss, err)
		}
	}
}

// TestProgressIsTheMeanOverLabels also passes over batches without any: their gradients, which a
// machine did not make, are not used.
func TestProgressIsTheMeanOverLabels(t *testing.T) {
	s := newSpeaker(t, blocks.OutputFrame)
	l, err := NewLayer(s.params, planes, Options{Structure: Full, Iterations: 3, Rate: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	losses, labels := []float64{4, 100, 1, 8, 9, 10, 2, 50, 3}, []int{1, 0, 3, 1, 1, 1, 3, 0, 1}
	k := 0
	pass := func(*datasets.Batch) (float64, int, error) {
		k++
		clear(l.weight.Grad)
		clear(l.bias.Grad)
		if labels[k-1] == 0 {
			l.bias.Grad[0] = 1e6
		}
		return losses[k-1], labels[k-1], nil
	}
	p, err := l.Estimate(t.Context(), &rounds{all: clean()}, pass)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := (4*1+1*3)/4., (2*3+3*1)/4.; p.First != first || p.Last != last || k != 9 {
		t.Errorf("%+v after %d batches, want %g and %g after 9", p, k, first, last)
	}
	if b := l.Transform().Bias[0]; b != 0 {
		t.Errorf("a batch without labels moved the bias to %g", b)
	}
}

func TestFirstPassLabels(t *testing.T) {
	logits := []float32{0, 2, 1 /**/, 3, 3, 0 /**/, 0, 0, 0.1}
	for _, c := range []struct {
		whole      bool
		confidence float64
		want       []int32
	}{{false, 0, []int32{1, 0, 2}}, {false, 0.5, []int32{1, -1, -1}}, {true, 0, []int32{1}}, {true, 0.9, []int32{-1}}} {
		if got := FirstPass(logits, 3, c.whole, c.confidence); !slices.Equal(got, c.want) {
			t.Errorf("whole %v, confidence %g: %v, want %v", c.whole, c.confidence, got, c.want)
		}
	}
}

func TestOptionsWithoutAMeaningAreRefused(t *testing.T) {
	good := Options{Structure: Full, Iterations: 1, Rate: 0.1}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string]func(*Options){
		"structure": func(o *Options) { o.Structure = "square" }, "iterations": func(o *Options) { o.Iterations = -1 },
		"rate": func(o *Options) { o.Rate = 0 }, "NaN": func(o *Options) { o.Rate = math.NaN() }, "penalty": func(o *Options) { o.Regularise = -1 },
	} {
		o := good
		edit(&o)
		if o.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
