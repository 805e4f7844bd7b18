package graph

import (
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// What methods.go says, for the operators of sequences. Those with shared state write their hash
// themselves.

func (o *UtteranceNorm) Arity() int    { return len(o.signature().in) }
func (o *UtteranceNorm) Type() hm.Type { return o.signature().fn() }
func (o *UtteranceNorm) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *UtteranceNorm) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *UtteranceNorm) Hashcode() uint32                                { return hashcode(o) }
func (o *UtteranceNorm) String() string                                  { return opName(o) }

func (o *UtteranceNormInputGrad) Arity() int    { return len(o.signature().in) }
func (o *UtteranceNormInputGrad) Type() hm.Type { return o.signature().fn() }
func (o *UtteranceNormInputGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *UtteranceNormInputGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *UtteranceNormInputGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *UtteranceNormInputGrad) String() string                                  { return opName(o) }

func (o *UtteranceNormSums) Arity() int    { return len(o.signature().in) }
func (o *UtteranceNormSums) Type() hm.Type { return o.signature().fn() }
func (o *UtteranceNormSums) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *UtteranceNormSums) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *UtteranceNormSums) Hashcode() uint32                                { return hashcode(o) }
func (o *UtteranceNormSums) String() string                                  { return opName(o) }

func (o *SumRows) Arity() int    { return len(o.signature().in) }
func (o *SumRows) Type() hm.Type { return o.signature().fn() }
func (o *SumRows) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *SumRows) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *SumRows) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *SumRows) Hashcode() uint32                                { return hashcode(o) }
func (o *SumRows) String() string                                  { return opName(o) }

func (o *FrequencyLinear) Arity() int    { return len(o.signature().in) }
func (o *FrequencyLinear) Type() hm.Type { return o.signature().fn() }
func (o *FrequencyLinear) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrequencyLinear) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrequencyLinear) Hashcode() uint32                                { return hashcode(o) }
func (o *FrequencyLinear) String() string                                  { return opName(o) }

func (o *FrequencyLinearInputGrad) Arity() int    { return len(o.signature().in) }
func (o *FrequencyLinearInputGrad) Type() hm.Type { return o.signature().fn() }
func (o *FrequencyLinearInputGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrequencyLinearInputGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrequencyLinearInputGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *FrequencyLinearInputGrad) String() string                                  { return opName(o) }

func (o *FrequencyLinearSums) Arity() int    { return len(o.signature().in) }
func (o *FrequencyLinearSums) Type() hm.Type { return o.signature().fn() }
func (o *FrequencyLinearSums) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrequencyLinearSums) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrequencyLinearSums) Hashcode() uint32                                { return hashcode(o) }
func (o *FrequencyLinearSums) String() string                                  { return opName(o) }

func (o *LSTM) Arity() int    { return len(o.signature().in) }
func (o *LSTM) Type() hm.Type { return o.signature().fn() }
func (o *LSTM) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *LSTM) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *LSTM) Hashcode() uint32                                { return hashcode(o) }
func (o *LSTM) String() string                                  { return opName(o) }

func (o *LSTMGrad) Arity() int    { return len(o.signature().in) }
func (o *LSTMGrad) Type() hm.Type { return o.signature().fn() }
func (o *LSTMGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *LSTMGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *LSTMGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *LSTMGrad) String() string                                  { return opName(o) }

func (o *LSTMWeightGrad) Arity() int    { return len(o.signature().in) }
func (o *LSTMWeightGrad) Type() hm.Type { return o.signature().fn() }
func (o *LSTMWeightGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *LSTMWeightGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *LSTMWeightGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *LSTMWeightGrad) String() string                                  { return opName(o) }

func (o *Channels) Arity() int    { return len(o.signature().in) }
func (o *Channels) Type() hm.Type { return o.signature().fn() }
func (o *Channels) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *Channels) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Channels) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *Channels) Hashcode() uint32                                { return hashcode(o) }
func (o *Channels) String() string                                  { return opName(o) }

func (o *ChannelsGrad) Arity() int    { return len(o.signature().in) }
func (o *ChannelsGrad) Type() hm.Type { return o.signature().fn() }
func (o *ChannelsGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *ChannelsGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ChannelsGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ChannelsGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *ChannelsGrad) String() string                                  { return opName(o) }

func (o *FrameRows) Arity() int    { return len(o.signature().in) }
func (o *FrameRows) Type() hm.Type { return o.signature().fn() }
func (o *FrameRows) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrameRows) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrameRows) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *FrameRows) Hashcode() uint32                                { return hashcode(o) }
func (o *FrameRows) String() string                                  { return opName(o) }

func (o *FrameRowsGrad) Arity() int    { return len(o.signature().in) }
func (o *FrameRowsGrad) Type() hm.Type { return o.signature().fn() }
func (o *FrameRowsGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrameRowsGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrameRowsGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *FrameRowsGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *FrameRowsGrad) String() string                                  { return opName(o) }

func (o *UtteranceMean) Arity() int    { return len(o.signature().in) }
func (o *UtteranceMean) Type() hm.Type { return o.signature().fn() }
func (o *UtteranceMean) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *UtteranceMean) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *UtteranceMean) Hashcode() uint32                                { return hashcode(o) }
func (o *UtteranceMean) String() string                                  { return opName(o) }

func (o *UtteranceMeanGrad) Arity() int    { return len(o.signature().in) }
func (o *UtteranceMeanGrad) Type() hm.Type { return o.signature().fn() }
func (o *UtteranceMeanGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *UtteranceMeanGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *UtteranceMeanGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *UtteranceMeanGrad) String() string                                  { return opName(o) }

func (o *FrameCrossEntropy) Arity() int    { return len(o.signature().in) }
func (o *FrameCrossEntropy) Type() hm.Type { return o.signature().fn() }
func (o *FrameCrossEntropy) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrameCrossEntropy) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrameCrossEntropy) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *FrameCrossEntropy) Hashcode() uint32                                { return hashcode(o) }
func (o *FrameCrossEntropy) String() string                                  { return opName(o) }

func (o *FrameCrossEntropyGrad) Arity() int    { return len(o.signature().in) }
func (o *FrameCrossEntropyGrad) Type() hm.Type { return o.signature().fn() }
func (o *FrameCrossEntropyGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrameCrossEntropyGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrameCrossEntropyGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *FrameCrossEntropyGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *FrameCrossEntropyGrad) String() string                                  { return opName(o) }

func (o *ChannelBias) Arity() int    { return len(o.signature().in) }
func (o *ChannelBias) Type() hm.Type { return o.signature().fn() }
func (o *ChannelBias) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *ChannelBias) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ChannelBias) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ChannelBias) Hashcode() uint32                                { return hashcode(o) }
func (o *ChannelBias) String() string                                  { return opName(o) }

func (o *FrameMaps) Arity() int    { return len(o.signature().in) }
func (o *FrameMaps) Type() hm.Type { return o.signature().fn() }
func (o *FrameMaps) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrameMaps) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrameMaps) Hashcode() uint32                                { return hashcode(o) }
func (o *FrameMaps) String() string                                  { return opName(o) }

func (o *FrameMapsGrad) Arity() int    { return len(o.signature().in) }
func (o *FrameMapsGrad) Type() hm.Type { return o.signature().fn() }
func (o *FrameMapsGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *FrameMapsGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *FrameMapsGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *FrameMapsGrad) String() string                                  { return opName(o) }
