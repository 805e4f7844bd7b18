package main

import (
	"fmt"

	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

// startFrom fills the parameters of a training from the checkpoint model.weights. A classifier for
// another number of classes stays as it was initialised.
func (a *app) startFrom(j *job, params *graph.ParamSet) error {
	m, err := a.openModel(j.Model.Weights)
	if err != nil {
		return fmt.Errorf("model.weights: %w", err)
	}
	list := weights.FromParams(m.Params)
	note := ""
	if m.Spec.Classes != j.spec.Classes {
		note = fmt.Sprintf("; the classifier is new, for %d classes instead of %d", j.spec.Classes, m.Spec.Classes)
		for i := range list {
			if p := params.Get(list[i].Name); p != nil && p.Head {
				list[i].Shape, list[i].Data = p.Shape, p.Data
			}
		}
	}
	if len(j.spec.Body) > len(m.Spec.Body) && j.spec.Block == m.Spec.Block && j.spec.SameBody(m.Spec) { // exported for evaluation, without the classifiers on the way: they are new
		for _, p := range params.All() {
			if m.Params.Get(p.Name) == nil {
				list = append(list, weights.Tensor{Name: p.Name, Shape: p.Shape, Data: p.Data})
			}
		}
	}
	if err := weights.LoadTensors(m.named, list, params); err != nil {
		return fmt.Errorf("model.weights: %w", err)
	}
	a.say("Weights of %s from %s%s.", eval.Printable(m.Spec.Name), eval.Printable(m.named), note)
	if frozen := j.Train.Optimizer.FrozenParts(); len(frozen) > 0 {
		a.say("Not trained: %v. Normalisation there still uses each batch's statistics, and the running ones go on.", frozen)
	}
	return nil
}
