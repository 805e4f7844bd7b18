package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

// fixedSequences is a network that gives logits by utterance and frame, and batches of a given
// size.
type fixedSequences struct {
	lengths []int
	labels  []int
	frames  bool
	batch   int
	at      int
	spoil   float32
}

const sequenceClasses = 6

func (f *fixedSequences) logit(i, t, c int) float32 {
	return float32(math.Sin(float64(17*i+5*t+3*c))) + f.spoil
}

func (f *fixedSequences) Next(context.Context) (*datasets.Batch, error) {
	if f.at == len(f.lengths) {
		return nil, io.EOF
	}
	b := &datasets.Batch{N: min(f.batch, len(f.lengths)-f.at)}
	for j := range b.N {
		i := len(f.lengths) - 1 - f.at - j // backwards
		b.Index = append(b.Index, i)
		b.Lengths = append(b.Lengths, int32(f.lengths[i]))
		b.Frames = max(b.Frames, f.lengths[i])
	}
	for _, i := range b.Index {
		if !f.frames {
			b.Labels = append(b.Labels, int32(f.labels[i]))
			continue
		}
		for t := range b.Frames {
			label := int32(-1)
			if t < f.lengths[i] && t != 1 { // frame 1 never has a label
				label = int32(f.labels[i])
			}
			b.Labels = append(b.Labels, label)
		}
	}
	f.at += b.N
	return b, nil
}
func (f *fixedSequences) Recycle(*datasets.Batch) {}

func (f *fixedSequences) InferSequences(b *datasets.Batch) ([]float32, error) {
	var out []float32
	rows := 1
	if f.frames {
		rows = b.Frames
	}
	for _, i := range b.Index {
		for t := range rows {
			for c := range sequenceClasses {
				v := f.logit(i, t, c)
				if f.frames && t >= f.lengths[i] {
					v = 1e9 // padding must not be read
				}
				out = append(out, v)
			}
		}
	}
	return out, nil
}

func (f *fixedSequences) input() SequenceInput {
	return SequenceInput{
		Utterances: len(f.lengths), Classes: sequenceClasses, Frames: f.frames,
		Label: func(i int) int { return f.labels[i] }, Name: func(i int) string { return fmt.Sprintf("u%d", i) },
	}
}

// TestFramesAndUtterancesAreCountedOnce compares with a plain count.
func TestFramesAndUtterancesAreCountedOnce(t *testing.T) {
	f := fixedSequences{lengths: []int{4, 2, 7, 1, 5}, labels: []int{0, 3, 5, 1, 2}, frames: true}
	var n, wrong1, wrong5, wrongU int
	var loss float64
	for i, length := range f.lengths {
		mean := make([]float64, sequenceClasses)
		for k := range length {
			row := make([]float64, sequenceClasses)
			for c := range row {
				row[c] = float64(f.logit(i, k, c))
				mean[c] += row[c] / float64(length)
			}
			if k == 1 {
				continue
			}
			n++
			loss += logSumExp(row) - row[f.labels[i]]
			if r := rank(row, f.labels[i]); r >= 5 {
				wrong1, wrong5 = wrong1+1, wrong5+1
			} else if r >= 1 {
				wrong1++
			}
		}
		if argmax(mean) != f.labels[i] {
			wrongU++
		}
	}
	for batch := 1; batch <= 6; batch++ {
		net := f
		net.batch = batch
		observed := 0
		m, err := EvaluateSequences(t.Context(), &net, &net, net.input(), func(s Sequence) error {
			observed++
			if s.Label != f.labels[s.Index] || s.Frames != f.lengths[s.Index] {
				t.Errorf("utterance %d: label %d of %d frames", s.Index, s.Label, s.Frames)
			}
			for c, z := range s.Mean {
				want := 0.0
				for k := range f.lengths[s.Index] {
					want += float64(f.logit(s.Index, k, c))
				}
				if want /= float64(f.lengths[s.Index]); math.Abs(z-want) > 1e-12 {
					t.Errorf("utterance %d: the mean logit of class %d is %v, want %v", s.Index, c, z, want)
				}
			}
			return nil
		})
		if err != nil || observed != 5 {
			t.Fatalf("%d utterances observed, %v", observed, err)
		}
		if m.N != n || m.Utterances != 5 || m.Top1Error != percent(wrong1, n) || *m.Top5Error != percent(wrong5, n) ||
			math.Abs(m.Loss-loss/float64(n)) > 1e-12 || *m.UtteranceError != percent(wrongU, 5) {
			t.Errorf("batches of %d: %+v, utterance error %v; want %d, %d, %d of %d, loss %v, %d of 5", batch, m.Metrics, *m.UtteranceError, wrong1, wrong5, n, n, loss/float64(n), wrongU)
		}
	}
}

