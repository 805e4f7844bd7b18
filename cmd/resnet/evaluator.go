package main

import (
	"context"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/train"
)

// evaluator measures the parameters of a training on the splits that are not trained on.
type evaluator struct {
	j       *job
	machine graph.Machine
}

func (a *app) newEvaluator(j *job, params *graph.ParamSet) (*evaluator, error) {
	m, err := a.machineFor(j, j.Eval.Batch, graph.Eval, params)
	if err != nil {
		return nil, err
	}
	return &evaluator{j, m}, nil
}

func (e *evaluator) close() { e.machine.Close() }

// splits is train.Options.Evaluate: the validation split, which chooses the best checkpoint, and the test split and (where
// eval.train_set asks for it) the training set, which only go into the curves.
func (e *evaluator) splits(ctx context.Context) (train.Evaluation, error) {
	var out train.Evaluation
	for _, s := range []struct {
		split datasets.Split
		to    **train.Metrics
	}{{datasets.Val, &out.Val}, {datasets.Test, &out.Test}, {datasets.Train, &out.Train}} {
		if e.j.data.Len(s.split) == 0 || s.split == datasets.Train && !e.j.Eval.TrainSet {
			continue
		}
		m, err := eval.EvaluateSplit(ctx, e.machine, e.j.data, eval.SplitOptions{Split: s.split, Batch: e.j.Eval.Batch,
			Normalizer: e.j.norm, Classes: e.j.spec.Classes, Workers: e.j.Data.Workers})
		if err != nil {
			return train.Evaluation{}, err
		}
		*s.to = &train.Metrics{Loss: m.Loss, Error: m.Top1Error, Top5Error: m.Top5Error}
	}
	return out, nil
}
