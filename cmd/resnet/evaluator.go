package main

import (
	"context"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/train"
)

// evaluator measures the parameters of a training on the splits that are not trained on.
type evaluator interface {
	// evaluate is train.Options.Evaluate.
	evaluate(ctx context.Context) (train.Evaluation, error)
	close()
}

func (a *app) newEvaluator(j *job, params *graph.ParamSet) (evaluator, error) {
	if j.speech != nil {
		e, err := a.newSequenceEvaluator(j, params)
		if err != nil {
			return nil, err // not e: a nil *sequenceEvaluator is not a nil evaluator
		}
		return e, nil
	}
	m, err := a.machineFor(j, j.Eval.Batch, graph.Eval, params)
	if err != nil {
		return nil, err
	}
	return &imageEvaluator{j, m}, nil
}

// imageEvaluator measures images.
type imageEvaluator struct {
	j       *job
	machine graph.Machine
}

func (e *imageEvaluator) close() { e.machine.Close() }

// evaluate measures the validation split, which chooses the best checkpoint, and the test split and
// (where eval.train_set asks for it) the training set, which only go into the curves.
func (e *imageEvaluator) evaluate(ctx context.Context) (train.Evaluation, error) {
	var out train.Evaluation
	view := e.j.data.Preprocessing(e.j.norm)
	for _, s := range []struct {
		split datasets.Split
		to    **train.Metrics
	}{{datasets.Val, &out.Val}, {datasets.Test, &out.Test}, {datasets.Train, &out.Train}} {
		if e.j.data.Len(s.split) == 0 || s.split == datasets.Train && !e.j.Eval.TrainSet {
			continue
		}
		m, err := eval.EvaluateSplit(ctx, e.machine, e.j.data, eval.SplitOptions{Split: s.split, Batch: e.j.Eval.Batch,
			View: &view, Classes: e.j.spec.Classes, Workers: e.j.Data.Workers})
		if err != nil {
			return train.Evaluation{}, err
		}
		*s.to = &train.Metrics{Loss: m.Loss, Error: m.Top1Error, Top5Error: m.Top5Error}
	}
	return out, nil
}
