package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// Targets says what a network of images is trained towards.
type Targets uint8

// The kinds of targets.
const (
	// ClassTargets are the labels themselves, with the softmax cross-entropy.
	ClassTargets Targets = iota
	// SoftTargets are a row of shares of the classes for each image (StepOptions.Targets), with the
	// softmax cross-entropy: what smoothing, mixed images and weights of classes need.
	SoftTargets
	// BinaryTargets are such rows with the binary cross-entropy: a decision for each class.
	BinaryTargets
)

// TargetCrossEntropy is Weight times the loss of logits [N, K] against targets [N, K], a scalar:
// the mean over the batch of -Σ_k t_k·log softmax(logits)_k or, where Binary, the mean over batch
// and classes of the binary cross-entropy. They are torch.nn.CrossEntropyLoss with probabilities
// and torch.nn.BCEWithLogitsLoss.
type TargetCrossEntropy struct {
	N, K   int
	Binary bool
	Weight float64 // of this loss in a sum of several; 0 means 1
	ID     uint32
}

// TargetCrossEntropyGrad is the derivative of TargetCrossEntropy: inputs logits, targets, dloss (a
// scalar); output [N, K].
type TargetCrossEntropyGrad struct {
	N, K   int
	Binary bool
	Weight float64
	ID     uint32
	nonDifferentiable
}

func (o *TargetCrossEntropy) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.K}, {o.N, o.K}}, out: tensor.Shape{}}
}

// DiffWRT is true for the logits.
func (o *TargetCrossEntropy) DiffWRT(inputs int) []bool { return []bool{true, false}[:inputs] }

// SymDiff returns TargetCrossEntropyGrad.
func (o *TargetCrossEntropy) SymDiff(in gorgonia.Nodes, _, dloss *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&TargetCrossEntropyGrad{N: o.N, K: o.K, Binary: o.Binary, Weight: o.Weight, ID: o.ID}, in[0], in[1], dloss), call{})
}

// Run32 implements Operator.
func (o *TargetCrossEntropy) Run32(dst []float32, src ...[]float32) { runTargets(o, dst, src) }
func (o *TargetCrossEntropy) run64(dst []float64, src ...[]float64) { runTargets(o, dst, src) }

func runTargets[T ref.Float](o *TargetCrossEntropy, dst []T, src [][]T) {
	loss := ref.TargetCrossEntropy[T]
	if o.Binary {
		loss = ref.BinaryCrossEntropy[T]
	}
	dst[0] = T(LossWeight(o.Weight) * float64(loss(src[0], src[1], o.N, o.K)))
}

func (o *TargetCrossEntropyGrad) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.K}, {o.N, o.K}, {}}, out: tensor.Shape{o.N, o.K}}
}

// Run32 implements Operator.
func (o *TargetCrossEntropyGrad) Run32(dst []float32, src ...[]float32) {
	runTargetsGrad(o, dst, src)
}

func (o *TargetCrossEntropyGrad) run64(dst []float64, src ...[]float64) {
	runTargetsGrad(o, dst, src)
}

func runTargetsGrad[T ref.Float](o *TargetCrossEntropyGrad, dst []T, src [][]T) {
	grad := ref.TargetCrossEntropyGrad[T]
	if o.Binary {
		grad = ref.BinaryCrossEntropyGrad[T]
	}
	grad(dst, src[0], src[1], T(LossWeight(o.Weight))*src[2][0], o.N, o.K)
}

// targetLoss adds the loss of logits [N, K] with the graph's kind of targets; weight 0 means 1.
func (b *Builder) targetLoss(g *Graph, what string, logits *Node, weight float64) *Node {
	if g.Targets == ClassTargets {
		return b.add(what, &SoftmaxCrossEntropy{N: g.N, K: g.Classes(), Weight: weight, ID: b.id()}, logits, g.Labels)
	}
	return b.add(what, &TargetCrossEntropy{N: g.N, K: g.Classes(), Binary: g.Targets == BinaryTargets, Weight: weight, ID: b.id()}, logits, g.Labels)
}

// checkTargets fails for targets that are not those of the graph.
func (g *Graph) checkTargets(targets []float32) error {
	want := 0
	if g.Targets != ClassTargets {
		want = g.N * g.Classes()
	}
	if len(targets) != want {
		return fmt.Errorf("%s: %d targets, want %d: %w", g.Name, len(targets), want, ErrShape)
	}
	return nil
}
