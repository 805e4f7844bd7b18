package train

import (
	"fmt"

	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// batch computes the gradients of batch i of an update. Only the worker's first may be given up for
// a stop: the others belong to an update that has begun.
func (w *worker) batch(i int, o graph.StepOptions) (Sums, error) {
	b, err := w.next(i == w.share.First)
	if err != nil {
		return Sums{}, err
	}
	defer w.loader.Recycle(b)
	res, err := w.compute(b, w.l.st.Batches+i, o)
	if err != nil {
		return Sums{}, fmt.Errorf("update %d: %w", w.l.st.Step+1, err)
	}
	if e := w.checkLoss(res.Loss); e != nil {
		return Sums{}, e
	}
	wrong, labels := countWrong(res.Logits, mainLabels(b))
	if b.Lengths == nil {
		return Sums{Loss: res.Loss, Batches: 1, Wrong: wrong, Images: labels}, nil
	}
	return Sums{Loss: res.Loss * float64(labels), Weight: labels, Batches: 1, Wrong: wrong, Images: labels}, nil
}

// compute runs batch number n on the machine for its shape.
func (w *worker) compute(b *datasets.Batch, n int, o graph.StepOptions) (graph.Result, error) {
	if w.MachineFor != nil {
		m, err := w.MachineFor(b)
		if err != nil {
			return graph.Result{}, err
		}
		w.machine = m
	}
	if w.BeforeBatch != nil {
		w.BeforeBatch(n)
	}
	o.Targets = w.Targets.Of(b)
	return w.machine.Train(b.X, b.Labels, o)
}

// next takes a batch from the loader and measures the wait. An interruptible wait ends with
// errInterrupted on a stop.
func (w *worker) next(interruptible bool) (*datasets.Batch, error) {
	l := w.l
	ctx := l.ctx
	if interruptible {
		ctx = l.gentle
	}
	start := l.meter.now()
	b, err := w.loader.Next(ctx)
	w.wait += l.meter.now().Sub(start)
	if err != nil {
		if interruptible && l.ctx.Err() == nil && l.o.Control.stopping() {
			return nil, errInterrupted
		}
		return nil, fmt.Errorf("training batch %d: %w", l.st.Batches, err)
	}
	if b.Lengths == nil && len(b.Labels) != l.o.Plan.Config.Batch {
		w.loader.Recycle(b)
		return nil, fmt.Errorf("training batch %d has %d images, not %d", l.st.Batches, len(b.Labels), l.o.Plan.Config.Batch)
	}
	return b, nil
}

// countWrong counts the labels, and those at which the largest logit is not; of equal ones the
// first counts. A label of -1 is none.
func countWrong(logits []float32, labels []int32) (wrong, counted int) {
	if len(labels) == 0 {
		return 0, 0
	}
	classes := len(logits) / len(labels)
	for i, label := range labels {
		if label < 0 {
			continue
		}
		counted++
		row := logits[i*classes : (i+1)*classes]
		top := 0
		for j, x := range row {
			if x > row[top] {
				top = j
			}
		}
		if top != int(label) {
			wrong++
		}
	}
	return wrong, counted
}
