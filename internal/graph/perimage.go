package graph

// PerImage is an operator whose images do not depend on each other, so that parts of a batch can be
// computed in any order.
type PerImage interface {
	Kernel
	// Images is the operator on n images, of which the first is image `first` of the batch: Run32
	// then takes and gives those alone.
	Images(first, n int) Kernel
}

// part is the state of n utterances from first on.
func (s *Sequences) part(first, n int) *Sequences { return &Sequences{s.Lengths[first : first+n]} }

// Images implements PerImage.
func (o *UtteranceNorm) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *UtteranceNormInputGrad) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *UtteranceNormSums) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *FrequencyLinear) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *FrequencyLinearInputGrad) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *FrequencyLinearSums) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *LSTM) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *LSTMGrad) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *UtteranceMean) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *UtteranceMeanGrad) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *Channels) Images(_, n int) Kernel {
	c := *o
	c.N = n
	return &c
}

// Images implements PerImage.
func (o *ChannelsGrad) Images(_, n int) Kernel {
	c := *o
	c.N = n
	return &c
}

// Images implements PerImage.
func (o *FrameRows) Images(_, n int) Kernel {
	c := *o
	c.N = n
	return &c
}

// Images implements PerImage.
func (o *FrameRowsGrad) Images(_, n int) Kernel {
	c := *o
	c.N = n
	return &c
}

// Images implements PerImage.
func (o *ChannelBias) Images(_, n int) Kernel {
	c := *o
	c.N = n
	return &c
}

// Images implements PerImage.
func (o *FrameMaps) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *FrameMapsGrad) Images(first, n int) Kernel {
	c := *o
	c.N, c.State = n, o.State.part(first, n)
	return &c
}

// Images implements PerImage.
func (o *ELU) Images(_, _ int) Kernel { return o }

// Images implements PerImage.
func (o *ELUGrad) Images(_, _ int) Kernel { return o }

// Images implements PerImage.
func (o *Sigmoid) Images(_, _ int) Kernel { return o }

// Images implements PerImage.
func (o *SigmoidGrad) Images(_, _ int) Kernel { return o }

// Images implements PerImage.
func (o *PReLU) Images(_, n int) Kernel {
	c := *o
	c.N = n
	return &c
}

// Images implements PerImage.
func (o *PReLUInputGrad) Images(_, n int) Kernel {
	c := *o
	c.N = n
	return &c
}
