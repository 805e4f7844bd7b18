package experiment

import (
	"fmt"

	"resnet/internal/config"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// startFrom fills the parameters of a training from the checkpoint model.weights. A classifier for
// another number of classes stays as it was initialised. It returns remarks for the user.
func (x *Experiment) startFrom(params *graph.ParamSet) ([]string, error) {
	m, err := x.starting()
	if err != nil {
		return nil, err
	}
	x.start = nil // its memory is wanted elsewhere
	// The tensors of another activation would fit, and mean another network.
	if !m.Spec.SameVariation(x.Spec) {
		return nil, config.Usagef("model.weights: %s is %s, and this network is %s: set model.activation, model.batch_norm and model.stem_kernel as there",
			m.Named, text.Printable(m.Spec.Name), x.Spec.Name)
	}
	list := weights.FromParams(m.Params)
	note := ""
	classes := x.data.classes()
	others := m.Classes != nil && classes != nil && len(classChanges(m.Classes, classes)) > 0
	if m.Spec.Classes != x.Spec.Classes || m.Headless || others {
		note = fmt.Sprintf("; the classifier is new, for %d classes instead of %d", x.Spec.Classes, m.Spec.Classes)
		switch {
		case m.Headless:
			note = fmt.Sprintf("; the file has no classifier: it is new, for %d classes", x.Spec.Classes)
		case m.Spec.Classes == x.Spec.Classes:
			note = "; its classes have other names, or another order: the classifier is new"
		}
		for i := range list {
			if p := params.Get(list[i].Name); p != nil && p.Head {
				list[i].Shape, list[i].Data = p.Shape, p.Data
			}
		}
	}
	// Exported for evaluation, a network lacks its auxiliary classifiers: they are new.
	if len(x.Spec.Body) > len(m.Spec.Body) && x.Spec.Block == m.Spec.Block && x.Spec.SameBody(m.Spec) {
		for _, p := range params.All() {
			if m.Params.Get(p.Name) == nil {
				list = append(list, weights.Tensor{Name: p.Name, Shape: p.Shape, Data: p.Data})
			}
		}
	}
	if err := weights.LoadTensors(m.Named, list, params); err != nil {
		return nil, fmt.Errorf("model.weights: %w", err)
	}
	notes := []string{fmt.Sprintf("Weights of %s from %s%s.", text.Printable(m.Spec.Name), text.Printable(m.Named), note)}
	if frozen := x.Train.Optimizer.FrozenParts(); len(frozen) > 0 {
		how := "Normalisation there still uses each batch's statistics, and the running ones go on."
		if x.Train.Optimizer.FreezeStats {
			how = "Normalisation there uses the running statistics, which stay."
		}
		notes = append(notes, fmt.Sprintf("Not trained: %v. %s", frozen, how))
	}
	return notes, nil
}
