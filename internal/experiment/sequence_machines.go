package experiment

import (
	"fmt"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// sequenceMachines compiles a network of sequences for the batch shapes that it meets.
type sequenceMachines struct {
	env     *Environment
	spec    blocks.Spec
	mode    graph.Mode
	params  *graph.ParamSet
	threads int
	// adaptation says that a linear layer stands before the network, which is frozen.
	adaptation bool
	kept       map[int]*sequenceMachine // by frames
	arena      schedule.Arena           // the machines' in common: one runs at a time
	current    *sequenceMachine
}

type sequenceMachine struct {
	graph.Machine
	shape corpus.Shape
	graph *graph.Graph
}

// compile makes a machine for each shape; frames tell them apart.
func (s *sequenceMachines) compile(shapes []corpus.Shape) error {
	s.kept = map[int]*sequenceMachine{}
	for _, shape := range shapes {
		g, err := s.build(shape)
		if err != nil {
			return err
		}
		m, err := s.env.Compile(g, s.params, schedule.Options{Threads: s.threads, Arena: &s.arena})
		if err != nil {
			return err
		}
		s.current = &sequenceMachine{m, shape, g}
		s.kept[shape.Frames] = s.current
	}
	return nil
}

func (s *sequenceMachines) build(shape corpus.Shape) (*graph.Graph, error) {
	if s.adaptation {
		return blocks.BuildAdaptation(s.spec, shape.N, shape.Frames, s.params)
	}
	return blocks.BuildSequence(s.spec, shape.N, shape.Frames, s.mode, s.params)
}

// of returns the machine of a batch, which knows the batch's lengths. Places behind the batch's
// utterances count as one frame of silence.
func (s *sequenceMachines) of(b *datasets.Batch) (graph.Machine, error) {
	m := s.kept[b.Frames]
	if m == nil || b.N > m.shape.N {
		return nil, fmt.Errorf("a batch of %d utterances of %d frames, for which there is no machine", b.N, b.Frames)
	}
	lengths := m.graph.Sequences.Lengths
	for i := range lengths {
		lengths[i] = 1
	}
	copy(lengths, b.Lengths)
	s.current = m
	return m.Machine, nil
}

// InferSequences is eval.SequenceNetwork.
func (s *sequenceMachines) InferSequences(b *datasets.Batch) ([]float32, error) {
	m, err := s.of(b)
	if err != nil {
		return nil, err
	}
	return m.Infer(b.X, b.N)
}

// bytes is the memory of the machines, which is that of the largest: they share it.
func (s *sequenceMachines) bytes() (most int64) {
	for _, m := range s.kept {
		most = max(most, m.Bytes())
	}
	return most
}

func (s *sequenceMachines) close() {
	for _, m := range s.kept {
		m.Close()
	}
	s.kept = nil
}
