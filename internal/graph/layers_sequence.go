package graph

import (
	"fmt"
	"math"
)

// sequenceState is the state that the graph's operators of sequences share.
func (b *Builder) sequenceState() *Sequences {
	if b.sequences == nil {
		b.sequences = &Sequences{Lengths: make([]int32, b.input.Shape()[0])}
		for i := range b.sequences.Lengths {
			b.sequences.Lengths[i] = 1
		}
	}
	return b.sequences
}

// UtteranceNorm normalises each channel of each utterance [N, C, F, T] over its valid frames, with
// the parameters name.weight (γ, 1) and name.bias (β, 0), both [C].
func (b *Builder) UtteranceNorm(name string, x *Node, eps float64) *Node {
	s, ok := b.image(name, x)
	if !ok {
		return nil
	}
	in := b.In(name)
	gamma := in.param("weight", KindScale, []int{s.C}, constant(1))
	beta := in.param("bias", KindShift, []int{s.C}, constant(0))
	return b.add(name, &UtteranceNorm{ImageShape: s, Eps: eps, ID: b.id(), State: b.sequenceState()}, x, gamma, beta)
}

// FrequencyLinear joins the frequencies [N, C, F, T] to [N, C, 1, T], with the parameters
// name.weight [F] and name.bias [1], both uniform in ±1/sqrt(F).
func (b *Builder) FrequencyLinear(name string, x *Node) *Node {
	s, ok := b.image(name, x)
	if !ok {
		return nil
	}
	in, bound := b.In(name), 1/math.Sqrt(float64(s.H))
	w := in.param("weight", KindWeight, []int{s.H}, uniform(bound))
	bias := in.param("bias", KindBias, []int{1}, uniform(bound))
	return b.add(name, &FrequencyLinear{ImageShape: s, ID: b.id(), State: b.sequenceState()}, x, w, bias)
}

// LSTM is a recurrent layer of one direction on the gates' inputs [N, 4U, 1, T]: the hidden states
// [N, U, 1, T]. Its parameter is name.weight [4U, U], uniform in ±1/sqrt(U), PyTorch's.
func (b *Builder) LSTM(name string, gates *Node, reverse bool) *Node {
	s, ok := b.image(name, gates)
	if !ok {
		return nil
	}
	if s.C%4 != 0 || s.H != 1 {
		return b.fail(name, fmt.Errorf("shape %v, want [N 4U 1 T]: %w", []int(gates.Shape()), ErrShape))
	}
	u := s.C / 4
	w := b.In(name).param("weight", KindWeight, []int{4 * u, u}, uniform(1/math.Sqrt(float64(u))))
	y := b.add(name, &LSTM{LSTMShape: LSTMShape{N: s.N, U: u, T: s.W}, Reverse: reverse, ID: b.id(), State: b.sequenceState()}, gates, w)
	return b.Channels(y, 0, u)
}

// Channels takes count channels from from on.
func (b *Builder) Channels(x *Node, from, count int) *Node {
	s, ok := b.image("channels", x)
	if !ok {
		return nil
	}
	if from < 0 || count < 1 || from+count > s.C {
		return b.fail("channels", fmt.Errorf("%d channels from %d of %d: %w", count, from, s.C, ErrShape))
	}
	return b.add("channels", &Channels{ImageShape: s, From: from, Count: count, ID: b.id()}, x)
}

// ChannelBias adds the parameter name.bias [C] (zeros).
func (b *Builder) ChannelBias(name string, x *Node) *Node {
	s, ok := b.image(name, x)
	if !ok {
		return nil
	}
	bias := b.In(name).param("bias", KindBias, []int{s.C}, constant(0))
	return b.add(name+".bias", &ChannelBias{ImageShape: s, ID: b.id()}, x, bias)
}

// UtteranceMean is the mean of [N, K, 1, T] over the valid frames: [N, K].
func (b *Builder) UtteranceMean(x *Node) *Node {
	s, ok := b.image("mean", x)
	if !ok {
		return nil
	}
	return b.add("mean", &UtteranceMean{N: s.N, K: s.C, T: s.W, ID: b.id(), State: b.sequenceState()}, x)
}

// FinishFrames is Finish for a network that classifies frames: logits [N, K, 1, T]. The loss is
// the mean over the frames with a label.
func (b *Builder) FinishFrames(logits *Node) (*Graph, error) {
	s, ok := b.image("finish", logits)
	if !ok {
		return nil, b.err
	}
	b.frames = s.W
	return b.Finish(b.add("rows", &FrameRows{N: s.N, K: s.C, T: s.W, ID: b.id()}, logits))
}
