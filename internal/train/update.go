package train

import (
	"cmp"
	"context"
	"sync"

	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/train/collective"
)

// gradients computes the gradients of an update: Param.Grad is their sum over the micro-batches, in
// the order of package collective, whoever computed them. What else they give is folded in their
// own order. It begins with saveStats; after an error the running statistics have to be restored.
func (l *loop) gradients() (Sums, error) {
	l.saveStats()
	defer func() { l.meter.wait += l.waited() }()
	if l.o.Plan.Config.Accumulate == 1 {
		return l.workers[0].batch(0, graph.StepOptions{})
	}
	errs := make([]error, len(l.workers))
	var group sync.WaitGroup
	for i, w := range l.workers[1:] {
		group.Go(func() { errs[i+1] = w.run(l.parts, l.stats) })
	}
	errs[0] = l.workers[0].run(l.parts, l.stats)
	group.Wait()
	err := cmp.Or(errs...)
	if err == nil {
		l.addWorkers()
	}
	if l.o.Ranks.Size() > 1 {
		err = l.addRanks(err)
	}
	if err != nil {
		return Sums{}, err
	}
	var sums Sums
	for i := range l.parts {
		sums.add(l.parts[i].sums)
		l.foldStats(l.parts[i].stats)
	}
	return sums, nil
}

// addWorkers adds the gradients of all workers to those of the first, a goroutine for each.
func (l *loop) addWorkers() {
	if len(l.workers) == 1 {
		return
	}
	const chunk = 1 << 16 // values
	var group sync.WaitGroup
	for k := range l.workers {
		group.Go(func() {
			vectors := make([][]float32, len(l.workers))
			n := 0
			for p := range l.workers[0].grads {
				length := len(l.workers[0].grads[p])
				for from := 0; from < length; from += chunk {
					if n++; n%len(l.workers) != k {
						continue
					}
					for i, w := range l.workers {
						vectors[i] = w.grads[p][from:min(from+chunk, length)]
					}
					collective.AddWorkers(vectors)
				}
			}
		})
	}
	group.Wait()
}

// foldStats folds a micro-batch's statistics into the running ones: running = (1-m)·running +
// m·batch in float64, as a machine does. Those of a layer that keeps its running statistics are
// these very values, which remain.
func (l *loop) foldStats(stats []float32) {
	for _, p := range l.o.Params.All() {
		if p.Trainable() {
			continue
		}
		m := p.Momentum
		for i, x := range p.Data {
			p.Data[i] = float32((1-m)*float64(x) + m*float64(stats[i]))
		}
		stats = stats[len(p.Data):]
	}
}

// diagnose names the first layer with a value that is not finite, of the first worker that has one.
func (l *loop) diagnose() string {
	for _, w := range l.workers {
		if w.machine == nil {
			continue
		}
		if layer := w.machine.Diagnose(); layer != "" {
			return layer
		}
	}
	return ""
}

// sharedLoader is a Loader without the batches of others.
type sharedLoader struct {
	Loader
	share datasets.Share
	n     int // batches so far
}

// Shared leaves out the batches of a loader that do not belong to a share.
func Shared(l Loader, share datasets.Share) Loader {
	if share.Whole() {
		return l
	}
	return &sharedLoader{Loader: l, share: share}
}

func (s *sharedLoader) Next(ctx context.Context) (*datasets.Batch, error) {
	for {
		b, err := s.Loader.Next(ctx)
		if err != nil {
			return nil, err
		}
		if s.n++; s.share.Has(s.n - 1) {
			return b, nil
		}
		s.Recycle(b)
	}
}
