package main

import (
	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// trainer is what a training computes its gradients with: one machine for images, one for each
// batch shape of utterances.
type trainer struct {
	machine graph.Machine                                // of images, or nil
	of      func(*datasets.Batch) (graph.Machine, error) // of utterances, or nil
	graph   func() *graph.Graph                          // of the batch at hand
	bytes   int64
	close   func()
}

func (a *app) newTrainer(j *job, params *graph.ParamSet) (*trainer, error) {
	if j.speech != nil {
		return a.newSequenceTrainer(j, params)
	}
	g, err := j.graph(j.Train.Batch, graph.Train, params)
	if err != nil {
		return nil, err
	}
	m, err := a.newMachine(g, params, j.threads)
	if err != nil {
		return nil, err
	}
	return &trainer{machine: m, graph: func() *graph.Graph { return g }, bytes: m.Bytes(), close: m.Close}, nil
}

// beforeBatch is train.Options.BeforeBatch: masks of dropout are a function of the batch's number,
// which a resumed run knows.
func (t *trainer) beforeBatch(batches int) {
	if g := t.graph(); g.Dropout != nil {
		g.Dropout.Step = uint64(batches)
	}
}
