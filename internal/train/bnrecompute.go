package train

import (
	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// recomputeStats replaces the running statistics of batch normalisation by strict averages over
// training batches, the parameters being final: "strict average over a large training batch after
// training, not moving average" (the notes to the models that He et al. published). Batch k (from
// 0) enters with momentum 1/(k+1), which makes the running value the mean of all batch values so
// far; variances are averaged as variances. The batches are those that training would have taken
// next, augmentation included, rounded up to whole batches.
//
// It returns errInterrupted when a stop is requested; the statistics are then half new, and the
// caller restores them.
func (l *loop) recomputeStats() error {
	batch := l.o.Plan.Config.Batch
	n := (l.o.Plan.Config.BNRecompute + batch - 1) / batch
	w := l.workers[0]
	if !w.share.Whole() { // of an update; these are all batches
		l.closeLoaders() // nobody takes what the others have prepared
		if err := w.open(datasets.Share{}); err != nil {
			return err
		}
	}
	defer func() { l.meter.wait += w.waited() }()
	for k := range n {
		if l.stopping() {
			return errInterrupted
		}
		b, err := w.next(true)
		if err != nil {
			return err
		}
		res, err := w.compute(b, l.st.Batches+k, graph.StepOptions{ForwardOnly: true, StatsMomentum: 1 / float64(k+1)})
		w.loader.Recycle(b)
		if err != nil {
			return err
		}
		if e := w.checkLoss(res.Loss); e != nil {
			return e
		}
	}
	return nil
}
