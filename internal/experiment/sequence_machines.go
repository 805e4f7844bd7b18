package experiment

import (
	"resnet/internal/blocks"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// sequencerOptions say what a network of utterances is run for.
type sequencerOptions struct {
	spec   blocks.Spec
	params *graph.ParamSet
	mode   graph.Mode
	form   eval.Form
	// frozen says that the parameters do not change any more.
	frozen  bool
	threads int
}

// sequencer runs a network of utterances on batches of these shapes, or without any on whatever
// comes, within eval.SequenceMemory.
func (e *Environment) sequencer(o sequencerOptions, shapes ...corpus.Shape) (*eval.Sequencer, error) {
	s := &eval.Sequencer{Mode: o.mode, Form: o.form, Machines: eval.NewMachines(eval.MachinesOptions{
		Spec: o.spec, Params: o.params, Factory: e.Factory(o.threads), Frozen: o.frozen, Limit: eval.SequenceMemory,
	})}
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

// applied runs a trained network of utterances, in evaluation mode.
func (m *Model) applied(spec blocks.Spec, threads int, shapes ...corpus.Shape) (*eval.Sequencer, error) {
	return m.env.sequencer(sequencerOptions{spec: spec, params: m.Params, mode: graph.Eval, frozen: true, threads: threads}, shapes...)
}
