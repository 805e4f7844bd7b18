package experiment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
	"resnet/internal/train"
)

// sequences is the data of an experiment on utterances.
type sequences struct {
	x      *Experiment
	corpus *corpus.Corpus
	shapes []corpus.Shape // of the training batches
}

func openSequences(ctx context.Context, x *Experiment, open DataSets) (*sequences, error) {
	c, err := open.corpus(ctx, x.Data, x.Speech, x.Train.Seed)
	if err != nil {
		return nil, err
	}
	info := c.Info()
	if x.Spec, err = blocks.ResolveSequence(x.Model, blocks.SequenceInfo{Dim: info.Dim, Maps: 1 + x.Speech.Frontend.Deltas, Classes: info.Count}); err != nil {
		return nil, x.Located(err)
	}
	frames := classifiesFrames(x.Spec)
	if !frames && info.Aligned {
		return nil, config.Usagef("model.output: utterance, but speech.alignments give classes of frames: set model.output to frame, or speech.labels")
	}
	s := &sequences{x: x, corpus: c, shapes: c.TrainShapes(corpus.Limits{Utterances: x.Train.Batch, Frames: x.Speech.BatchFrames})}
	if x.Plan, err = train.NewSequencePlan(x.Train, x.Eval, info.Train, c.PerEpoch(s.shapes)); err != nil {
		return nil, x.Located(err)
	}
	if err := x.checkRecipe(info.Val); err != nil {
		return nil, err
	}
	x.Plan.UtteranceErrors = frames && !info.Aligned
	return s, nil
}

func (*sequences) unit() string { return "utterance" }

func (s *sequences) stepSize() string {
	return "about " + text.Count(s.x.Plan.ImagesPerStep(), s.unit())
}

func (s *sequences) classes() []string { return s.corpus.Info().Classes }

func (s *sequences) notes() []string { return s.corpus.Info().Notes }

func (s *sequences) sizes() (int, int, int) {
	info := s.corpus.Info()
	return info.Train, info.Val, info.Test
}

func (s *sequences) input() []int {
	maps := s.x.Spec.Maps()
	return []int{maps, s.corpus.Info().Dim / maps, s.shapes[len(s.shapes)-1].Frames}
}

// bytes is not known: features are read from files or computed as they are needed.
func (s *sequences) bytes() int64 { return 0 }

func (s *sequences) describe(p Estimate) [][2]string {
	info := s.corpus.Info()
	var shapes []string
	for _, shape := range s.shapes {
		shapes = append(shapes, fmt.Sprintf("%dx%d", shape.N, shape.Frames))
	}
	lines := [][2]string{
		{"model", fmt.Sprintf("%s: %s parameters, for %d maps of %d features", p.Model, text.Grouped(p.Params), p.Input[0], p.Input[1])},
		{"data", fmt.Sprintf("%s: %s training, %s validation and %s test utterances of %d classes, %s training frames", info.Name,
			text.Grouped(info.Train), text.Grouped(info.Val), text.Grouped(info.Test), info.Count, text.Grouped(info.Frames))},
	}
	for _, note := range info.Notes {
		lines = append(lines, [2]string{"", note})
	}
	return append(lines, [2]string{"batches", fmt.Sprintf("of utterances x frames: %s; %d an epoch", strings.Join(shapes, ", "), s.x.Plan.BatchesPerEpoch)})
}

func (s *sequences) loader(epoch, batch int, share datasets.Share, _ func(string, error)) (train.Loader, error) {
	l, err := s.corpus.NewLoader(corpus.LoaderOptions{
		Split: datasets.Train, Shapes: s.shapes, Maps: s.x.Spec.Maps(), Utterances: !classifiesFrames(s.x.Spec),
		Seed: s.x.Train.Seed, StartEpoch: epoch, StartBatch: batch,
	})
	if err != nil {
		return nil, err
	}
	return train.Shared(l, share), nil
}

// sequenceTrainer has a machine for each shape of batches.
type sequenceTrainer struct{ *eval.Sequencer }

