package graph

import (
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The methods of gorgonia.Op that are the same for every operator: seven lines each, of which an
// operator that takes any shape writes the first three itself. Arity is the number of inputs, Type
// their types and the output's, InferShape checks the inputs' shapes against the geometry of the
// operator, Do runs the reference, WriteHash covers all fields.

func (o *Conv) Arity() int    { return len(o.signature().in) }
func (o *Conv) Type() hm.Type { return o.signature().fn() }
func (o *Conv) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *Conv) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Conv) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *Conv) Hashcode() uint32                                { return hashcode(o) }
func (o *Conv) String() string                                  { return opName(o) }

func (o *ConvInputGrad) Arity() int    { return len(o.signature().in) }
func (o *ConvInputGrad) Type() hm.Type { return o.signature().fn() }
func (o *ConvInputGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *ConvInputGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ConvInputGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ConvInputGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *ConvInputGrad) String() string                                  { return opName(o) }

func (o *ConvWeightGrad) Arity() int    { return len(o.signature().in) }
func (o *ConvWeightGrad) Type() hm.Type { return o.signature().fn() }
func (o *ConvWeightGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *ConvWeightGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ConvWeightGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ConvWeightGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *ConvWeightGrad) String() string                                  { return opName(o) }

func (o *ConvBiasGrad) Arity() int    { return len(o.signature().in) }
func (o *ConvBiasGrad) Type() hm.Type { return o.signature().fn() }
func (o *ConvBiasGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *ConvBiasGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ConvBiasGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ConvBiasGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *ConvBiasGrad) String() string                                  { return opName(o) }

func (o *BatchStats) Arity() int    { return len(o.signature().in) }
func (o *BatchStats) Type() hm.Type { return o.signature().fn() }
func (o *BatchStats) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *BatchStats) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *BatchStats) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *BatchStats) Hashcode() uint32                                { return hashcode(o) }
func (o *BatchStats) String() string                                  { return opName(o) }

func (o *BatchNorm) Arity() int    { return len(o.signature().in) }
func (o *BatchNorm) Type() hm.Type { return o.signature().fn() }
func (o *BatchNorm) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *BatchNorm) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *BatchNorm) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *BatchNorm) Hashcode() uint32                                { return hashcode(o) }
func (o *BatchNorm) String() string                                  { return opName(o) }

func (o *BatchNormSums) Arity() int    { return len(o.signature().in) }
func (o *BatchNormSums) Type() hm.Type { return o.signature().fn() }
func (o *BatchNormSums) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *BatchNormSums) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *BatchNormSums) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *BatchNormSums) Hashcode() uint32                                { return hashcode(o) }
func (o *BatchNormSums) String() string                                  { return opName(o) }

func (o *Row) Arity() int    { return len(o.signature().in) }
func (o *Row) Type() hm.Type { return o.signature().fn() }
func (o *Row) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *Row) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Row) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *Row) Hashcode() uint32                                { return hashcode(o) }
func (o *Row) String() string                                  { return opName(o) }

func (o *BatchNormInputGrad) Arity() int    { return len(o.signature().in) }
func (o *BatchNormInputGrad) Type() hm.Type { return o.signature().fn() }
func (o *BatchNormInputGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *BatchNormInputGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *BatchNormInputGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *BatchNormInputGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *BatchNormInputGrad) String() string                                  { return opName(o) }

func (o *PReLU) Arity() int    { return len(o.signature().in) }
func (o *PReLU) Type() hm.Type { return o.signature().fn() }
func (o *PReLU) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *PReLU) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *PReLU) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *PReLU) Hashcode() uint32                                { return hashcode(o) }
func (o *PReLU) String() string                                  { return opName(o) }

func (o *PReLUInputGrad) Arity() int    { return len(o.signature().in) }
func (o *PReLUInputGrad) Type() hm.Type { return o.signature().fn() }
func (o *PReLUInputGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *PReLUInputGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *PReLUInputGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *PReLUInputGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *PReLUInputGrad) String() string                                  { return opName(o) }

