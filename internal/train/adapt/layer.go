package adapt

import (
	"context"
	"fmt"
	"math"
	"slices"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech"
	"resnet/internal/graph"
	"resnet/internal/train"
)

// Layer is the linear layer of a graph of blocks.BuildAdaptation, which is estimated for one
// speaker after another.
type Layer struct {
	weight, bias *graph.Param
	maps         int
	o            Options
	steps        train.Stepper
}

// NewLayer takes the layer's parameters out of params, where a graph has put them. maps is
// Spec.Maps().
func NewLayer(params *graph.ParamSet, maps int, o Options) (*Layer, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	l := &Layer{weight: params.Get(blocks.AdaptationWeight), bias: params.Get(blocks.AdaptationBias), maps: maps, o: o}
	if l.weight == nil || l.bias == nil {
		return nil, fmt.Errorf("the network has no layer %s", blocks.Adaptation)
	}
	l.reset()
	return l, nil
}

// reset makes the layer the identity and the optimizer new.
func (l *Layer) reset() {
	clear(l.weight.Data)
	clear(l.bias.Data)
	d := len(l.bias.Data)
	for i := range d {
		l.weight.Data[i*d+i] = 1
	}
	own := graph.NewParamSet(0)
	own.Add(l.weight)
	own.Add(l.bias)
	l.steps = train.NewStepper(train.Optimizer{Name: train.OptimizerAdam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, own, 1)
}

// Transform is a copy of the layer.
func (l *Layer) Transform() speech.Transform {
	return speech.Transform{Dim: len(l.bias.Data), Weight: slices.Clone(l.weight.Data), Bias: slices.Clone(l.bias.Data)}
}

// update makes a step along the gradients that a machine has left, at a share of the rate.
func (l *Layer) update(share float64) {
	d := len(l.bias.Data)
	project(l.o.Structure, l.maps, l.weight.Grad, l.bias.Grad)
	if lambda := float32(l.o.Regularise); lambda > 0 {
		for i := range d {
			l.weight.Grad[i*d+i] -= lambda
			l.bias.Grad[i] += float32(lambda * l.bias.Data[i])
		}
		for k, w := range l.weight.Data {
			l.weight.Grad[k] += float32(lambda * w)
		}
	}
	l.steps.Step(l.o.Rate*share, 1)
}

// Batches are those of a speaker: epoch after epoch without end, as corpus.Loader gives them.
type Batches interface {
	Next(ctx context.Context) (*datasets.Batch, error)
	Recycle(b *datasets.Batch)
}

// A Pass runs the network forward and backward on a batch, whose labels it chooses, and leaves the
// layer's gradients. labelled is how many frames or utterances had a label; loss is their mean.
type Pass func(b *datasets.Batch) (loss float64, labelled int, err error)

// Progress is the mean loss of the first and the last pass over a speaker's utterances, each
// measured before its updates.
type Progress struct{ First, Last float64 }

// Estimate begins with the identity and goes Options.Iterations times over the batches, the rate
// falling from pass to pass: the last of n has Rate/n. A batch without a label is passed over. It
// fails with ErrDiverged when the loss is no number.
func (l *Layer) Estimate(ctx context.Context, batches Batches, pass Pass) (Progress, error) {
	l.reset()
	var p Progress
	sum, count, epoch := 0., 0, 0
	close := func() {
		if epoch == 0 {
			p.First = sum / float64(max(count, 1))
		}
		p.Last = sum / float64(max(count, 1))
		sum, count = 0, 0
	}
	for l.o.Iterations > 0 {
		b, err := batches.Next(ctx)
		if err != nil {
			return p, err
		}
		if b.Epoch != epoch {
			close()
			epoch = b.Epoch
		}
		if epoch >= l.o.Iterations {
			break
		}
		loss, labelled, err := pass(b)
		batches.Recycle(b)
		if err != nil {
			return p, err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return p, fmt.Errorf("pass %d: the loss is %g: %w", epoch+1, loss, ErrDiverged)
		}
		if labelled > 0 {
			sum, count = sum+loss*float64(labelled), count+labelled
			l.update(1 - float64(epoch)/float64(l.o.Iterations))
		}
	}
	return p, l.Transform().Check()
}