// TestUtterancesWithoutALabelHaveNoError: their frames are counted all the same.
func TestUtterancesWithoutALabelHaveNoError(t *testing.T) {
	f := &fixedSequences{lengths: []int{4, 2, 7}, labels: []int{0, 3, 5}, frames: true, batch: 2}
	in := f.input()
	in.Label = func(i int) int { return map[int]int{0: 0, 1: -1, 2: 5}[i] }
	m, err := EvaluateSequences(t.Context(), f, f, in)
	if err != nil || m.UtteranceError != nil || m.Confusion != nil || m.N != 3+1+6 || m.Utterances != 3 {
		t.Errorf("%+v (%v), want 10 frames of 3 utterances, without an error of utterances", m, err)
	}
}

// fiveClasses gives one utterance of one frame of five classes, the label's logit last.
type fiveClasses struct{ done bool }

func (f *fiveClasses) Next(context.Context) (*datasets.Batch, error) {
	if f.done {
		return nil, io.EOF
	}
	f.done = true
	return &datasets.Batch{N: 1, Index: []int{0}, Labels: []int32{2}, Lengths: []int32{1}, Frames: 1}, nil
}
func (*fiveClasses) Recycle(*datasets.Batch) {}
func (*fiveClasses) InferSequences(*datasets.Batch) ([]float32, error) {
	return []float32{4, 3, 0, 2, 1}, nil
}

// TestTheFirstFiveOfFiveClassesAreAll: five is the least for which there is a top-5 error.
func TestTheFirstFiveOfFiveClassesAreAll(t *testing.T) {
	f := new(fiveClasses)
	m, err := EvaluateSequences(t.Context(), f, f, SequenceInput{Utterances: 1, Classes: 5, Frames: true})
	if err != nil || m.Top1Error != 100 || m.Top5Error == nil || *m.Top5Error != 0 {
		t.Errorf("%+v (%v), want top-1 100, top-5 0", m.Metrics, err)
	}
	meter, err := NewMeter(1, 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := meter.Add([]float32{4, 3, 0, 2, 1}, []int32{2}, []int{0}); err != nil {
		t.Fatal(err)
	}
	if got, err := meter.Metrics(); err != nil || got.Top5Error == nil || *got.Top5Error != 0 {
		t.Errorf("%+v (%v), want top-5 0", got, err)
	}
}

func TestWholeUtterancesAreOneRow(t *testing.T) {
	f := &fixedSequences{lengths: []int{4, 2, 7}, labels: []int{0, 3, 5}, batch: 2}
	m, err := EvaluateSequences(t.Context(), f, f, f.input())
	if err != nil || m.N != 3 || m.Top1Error != *m.UtteranceError {
		t.Errorf("%+v (%v)", m, err)
	}
}

func TestWhatIsWrongWithSequencesNamesTheUtterance(t *testing.T) {
	f := &fixedSequences{lengths: []int{4, 2}, labels: []int{0, 9}, batch: 2, frames: true}
	if _, err := EvaluateSequences(t.Context(), f, f, f.input()); !errors.Is(err, ErrLabel) || !strings.Contains(err.Error(), "u1") {
		t.Errorf("label 9 of 6: %v", err)
	}
	f = &fixedSequences{lengths: []int{4, 2}, labels: []int{0, 1}, batch: 2, frames: true, spoil: float32(math.NaN())}
	if _, err := EvaluateSequences(t.Context(), f, f, f.input()); !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "u1") {
		t.Errorf("not a number: %v", err)
	}
	f = &fixedSequences{lengths: []int{4, 2}, labels: []int{0, 1}, batch: 2, frames: true}
	in := f.input()
	in.Utterances = 3
	if _, err := EvaluateSequences(t.Context(), f, f, in); err == nil {
		t.Error("an utterance may be missing")
	}
}

func TestPosteriorsSumToOneAndPriorsShiftThem(t *testing.T) {
	logits := []float32{1, 2, 300, -5, 0, 0}
	prior := LogPriors([]int64{6, 0, 4})
	if math.Abs(math.Exp(prior[0])+math.Exp(prior[1])+math.Exp(prior[2])-1) > 1e-12 || math.Abs(math.Exp(prior[1])-0.5/10.5) > 1e-12 {
		t.Errorf("priors %v", prior)
	}
	post, scaled := append([]float32(nil), logits...), append([]float32(nil), logits...)
	LogPosteriors(post, 3, nil)
	LogPosteriors(scaled, 3, prior)
	for r := range 2 {
		var sum float64
		for c := range 3 {
			sum += math.Exp(float64(post[3*r+c]))
			if d := float64(post[3*r+c]) - prior[c] - float64(scaled[3*r+c]); math.Abs(d) > 1e-4 {
				t.Errorf("row %d class %d: the prior shifts by %v too much", r, c, d)
			}
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("row %d sums to %v", r, sum)
		}
	}
}