func (o *PReLUSlopeGrad) Arity() int    { return len(o.signature().in) }
func (o *PReLUSlopeGrad) Type() hm.Type { return o.signature().fn() }
func (o *PReLUSlopeGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *PReLUSlopeGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *PReLUSlopeGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *PReLUSlopeGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *PReLUSlopeGrad) String() string                                  { return opName(o) }

func (o *Concat) Arity() int    { return len(o.signature().in) }
func (o *Concat) Type() hm.Type { return o.signature().fn() }
func (o *Concat) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *Concat) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Concat) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *Concat) Hashcode() uint32                                { return hashcode(o) }
func (o *Concat) String() string                                  { return opName(o) }

func (o *ConcatGrad) Arity() int    { return len(o.signature().in) }
func (o *ConcatGrad) Type() hm.Type { return o.signature().fn() }
func (o *ConcatGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *ConcatGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ConcatGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ConcatGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *ConcatGrad) String() string                                  { return opName(o) }

func (o *ShortcutPad) Arity() int    { return len(o.signature().in) }
func (o *ShortcutPad) Type() hm.Type { return o.signature().fn() }
func (o *ShortcutPad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *ShortcutPad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ShortcutPad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ShortcutPad) Hashcode() uint32                                { return hashcode(o) }
func (o *ShortcutPad) String() string                                  { return opName(o) }

func (o *ShortcutPadGrad) Arity() int    { return len(o.signature().in) }
func (o *ShortcutPadGrad) Type() hm.Type { return o.signature().fn() }
func (o *ShortcutPadGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *ShortcutPadGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ShortcutPadGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ShortcutPadGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *ShortcutPadGrad) String() string                                  { return opName(o) }

func (o *MaxPool) Arity() int    { return len(o.signature().in) }
func (o *MaxPool) Type() hm.Type { return o.signature().fn() }
func (o *MaxPool) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *MaxPool) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *MaxPool) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *MaxPool) Hashcode() uint32                                { return hashcode(o) }
func (o *MaxPool) String() string                                  { return opName(o) }

func (o *MaxPoolGrad) Arity() int    { return len(o.signature().in) }
func (o *MaxPoolGrad) Type() hm.Type { return o.signature().fn() }
func (o *MaxPoolGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *MaxPoolGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *MaxPoolGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *MaxPoolGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *MaxPoolGrad) String() string                                  { return opName(o) }

func (o *AvgPool) Arity() int    { return len(o.signature().in) }
func (o *AvgPool) Type() hm.Type { return o.signature().fn() }
func (o *AvgPool) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *AvgPool) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *AvgPool) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *AvgPool) Hashcode() uint32                                { return hashcode(o) }
func (o *AvgPool) String() string                                  { return opName(o) }

func (o *AvgPoolGrad) Arity() int    { return len(o.signature().in) }
func (o *AvgPoolGrad) Type() hm.Type { return o.signature().fn() }
func (o *AvgPoolGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *AvgPoolGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *AvgPoolGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *AvgPoolGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *AvgPoolGrad) String() string                                  { return opName(o) }

func (o *GlobalAvgPool) Arity() int    { return len(o.signature().in) }
func (o *GlobalAvgPool) Type() hm.Type { return o.signature().fn() }
func (o *GlobalAvgPool) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *GlobalAvgPool) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *GlobalAvgPool) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *GlobalAvgPool) Hashcode() uint32                                { return hashcode(o) }
func (o *GlobalAvgPool) String() string                                  { return opName(o) }

func (o *GlobalAvgPoolGrad) Arity() int    { return len(o.signature().in) }
func (o *GlobalAvgPoolGrad) Type() hm.Type { return o.signature().fn() }
func (o *GlobalAvgPoolGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *GlobalAvgPoolGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *GlobalAvgPoolGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *GlobalAvgPoolGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *GlobalAvgPoolGrad) String() string                                  { return opName(o) }

