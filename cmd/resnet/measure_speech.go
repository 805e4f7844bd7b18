package main

import (
	"context"
	"fmt"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// utterances measures a speech network on a split of the corpus that its run was trained on.
func (m *measurement) utterances(ctx context.Context, net *model, record bool) error {
	if _, err := net.frontend(); err != nil {
		return err
	}
	if net.run == nil {
		return usageErrorf("%s: name the run folder: its %s says where the utterances and their labels are", net.named, configFile)
	}
	data, speech := net.run.Data, net.run.Speech
	if m.o.data != "" && m.o.data != data.Name {
		return usageErrorf("eval: --data %s: %s is measured on its own corpus, %s; --data-dir says where it is now", m.o.data, net.named, data.Name)
	}
	if m.o.dir != "" {
		data.Dir = m.o.dir
	}
	c, err := m.open.corpus(ctx, data, speech, net.run.Train.Seed)
	if err != nil {
		return err
	}
	if err := net.fitsFrames(c.Info().Dim); err != nil {
		return err
	}
	split := datasets.Split(m.o.split)
	if c.Len(split) == 0 {
		return usageErrorf("%s has no %s split: speech.%s_dir, speech.%s_speakers or data.validation make one", data.Name, split, split, split)
	}
	if m.o.limit > 0 {
		return usageErrorf("eval: --limit is for images: a split of utterances is measured whole")
	}
	by, err := net.transforms(m.o.adaptation)
	if err != nil {
		return err
	}
	if by != nil {
		if err := c.Adapt(split, m.o.adaptation, by); err != nil {
			return err
		}
	}
	shapes := evalShapes(c, min(m.o.batch, maxUtterances), speech.Buckets, split)
	machines, err := m.a.sequencer(net.Spec, net.Params, graph.Eval, eval.Plain, m.o.threads, shapes...)
	if err != nil {
		return err
	}
	defer machines.Close()
	var observers []func(eval.Sequence) error
	var file *eval.Predictions
	if record && m.o.predictions != "" {
		if file, err = eval.CreatePredictions(m.o.predictions, net.Classes, func(i int) string { return c.ID(split, i) }); err != nil {
			return err
		}
		defer file.Discard()
		observers = append(observers, func(s eval.Sequence) error {
			logits := make([]float32, len(s.Mean))
			for k, z := range s.Mean {
				logits[k] = float32(z)
			}
			return file.Observe(eval.Image{Index: s.Index, Label: s.Label, Logits: logits})
		})
	}
	metrics, err := measureSequences(ctx, machines, c, split, shapes, net.Spec, observers...)
	if err != nil {
		return fmt.Errorf("%s: %w", net.named, err)
	}
	if file != nil {
		if err := file.Close(); err != nil {
			return err
		}
	}
	frames := framesOf(net.Spec)
	row := eval.Row{Model: net.Spec.Name, Checkpoint: net.named, N: metrics.N, Top1Error: metrics.Top1Error, Top5Error: metrics.Top5Error, Loss: metrics.Loss,
		Params: net.Params.Count(), Protocol: sequenceProtocol(frames), Unit: sequenceUnit(frames)}
	if frames {
		row.UtteranceError = metrics.UtteranceError
	}
	m.rows = append(m.rows, eval.Measured{Row: row, Dataset: data.Name})
	m.classes = append(m.classes, metrics.Classes(net.Classes))
	return nil
}

// maxUtterances is the most utterances that eval computes together, whatever --batch is for images.
const maxUtterances = 16
