package train

import (
	"context"
	"fmt"
	"strings"

	"resnet/internal/graph"
)

// LayerGradient is the size of the gradient that reaches the weights of a layer.
type LayerGradient struct {
	Layer string `json:"layer"` // layer1.0.conv1
	// Norm is the 2-norm of the gradient of the batch's mean loss, the mean over batches.
	Norm float64 `json:"norm"`
	// Weight is the 2-norm of the weights themselves. Behind a batch normalisation their size does
	// not matter, and Norm/Weight says more than Norm.
	Weight float64 `json:"weight"`
}

// Gradients measures the gradients with which a training begins or, with o.Resume, goes on: of its
// next batches, in forward order, a value for each convolution and fully connected layer. Nothing
// is updated, and the running statistics are as before. It fails with a context that ends, and with
// a *NonFiniteError.
func Gradients(ctx context.Context, o Options, batches int) ([]LayerGradient, error) {
	if batches < 1 {
		return nil, fmt.Errorf("train: gradients of %d batches", batches)
	}
	o.Replicas = nil // the first worker takes every batch, not its part of an update's
	l, err := newProbe(ctx, o)
	if err != nil {
		return nil, err
	}
	defer l.closeLoaders()
	var list []LayerGradient
	var weights []*graph.Param
	for _, p := range o.Params.All() {
		if p.Kind == graph.KindWeight {
			weights = append(weights, p)
			list = append(list, LayerGradient{Layer: strings.TrimSuffix(p.Name, ".weight"), Weight: norm(p.Data)})
		}
	}
	l.saveStats()
	defer l.restoreStats()
	for range batches {
		if _, err := l.workers[0].batch(0, graph.StepOptions{}); err != nil {
			return nil, err
		}
		if e := l.checkUpdate(); e != nil {
			return nil, e
		}
		for i, p := range weights {
			list[i].Norm += norm(p.Grad) / float64(batches)
		}
		l.st.Batches++
	}
	return list, nil
}

// newProbe is a loop that stands where a training would begin or go on, its batches opened. It is
// for measurements, and saves nothing.
func newProbe(ctx context.Context, o Options) (*loop, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	l := &loop{o: o, ctx: ctx, gentle: ctx, sgd: o.stepper(), meter: newMeter(o.Now)}
	l.newWorkers()
	if err := l.resume(); err != nil {
		return nil, err
	}
	return l, l.openLoaders()
}