func (o *Linear) Arity() int    { return len(o.signature().in) }
func (o *Linear) Type() hm.Type { return o.signature().fn() }
func (o *Linear) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *Linear) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Linear) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *Linear) Hashcode() uint32                                { return hashcode(o) }
func (o *Linear) String() string                                  { return opName(o) }

func (o *LinearInputGrad) Arity() int    { return len(o.signature().in) }
func (o *LinearInputGrad) Type() hm.Type { return o.signature().fn() }
func (o *LinearInputGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *LinearInputGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *LinearInputGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *LinearInputGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *LinearInputGrad) String() string                                  { return opName(o) }

func (o *LinearWeightGrad) Arity() int    { return len(o.signature().in) }
func (o *LinearWeightGrad) Type() hm.Type { return o.signature().fn() }
func (o *LinearWeightGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *LinearWeightGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *LinearWeightGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *LinearWeightGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *LinearWeightGrad) String() string                                  { return opName(o) }

func (o *LinearBiasGrad) Arity() int    { return len(o.signature().in) }
func (o *LinearBiasGrad) Type() hm.Type { return o.signature().fn() }
func (o *LinearBiasGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *LinearBiasGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *LinearBiasGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *LinearBiasGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *LinearBiasGrad) String() string                                  { return opName(o) }

func (o *SoftmaxCrossEntropy) Arity() int    { return len(o.signature().in) }
func (o *SoftmaxCrossEntropy) Type() hm.Type { return o.signature().fn() }
func (o *SoftmaxCrossEntropy) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *SoftmaxCrossEntropy) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *SoftmaxCrossEntropy) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *SoftmaxCrossEntropy) Hashcode() uint32                                { return hashcode(o) }
func (o *SoftmaxCrossEntropy) String() string                                  { return opName(o) }

func (o *SoftmaxCrossEntropyGrad) Arity() int    { return len(o.signature().in) }
func (o *SoftmaxCrossEntropyGrad) Type() hm.Type { return o.signature().fn() }
func (o *SoftmaxCrossEntropyGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.signature().infer(in)
}
func (o *SoftmaxCrossEntropyGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *SoftmaxCrossEntropyGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *SoftmaxCrossEntropyGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *SoftmaxCrossEntropyGrad) String() string                                  { return opName(o) }

func (o *ReLU) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ReLU) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ReLU) Hashcode() uint32                                { return hashcode(o) }
func (o *ReLU) String() string                                  { return opName(o) }

func (o *ReLUGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ReLUGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ReLUGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *ReLUGrad) String() string                                  { return opName(o) }

func (o *Sigmoid) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Sigmoid) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *Sigmoid) Hashcode() uint32                                { return hashcode(o) }
func (o *Sigmoid) String() string                                  { return opName(o) }

func (o *SigmoidGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *SigmoidGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *SigmoidGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *SigmoidGrad) String() string                                  { return opName(o) }

func (o *ELU) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ELU) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ELU) Hashcode() uint32                                { return hashcode(o) }
func (o *ELU) String() string                                  { return opName(o) }

func (o *ELUGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *ELUGrad) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *ELUGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *ELUGrad) String() string                                  { return opName(o) }

func (o *Add) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Add) WriteHash(h hash.Hash)                           { writeHash(h, o) }
func (o *Add) Hashcode() uint32                                { return hashcode(o) }
func (o *Add) String() string                                  { return opName(o) }

func (o *Dropout) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *Dropout) Hashcode() uint32                                { return hashcode(o) }
func (o *Dropout) String() string                                  { return opName(o) }

func (o *DropoutGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }
func (o *DropoutGrad) Hashcode() uint32                                { return hashcode(o) }
func (o *DropoutGrad) String() string                                  { return opName(o) }
