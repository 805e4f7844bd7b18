package eval

import (
	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// FrameStep is what the frames of a recording are rounded up to where any length may come, so that
// recordings of about the same length share a machine.
const FrameStep = 32

// RoundFrames is a number of frames rounded up to a whole FrameStep.
func RoundFrames(frames int) int { return (frames + FrameStep - 1) / FrameStep * FrameStep }

// A Sequencer runs a network of utterances, in one mode and form, on batches of any shape that its
// Machines serve. It is a SequenceNetwork.
type Sequencer struct {
	*Machines
	Mode graph.Mode
	Form Form
	last *Compiled
}

// Shape is that of a batch of n utterances of so many frames.
func (s *Sequencer) Shape(n, frames int) Shape {
	return Shape{Mode: s.Mode, Form: s.Form, N: n, Frames: frames}
}

// Of returns the machine of a batch, which knows the batch's lengths. Places behind the batch's
// utterances count as one frame of silence. It is valid until the next call.
func (s *Sequencer) Of(b *datasets.Batch) (*Compiled, error) {
	m, err := s.Get(s.Shape(b.N, b.Frames))
	if err != nil {
		return nil, err
	}
	lengths := m.Graph.Sequences.Lengths
	for i := range lengths {
		lengths[i] = 1
	}
	copy(lengths, b.Lengths)
	s.last = m
	return m, nil
}

// Last is the machine that Of returned last, or nil.
func (s *Sequencer) Last() *Compiled { return s.last }

// InferSequences is SequenceNetwork.
func (s *Sequencer) InferSequences(b *datasets.Batch) ([]float32, error) {
	m, err := s.Of(b)
	if err != nil {
		return nil, err
	}
	return m.Infer(b.X, b.N)
}
