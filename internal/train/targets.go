package train

import (
	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// TargetKind is what a network is trained towards, given whether images are mixed.
func (c Config) TargetKind(mixed bool) graph.Targets {
	switch {
	case c.Loss == LossBinary:
		return graph.BinaryTargets
	case c.Smoothing > 0 || c.Weights == WeightsBalanced || mixed:
		return graph.SoftTargets
	}
	return graph.ClassTargets
}

// Targets makes the targets of batches. For an image of class a of which the share s is left, the
// rest being of class b,
//
//	t_k = w_k · ((1-ε)·(s·[k=a] + (1-s)·[k=b]) + ε/K)
//
// with ε the smoothing and w the weights of the classes, which are scaled so that the weights of a
// batch's labels have mean 1: torch.nn.CrossEntropyLoss with weights and label smoothing.
type Targets struct {
	Classes   int
	Smoothing float64
	Weights   []float64 // nil means 1 for each

	buffer []float32
}

// Of are the targets [N, Classes] of a batch, valid until the next call; nil of a nil Targets.
func (t *Targets) Of(b *datasets.Batch) []float32 {
	if t == nil {
		return nil
	}
	n := len(b.Labels)
	t.buffer = append(t.buffer[:0], make([]float32, n*t.Classes)...)
	scale := 1.
	if t.Weights != nil {
		sum := 0.
		for i := range n {
			first, share, second := labelsOf(b, i)
			sum += share*t.Weights[first] + (1-share)*t.Weights[second]
		}
		scale = float64(n) / sum
	}
	for i := range n {
		first, share, second := labelsOf(b, i)
		row := t.buffer[i*t.Classes : (i+1)*t.Classes]
		for k := range row {
			v := t.Smoothing / float64(t.Classes)
			if k == first {
				v += (1 - t.Smoothing) * share
			}
			if k == second {
				v += (1 - t.Smoothing) * (1 - share)
			}
			if t.Weights != nil {
				v *= scale * t.Weights[k]
			}
			row[k] = float32(v)
		}
	}
	return t.buffer
}

// labelsOf are the two labels of an image of a batch, and the share of the first.
func labelsOf(b *datasets.Batch, i int) (first int, share float64, second int) {
	if b.Other == nil {
		return int(b.Labels[i]), 1, int(b.Labels[i])
	}
	return int(b.Labels[i]), b.Share, int(b.Other[i])
}

// mainLabels are the labels of the larger shares: those that the training error counts.
func mainLabels(b *datasets.Batch) []int32 {
	if b.Other != nil && b.Share < 0.5 {
		return b.Other
	}
	return b.Labels
}

// BalancedWeights are images / (classes · images of the class); a class without images, which no
// label has, weighs nothing.
func BalancedWeights(counts []int) []float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	w := make([]float64, len(counts))
	for k, n := range counts {
		if n > 0 {
			w[k] = float64(total) / float64(len(counts)*n)
		}
	}
	return w
}
