package blocks

import (
	"resnet/internal/graph"
)

// Adaptation is the scope of the linear layer before a frozen network: its parameters are
// AdaptationWeight [D, D, 1, 1] and AdaptationBias [D], D the values of a frame.
const (
	Adaptation       = "adaptation"
	AdaptationWeight = Adaptation + ".weight"
	AdaptationBias   = Adaptation + ".bias"
)

// BuildAdaptation makes the training graph of a linear layer before the network of sequences s,
// whose own parameters are frozen and whose dropout is off. The layer takes frames of D =
// InputChannels·Features values to frames of as many, and begins as the identity. Input and labels
// are those of BuildSequence, but -1 is a label of utterances, too: places of a batch without one
// do not count. It fails with ErrSpec if s cannot be built.
func BuildAdaptation(s Spec, n, frames int, params *graph.ParamSet) (*graph.Graph, error) {
	return buildAdaptation(s, n, frames, params, graph.Options{})
}

func buildAdaptation(s Spec, n, frames int, params *graph.ParamSet, o graph.Options) (*graph.Graph, error) {
	if err := s.checkSequences(n, frames); err != nil {
		return nil, err
	}
	s = s.clone()
	s.Speech.Dropout = 0
	o.Frozen = func(name string) bool { return name != AdaptationWeight && name != AdaptationBias }
	b := graph.NewBuilder(s.Name, graph.Train, params, o)
	x := b.FrameTransform(Adaptation, b.Input(n, s.InputChannels*s.Speech.Features, 1, frames), s.InputChannels)
	logits := Forward(b, s, x)
	if s.Speech.Output == OutputFrame {
		return b.FinishFrames(logits)
	}
	return b.FinishUtterances(b.UtteranceMean(logits))
}