func (s *sequences) trainer(params *graph.ParamSet, on device) (trainer, error) {
	m, err := s.sequencer(params, graph.Train, s.shapes, on)
	if err != nil {
		return nil, err
	}
	return sequenceTrainer{m}, nil
}

// sequencer runs the network that is trained.
func (s *sequences) sequencer(params *graph.ParamSet, mode graph.Mode, shapes []corpus.Shape, on device) (*eval.Sequencer, error) {
	return s.x.env.sequencer(sequencerOptions{spec: s.x.Spec, params: params, mode: mode, device: on, limit: s.x.memory.bytes}, shapes...)
}

func (t sequenceTrainer) machine(b *datasets.Batch) (graph.Machine, error) { return t.Of(b) }
func (t sequenceTrainer) beforeBatch(batches int)                          { numberBatch(t.Last().Graph, batches) }
func (t sequenceTrainer) targets() *train.Targets                          { return nil }
func (t sequenceTrainer) bytes() int64                                     { return t.Bytes() }
func (t sequenceTrainer) close()                                           { t.Close() }

// sequenceEvaluator measures the parameters of a training on the splits of a corpus.
type sequenceEvaluator struct {
	s        *sequences
	machines *eval.Sequencer
	shapes   []corpus.Shape
}

// evaluated are the shapes of the batches of an evaluation.
func (s *sequences) evaluated() []corpus.Shape {
	splits := []datasets.Split{datasets.Val, datasets.Test}
	if s.x.Eval.TrainSet {
		splits = append(splits, datasets.Train)
	}
	return evalShapes(s.corpus, s.x.Eval.Batch, s.x.Speech.Buckets, splits...)
}

func (s *sequences) evaluator(params *graph.ParamSet) (evaluator, error) {
	e := &sequenceEvaluator{s: s, shapes: s.evaluated()}
	var err error
	if e.machines, err = s.sequencer(params, graph.Eval, e.shapes, s.x.device()); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *sequenceEvaluator) bytes() int64 { return e.machines.Bytes() }
func (e *sequenceEvaluator) close()       { e.machines.Close() }

func (e *sequenceEvaluator) evaluate(ctx context.Context) (train.Evaluation, error) {
	var out train.Evaluation
	err := eachSplit(e.s.corpus.Len, e.s.x.Eval.TrainSet, &out, func(split datasets.Split) (*train.Metrics, error) {
		m, err := measureSequences(ctx, e.machines, e.s.corpus, split, e.shapes, e.s.x.Spec)
		return &train.Metrics{Loss: m.Loss, Error: m.Top1Error, Top5Error: m.Top5Error, UtteranceError: m.UtteranceError}, err
	})
	return out, err
}

// timeBatch times a batch of each shape. Shapes hold about as many utterances each, so those of few
// a batch come more often.
func (s *sequences) timeBatch(ctx context.Context, t trainer) (time.Duration, error) {
	loader, err := s.loader(0, 0, datasets.Share{}, nil)
	if err != nil {
		return 0, err
	}
	defer loader.Close()
	known := map[int]bool{} // by frames
	var mean batchTimes
	for range s.corpus.PerEpoch(s.shapes) {
		if len(known) == len(s.shapes) {
			break
		}
		b, err := loader.Next(ctx)
		if err != nil {
			return 0, err
		}
		if !known[b.Frames] {
			d, err := timeTraining(t, b)
			if err != nil {
				return 0, err
			}
			known[b.Frames] = true
			mean.add(d.Seconds(), b.N)
		}
		loader.Recycle(b)
	}
	return text.Seconds(mean.mean()), nil
}

// batchTimes is the mean time of batches of which each shape's n utterances make up as large a part
// of an epoch as another's.
type batchTimes struct{ sum, weights float64 }

func (t *batchTimes) add(seconds float64, n int) {
	t.sum += seconds / float64(n)
	t.weights += 1 / float64(n)
}

func (t *batchTimes) mean() float64 { return t.sum / t.weights }

