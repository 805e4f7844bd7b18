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
	frozen bool
	device device
	limit  int64 // bytes of each machine; 0 means what the system leaves
}

// sequencer runs a network of utterances on batches of these shapes, or without any on whatever
// comes, within eval.SequenceMemory.
func (e *Environment) sequencer(o sequencerOptions, shapes ...corpus.Shape) (*eval.Sequencer, error) {
	s := &eval.Sequencer{Mode: o.mode, Form: o.form, Machines: eval.NewMachines(eval.MachinesOptions{
		Spec: o.spec, Params: o.params, Factory: e.limited(o.device, o.limit), Frozen: o.frozen, Limit: eval.SequenceMemory,
	})}
	if len(shapes) == 0 {
		return s, nil
	}
	if err := e.allowed(o.limit).check(o.least(shapes)); err != nil {
		return nil, err
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
	return m.env.sequencer(sequencerOptions{spec: spec, params: m.Params, mode: graph.Eval, frozen: true, device: m.device(threads)}, shapes...)
}

// least is a lower bound of what the machines take.
func (o sequencerOptions) least(shapes []corpus.Shape) need {
	n := need{key: "--batch"}
	sum, err := blocks.Summarize(o.spec)
	if err != nil {
		return n // the drawing says so
	}
	for _, s := range shapes {
		n.value = max(n.value, s.N)
	}
	if n.bytes = leastInference(sum, largestShape(shapes)); o.mode == graph.Train {
		n.bytes += leastTraining(sum, largestShape(shapes), o.device.precision)
	}
	return n
}
