package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// SoftmaxCrossEntropy is Weight times the mean over the batch of -log softmax(logits)[label]:
// inputs logits [N, K] and labels [N], class indices as numbers of the graph's element type; output
// a scalar.
type SoftmaxCrossEntropy struct {
	N, K   int
	Weight float64 // of this loss in a sum of several; 0 means 1
	ID     uint32
}

// SoftmaxCrossEntropyGrad is the derivative of SoftmaxCrossEntropy: inputs logits, labels, dloss (a
// scalar); output [N, K].
type SoftmaxCrossEntropyGrad struct {
	N, K   int
	Weight float64
	ID     uint32
	nonDifferentiable
}

func (o *SoftmaxCrossEntropy) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.K}, {o.N}}, out: tensor.Shape{}}
}

// DiffWRT is true for the logits.
func (o *SoftmaxCrossEntropy) DiffWRT(inputs int) []bool { return []bool{true, false}[:inputs] }

// SymDiff returns SoftmaxCrossEntropyGrad.
func (o *SoftmaxCrossEntropy) SymDiff(in gorgonia.Nodes, _, dloss *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&SoftmaxCrossEntropyGrad{N: o.N, K: o.K, Weight: o.Weight, ID: o.ID}, in[0], in[1], dloss), call{})
}

// Run32 implements Operator.
func (o *SoftmaxCrossEntropy) Run32(dst []float32, src ...[]float32) {
	dst[0] = float32(LossWeight(o.Weight) * float64(ref.SoftmaxCrossEntropy(src[0], src[1], o.N, o.K)))
}

func (o *SoftmaxCrossEntropy) run64(dst []float64, src ...[]float64) {
	dst[0] = LossWeight(o.Weight) * ref.SoftmaxCrossEntropy(src[0], src[1], o.N, o.K)
}

func (o *SoftmaxCrossEntropyGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.K}, {o.N}, {}}, out: tensor.Shape{o.N, o.K}}
}

// Run32 implements Operator.
func (o *SoftmaxCrossEntropyGrad) Run32(dst []float32, src ...[]float32) {
	ref.SoftmaxCrossEntropyGrad(dst, src[0], src[1], float32(LossWeight(o.Weight))*src[2][0], o.N, o.K)
}

func (o *SoftmaxCrossEntropyGrad) run64(dst []float64, src ...[]float64) {
	ref.SoftmaxCrossEntropyGrad(dst, src[0], src[1], LossWeight(o.Weight)*src[2][0], o.N, o.K)
}

// LossWeight is the factor that a field Weight means.
func LossWeight(weight float64) float64 {
	if weight == 0 {
		return 1
	}
	return weight
}
