package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

// A SequenceNetwork computes the logits of a batch of sequences: [N·T, K] with a row for each
// frame, padding included, or [N, K] for whole utterances. They are valid until the next call.
type SequenceNetwork interface {
	InferSequences(b *datasets.Batch) ([]float32, error)
}

// SequenceInput says what EvaluateSequences reads.
type SequenceInput struct {
	Utterances int
	Classes    int
	Frames     bool // the network classifies frames, not whole utterances
	// Label is of the whole utterance i, negative where it has none; nil means that none has.
	Label func(i int) int
	Name  func(i int) string // of utterance i, for errors
}

// SequenceMetrics are the figures of a network on utterances. Errors are percentages.
type SequenceMetrics struct {
	Metrics        // of frames, or of utterances where the network classifies those; N counts them
	Utterances int // measured
	// UtteranceError is that of the mean of an utterance's frame logits; nil where utterances have
	// no label.
	UtteranceError *float64
}

// A Sequence is one measured utterance. Its slices are valid during the call only.
type Sequence struct {
	Index  int
	Label  int       // of the whole utterance; negative where it has none
	Frames int       // T'
	Logits []float32 // [T', K], or [K] for whole utterances
	Labels []int32   // [T'], negative where there is none, or [1]
	Mean   []float64 // [K], what the utterance is classified by
}

// EvaluateSequences measures a network on batches that hold every utterance once. Frames without a
// label count nothing. The figures do not depend on how the batches are cut. It fails with
// ErrNonFinite or ErrLabel, naming the utterance, and with the errors of the network, the batches
// and the observers.
func EvaluateSequences(ctx context.Context, net SequenceNetwork, batches Batches, in SequenceInput, observers ...func(Sequence) error) (SequenceMetrics, error) {
	m := newSequenceMeter(in)
	for {
		b, err := batches.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return SequenceMetrics{}, err
		}
		err = m.batch(net, b, observers)
		batches.Recycle(b)
		if err != nil {
			return SequenceMetrics{}, err
		}
	}
	return m.metrics()
}

// sequenceMeter counts utterances that arrive in any order.
type sequenceMeter struct {
	in     SequenceInput
	tally  []sequenceTally // by utterance, so that losses are summed in one order
	meter  *Meter          // of whole utterances
	seen   int
	scores []float64
}

// sequenceTally are the figures of the labelled frames of an utterance.
type sequenceTally struct {
	seen                   bool
	labels, wrong1, wrong5 int
	loss                   float64
}

func newSequenceMeter(in SequenceInput) *sequenceMeter {
	return &sequenceMeter{in: in, tally: make([]sequenceTally, in.Utterances), scores: make([]float64, in.Classes)}
}

