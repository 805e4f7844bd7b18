package train

import (
	"fmt"

	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// batch computes the gradients of batch i of an update. Only the first may be given up for a stop: the others belong to
// an update that has begun.
func (l *loop) batch(i int) (Sums, error) {
	b, err := l.next(i == 0)
	if err != nil {
		return Sums{}, err
	}
	defer l.loader.Recycle(b)
	if l.o.BeforeBatch != nil {
		l.o.BeforeBatch(l.st.Batches + i)
	}
	res, err := l.o.Machine.Train(b.X, b.Labels, graph.StepOptions{Accumulate: i > 0})
	if err != nil {
		return Sums{}, fmt.Errorf("update %d: %w", l.st.Step+1, err)
	}
	if e := l.checkLoss(res.Loss); e != nil {
		return Sums{}, e
	}
	return Sums{Loss: res.Loss, Batches: 1, Wrong: countWrong(res.Logits, b.Labels), Images: len(b.Labels)}, nil
}

// next takes a batch from the loader and measures the wait. An interruptible wait ends with errInterrupted on a stop.
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
	if len(b.Labels) != l.o.Plan.Config.Batch {
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

// countWrong counts the images whose largest logit is not at their label; of equal ones the first counts.
func countWrong(logits []float32, labels []int32) int {
	if len(labels) == 0 {
		return 0
	}
	classes := len(logits) / len(labels)
	wrong := 0
	for i, label := range labels {
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
	return wrong
}
