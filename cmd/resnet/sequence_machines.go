package main

import (
	"resnet/internal/blocks"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// sequencer runs a network of utterances on batches of these shapes, or without any on whatever
// comes, within eval.SequenceMemory.
func (a *app) sequencer(spec blocks.Spec, params *graph.ParamSet, mode graph.Mode, form eval.Form, threads int, shapes ...corpus.Shape) (*eval.Sequencer, error) {
	s := &eval.Sequencer{Mode: mode, Form: form, Machines: eval.NewMachines(eval.MachinesOptions{
		Spec: spec, Params: params, Factory: a.factory(threads), Limit: eval.SequenceMemory})}
	if len(shapes) == 0 {
		return s, nil
	}
	list := make([]eval.Shape, len(shapes))
	for i, shape := range shapes {
		list[i] = s.Shape(shape.N, shape.Frames)
	}
	if err := s.Fix(list...); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}