// batch counts the utterances of one batch.
func (m *sequenceMeter) batch(net SequenceNetwork, b *datasets.Batch, observers []func(Sequence) error) error {
	logits, err := net.InferSequences(b)
	if err != nil {
		return err
	}
	k, rows := m.in.Classes, 1
	if m.in.Frames {
		rows = b.Frames
	}
	if len(logits) != b.N*rows*k || len(b.Labels) != b.N*rows {
		return fmt.Errorf("evaluation: the network gave %d values for %d utterances of %d rows and %d classes, with %d labels", len(logits), b.N, rows, k, len(b.Labels))
	}
	for j, i := range b.Index {
		n := rows
		if m.in.Frames {
			n = int(b.Lengths[j])
		}
		s := Sequence{Index: i, Label: -1, Frames: int(b.Lengths[j]), Logits: logits[j*rows*k : (j*rows+n)*k], Labels: b.Labels[j*rows : j*rows+n]}
		if m.in.Label != nil {
			s.Label = m.in.Label(i)
		}
		if err := m.utterance(&s); err != nil {
			return err
		}
		for _, observe := range observers {
			if err := observe(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// utterance counts one, and finds the mean of its logits.
func (m *sequenceMeter) utterance(s *Sequence) error {
	if s.Index < 0 || s.Index >= len(m.tally) || m.tally[s.Index].seen {
		return fmt.Errorf("evaluation: utterance %d of %d: it is not there, or comes twice", s.Index, len(m.tally))
	}
	k := m.in.Classes
	t := &m.tally[s.Index]
	t.seen = true
	m.seen++
	s.Mean = make([]float64, k)
	for r, label := range s.Labels {
		for c, z := range s.Logits[r*k : (r+1)*k] {
			v := float64(z)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: %w: frame %d: the logit of class %d is %v", m.name(s.Index), ErrNonFinite, r, c, z)
			}
			m.scores[c] = v
			s.Mean[c] += v / float64(len(s.Labels))
		}
		if label < 0 {
			continue
		}
		if int(label) >= k {
			return fmt.Errorf("%s: %w: label %d, classes 0 to %d: evaluate on the corpus that the network was trained for", m.name(s.Index), ErrLabel, label, k-1)
		}
		t.labels++
		t.loss += logSumExp(m.scores) - m.scores[label]
		place := rank(m.scores, int(label))
		if place >= 1 {
			t.wrong1++
		}
		if place >= 5 {
			t.wrong5++
		}
	}
	if s.Label < 0 {
		return nil
	}
	if m.meter == nil {
		var err error
		if m.meter, err = NewMeter(len(m.tally), k, m.in.Name); err != nil {
			return err
		}
	}
	return m.meter.add(s.Index, s.Label, s.Mean)
}

func (m *sequenceMeter) name(i int) string {
	if m.in.Name == nil {
		return fmt.Sprintf("utterance %d", i)
	}
	return fmt.Sprintf("utterance %s", text.Printable(m.in.Name(i)))
}

// metrics sums up. It fails unless every utterance was counted.
func (m *sequenceMeter) metrics() (SequenceMetrics, error) {
	if m.seen < len(m.tally) {
		return SequenceMetrics{}, fmt.Errorf("evaluation: %d of %d utterances were not measured", len(m.tally)-m.seen, len(m.tally))
	}
	var all sequenceTally
	for _, t := range m.tally {
		all.labels += t.labels
		all.wrong1 += t.wrong1
		all.wrong5 += t.wrong5
		all.loss += t.loss
	}
	if all.labels == 0 {
		return SequenceMetrics{}, errors.New("evaluation: no frame has a label")
	}
	out := SequenceMetrics{Metrics: Metrics{N: all.labels, Top1Error: percent(all.wrong1, all.labels), Loss: all.loss / float64(all.labels)}, Utterances: m.seen}
	if m.in.Classes >= 5 {
		top5 := percent(all.wrong5, all.labels)
		out.Top5Error = &top5
	}
	if m.meter != nil && m.meter.left == 0 {
		u, err := m.meter.Metrics()
		if err != nil {
			return SequenceMetrics{}, err
		}
		out.UtteranceError, out.Confusion = &u.Top1Error, u.Confusion
	}
	return out, nil
}

// LogPosteriors writes log-softmax of logits [T, K] over them, in float64 arithmetic, minus
// logPrior [K] where that is given.
func LogPosteriors(logits []float32, classes int, logPrior []float64) {
	row := make([]float64, classes)
	for at := 0; at+classes <= len(logits); at += classes {
		for c, z := range logits[at : at+classes] {
			row[c] = float64(z)
		}
		norm := logSumExp(row)
		for c, z := range row {
			v := z - norm
			if logPrior != nil {
				v -= logPrior[c]
			}
			logits[at+c] = float32(v)
		}
	}
}

// LogPriors are the logarithms of class frequencies. A class without a frame counts as half a
// frame: its prior is small and its likelihood not infinite.
func LogPriors(counts []int64) []float64 {
	var total float64
	for _, n := range counts {
		total += math.Max(float64(n), unseen)
	}
	out := make([]float64, len(counts))
	for c, n := range counts {
		out[c] = math.Log(math.Max(float64(n), unseen) / total)
	}
	return out
}

// unseen is what a class without a frame counts as.
const unseen = 0.5
