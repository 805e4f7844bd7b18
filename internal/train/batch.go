package train

import (
	"fmt"

	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// batch computes the gradients of batch i of an update. Only the first may be given up for a stop:
// the others belong to an update that has begun.
func (l *loop) batch(i int, o graph.StepOptions) (Sums, error) {
	b, err := l.next(i == 0)
	if err != nil {
		return Sums{}, err
	}
	defer l.loader.Recycle(b)
	res, err := l.compute(b, l.st.Batches+i, o)
	if err != nil {
		return Sums{}, fmt.Errorf("update %d: %w", l.st.Step+1, err)
	}
	if e := l.checkLoss(res.Loss); e != nil {
		return Sums{}, e
	}
	wrong, labels := countWrong(res.Logits, mainLabels(b))
	if b.Lengths == nil {
		return Sums{Loss: res.Loss, Batches: 1, Wrong: wrong, Images: labels}, nil
	}
	return Sums{Loss: res.Loss * float64(labels), Weight: labels, Batches: 1, Wrong: wrong, Images: labels}, nil
}

// compute runs batch number n on the machine for its shape.
func (l *loop) compute(b *datasets.Batch, n int, o graph.StepOptions) (graph.Result, error) {
	if l.o.MachineFor != nil {
		m, err := l.o.MachineFor(b)
		if err != nil {
			return graph.Result{}, err
		}
		l.machine = m
	}
	if l.o.BeforeBatch != nil {
		l.o.BeforeBatch(n)
	}
	o.Targets = l.o.Targets.Of(b)
	return l.machine.Train(b.X, b.Labels, o)
}

// next takes a batch from the loader and measures the wait. An interruptible wait ends with
// errInterrupted on a stop.
func (l *loop) next(interruptible bool) (*datasets.Batch, error) {
	ctx := l.ctx
	if interruptible {
		ctx = l.gentle
	}
	start := l.meter.now()
	b, err := l.loader.Next(ctx)
	l.meter.wait += l.meter.now().Sub(start)
	if err != nil {
		if interruptible && l.ctx.Err() == nil && l.o.Control.stopping() {
			return nil, errInterrupted
		}
		return nil, fmt.Errorf("training batch %d: %w", l.st.Batches, err)
	}
	if b.Lengths == nil && len(b.Labels) != l.o.Plan.Config.Batch {
		l.loader.Recycle(b)
		return nil, fmt.Errorf("training batch %d has %d images, not %d", l.st.Batches, len(b.Labels), l.o.Plan.Config.Batch)
	}
	return b, nil
}

// openLoader (re)opens the loader at the cursor.
func (l *loop) openLoader() error {
	if l.loader != nil {
		l.loader.Close()
		l.loader = nil
	}
	per := l.o.Plan.BatchesPerEpoch
	loader, err := l.o.Loader(l.ctx, l.st.Batches/per, l.st.Batches%per)
	if err != nil {
		return fmt.Errorf("training batches: %w", err)
	}
	l.loader = loader
	return nil
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
