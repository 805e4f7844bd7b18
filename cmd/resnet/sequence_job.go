package main

import (
	"context"
	"path/filepath"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/train"
)

// speechJob is what a job has besides when its data are utterances.
type speechJob struct {
	corpus *corpus.Corpus
	shapes []corpus.Shape // of the training batches
	frames bool           // the network tells frames apart, not whole utterances
	maps   int
}

// openSpeech makes a job of utterances ready.
func (j *job) openSpeech(ctx context.Context, open dataSets) error {
	c, err := open.corpus(ctx, j.Data, j.Speech, j.Train.Seed)
	if err != nil {
		return err
	}
	info := c.Info()
	if j.spec, err = blocks.ResolveSequence(j.Model, blocks.SequenceInfo{Dim: info.Dim, Maps: 1 + j.Speech.Frontend.Deltas, Classes: info.Count}); err != nil {
		return j.located(err)
	}
	s := &speechJob{corpus: c, frames: framesOf(j.spec), maps: j.spec.Maps()}
	if !s.frames && info.Aligned {
		return usageErrorf("model.output: utterance, but speech.alignments give classes of frames: set model.output to frame, or speech.labels")
	}
	s.shapes = c.TrainShapes(corpus.Limits{Utterances: j.Train.Batch, Frames: j.Speech.BatchFrames})
	if j.plan, err = train.NewSequencePlan(j.Train, j.Eval, info.Train, c.PerEpoch(s.shapes)); err != nil {
		return j.located(err)
	}
	j.plan.UtteranceErrors = s.frames && !info.Aligned
	j.speech = s
	return nil
}

// loader opens the training batches from an epoch's batch on.
func (s *speechJob) loader(seed uint64, epoch, batch int) (*corpus.Loader, error) {
	return s.corpus.NewLoader(corpus.LoaderOptions{Split: datasets.Train, Shapes: s.shapes, Maps: s.maps, Utterances: !s.frames,
		Seed: seed, StartEpoch: epoch, StartBatch: batch})
}

// evalShapes are the batch shapes of splits that are measured.
func evalShapes(c *corpus.Corpus, batch, buckets int, splits ...datasets.Split) []corpus.Shape {
	var lengths []int
	for _, s := range splits {
		lengths = append(lengths, c.Lengths(s)...)
	}
	return corpus.Shapes(lengths, buckets, corpus.Limits{Utterances: batch})
}

func (a *app) newSequenceTrainer(j *job, params *graph.ParamSet) (*trainer, error) {
	m, err := a.sequencer(j.spec, params, graph.Train, eval.Plain, j.threads, j.speech.shapes...)
	if err != nil {
		return nil, err
	}
	of := func(b *datasets.Batch) (graph.Machine, error) { return m.Of(b) }
	return &trainer{of: of, graph: func() *graph.Graph { return m.Last().Graph }, bytes: m.Bytes(), close: m.Close}, nil
}

// sequenceEvaluator measures the parameters of a training on the splits of a corpus.
type sequenceEvaluator struct {
	j        *job
	machines *eval.Sequencer
	shapes   []corpus.Shape
	splits   []datasets.Split
}

func (a *app) newSequenceEvaluator(j *job, params *graph.ParamSet) (*sequenceEvaluator, error) {
	e := &sequenceEvaluator{j: j}
	for _, s := range []datasets.Split{datasets.Val, datasets.Test, datasets.Train} {
		if j.speech.corpus.Len(s) > 0 && (s != datasets.Train || j.Eval.TrainSet) {
			e.splits = append(e.splits, s)
		}
	}
	e.shapes = evalShapes(j.speech.corpus, j.Eval.Batch, j.Speech.Buckets, e.splits...)
	var err error
	e.machines, err = a.sequencer(j.spec, params, graph.Eval, eval.Plain, j.threads, e.shapes...)
	return e, err
}

func (e *sequenceEvaluator) close() { e.machines.Close() }

// evaluate is train.Options.Evaluate.
func (e *sequenceEvaluator) evaluate(ctx context.Context) (train.Evaluation, error) {
	var out train.Evaluation
	to := map[datasets.Split]**train.Metrics{datasets.Val: &out.Val, datasets.Test: &out.Test, datasets.Train: &out.Train}
	for _, split := range e.splits {
		m, err := measureSequences(ctx, e.machines, e.j.speech.corpus, split, e.shapes, e.j.spec)
		if err != nil {
			return train.Evaluation{}, err
		}
		*to[split] = &train.Metrics{Loss: m.Loss, Error: m.Top1Error, Top5Error: m.Top5Error, UtteranceError: m.UtteranceError}
	}
	return out, nil
}

// measureSequences measures a network on a split of a corpus.
func measureSequences(ctx context.Context, net eval.SequenceNetwork, c *corpus.Corpus, split datasets.Split, shapes []corpus.Shape, spec blocks.Spec,
	observers ...func(eval.Sequence) error) (eval.SequenceMetrics, error) {
	loader, err := c.NewLoader(corpus.LoaderOptions{Split: split, Shapes: shapes, Maps: spec.Maps(), Utterances: !framesOf(spec), Once: true})
	if err != nil {
		return eval.SequenceMetrics{}, err
	}
	defer loader.Close()
	in := eval.SequenceInput{Utterances: c.Len(split), Classes: spec.Classes, Frames: framesOf(spec), Name: func(i int) string { return c.ID(split, i) }}
	if !c.Info().Aligned {
		in.Label = func(i int) int { return c.Label(split, i) }
	}
	return eval.EvaluateSequences(ctx, net, loader, in, observers...)
}

// absoluteSpeech makes the paths of the section absolute: a resumed run may be started from
// elsewhere.
func (j *job) absoluteSpeech() error {
	c := &j.Speech
	for _, path := range []*string{&c.Labels, &c.ValDir, &c.TestDir} {
		if *path == "" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return &ioError{err}
		}
		*path = abs
	}
	if c.Alignments == "" {
		return nil
	}
	names := strings.Split(c.Alignments, ",")
	for i, name := range names {
		abs, err := filepath.Abs(strings.TrimSpace(name))
		if err != nil {
			return &ioError{err}
		}
		names[i] = abs
	}
	c.Alignments = strings.Join(names, ",")
	return nil
}

// lastTable is the last evaluation's error.
func (s *speechJob) lastTable(j *job, dir string, m *train.Metrics) eval.Table {
	row := eval.Row{Model: j.spec.Name, Checkpoint: dir, N: s.corpus.Len(datasets.Test), Top1Error: m.Error, Top5Error: m.Top5Error, Loss: m.Loss,
		Params: j.spec.Params, Protocol: sequenceProtocol(s.frames), Unit: "utterances", UtteranceError: m.UtteranceError}
	return eval.Table{Rows: []eval.Row{row}}
}

// sequenceUnit is what an error counts.
func sequenceUnit(frames bool) string {
	if frames {
		return "frames"
	}
	return "utterances"
}

// sequenceProtocol says in a word what an error is of.
func sequenceProtocol(frames bool) string {
	if frames {
		return "frames"
	}
	return "whole utterances"
}

// framesOf reports whether a network tells frames apart, not whole utterances.
func framesOf(s blocks.Spec) bool { return s.Speech != nil && s.Speech.Output == blocks.OutputFrame }