// timeEvaluation is that of a whole one.
func (s *sequences) timeEvaluation(ctx context.Context, e evaluator) (time.Duration, error) {
	start := time.Now()
	_, err := e.evaluate(ctx)
	return time.Since(start), err
}

// leastMemory counts the largest of the shapes, whose machines share their memory.
func (s *sequences) leastMemory() ([]need, error) {
	sum, err := blocks.Summarize(s.x.Spec)
	if err != nil {
		return nil, err
	}
	train := s.x.trainBatch(float64(s.x.workers()) * leastTraining(sum, largestShape(s.shapes), s.x.Precision()))
	train.hint = "or speech.batch_frames; train.accumulate keeps the batch of an update"
	return []need{train, s.x.evalBatch(leastInference(sum, largestShape(s.evaluated()))), s.x.parameters(sum.Params)}, nil
}

func (s *sequences) needs(t trainer, e evaluator) []need {
	return []need{s.x.trainBatch(float64(t.bytes())), s.x.evalBatch(float64(e.bytes()))}
}

// largestShape is the greatest number of frames of a batch.
func largestShape(shapes []corpus.Shape) float64 {
	most := 0.
	for _, s := range shapes {
		most = max(most, float64(s.N)*float64(s.Frames))
	}
	return most
}

func (s *sequences) identity() string { return s.x.Data.Name }

func (s *sequences) fingerprint(ctx context.Context) (datasets.Fingerprint, error) {
	return s.corpus.Fingerprint(ctx)
}

func (s *sequences) meta(m *weights.Meta) {
	m.Preprocessing = datasets.Preprocessing{Normalizer: datasets.Normalizer{Kind: datasets.NoNormalizing}}.Encode()
	m.Frontend = s.x.Speech.Frontend.Encode()
	m.ClassCounts = make([]int64, s.x.Spec.Classes) // model.classes may be more than the corpus has
	copy(m.ClassCounts, s.corpus.Counts())
}

func (s *sequences) row(checkpoint string, m train.Metrics) eval.Row {
	return testRow(s.x.Spec, s.x.Precision(), checkpoint, "", s.corpus.Len(datasets.Test), m)
}

// evalShapes are the batch shapes of splits that are measured.
func evalShapes(c *corpus.Corpus, batch, buckets int, splits ...datasets.Split) []corpus.Shape {
	var lengths []int
	for _, s := range splits {
		lengths = append(lengths, c.Lengths(s)...)
	}
	return corpus.Shapes(lengths, buckets, corpus.Limits{Utterances: batch})
}

// measureSequences measures a network on a split of a corpus.
func measureSequences(ctx context.Context, net eval.SequenceNetwork, c *corpus.Corpus, split datasets.Split, shapes []corpus.Shape, spec blocks.Spec,
	observers ...func(eval.Sequence) error,
) (eval.SequenceMetrics, error) {
	frames := classifiesFrames(spec)
	loader, err := c.NewLoader(corpus.LoaderOptions{Split: split, Shapes: shapes, Maps: spec.Maps(), Utterances: !frames, Once: true})
	if err != nil {
		return eval.SequenceMetrics{}, err
	}
	defer loader.Close()
	in := eval.SequenceInput{Utterances: c.Len(split), Classes: spec.Classes, Frames: frames, Name: func(i int) string { return c.ID(split, i) }}
	if !c.Info().Aligned {
		in.Label = func(i int) int { return c.Label(split, i) }
	}
	return eval.EvaluateSequences(ctx, net, loader, in, observers...)
}

// sequenceUnit is what an error counts.
func sequenceUnit(s blocks.Spec) string {
	if classifiesFrames(s) {
		return "frames"
	}
	return "utterances"
}

// sequenceProtocol says in a word what an error is of.
func sequenceProtocol(s blocks.Spec) string {
	if classifiesFrames(s) {
		return "frames"
	}
	return "whole utterances"
}

// classifiesFrames reports whether a network classifies frames, not whole utterances.
func classifiesFrames(s blocks.Spec) bool {
	return s.Speech != nil && s.Speech.Output == blocks.OutputFrame
}
