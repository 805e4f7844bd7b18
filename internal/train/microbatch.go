package train

import (
	"resnet/internal/graph"
	"resnet/internal/train/collective"
)

// microBatch is what an update keeps of one of its batches besides the gradients: figures, and the
// batch statistics that the machine would have folded into the running ones.
type microBatch struct {
	sums  Sums
	stats []float32 // of all parameters that are not trained, one after another
}

// shares is the memory of updates of several micro-batches.
type shares struct {
	counter *collective.Counter
	grads   [][]float32 // of the parameters that are updated
	parts   []microBatch
}

// newShares makes room for what the micro-batches of an update leave.
func newShares(c Config, params *graph.ParamSet) shares {
	s := shares{counter: collective.NewCounter(c.Accumulate), parts: make([]microBatch, c.Accumulate)}
	stats := 0
	for _, p := range params.All() {
		switch {
		case !p.Trainable():
			stats += len(p.Data)
		case !c.Optimizer.Frozen(p.Name):
			s.grads = append(s.grads, p.Grad)
		}
	}
	for i := range s.parts {
		s.parts[i].stats = make([]float32, stats)
	}
	return s
}

// gradients computes the gradients of an update: Param.Grad is their sum over the micro-batches, in
// the order of collective.Counter. What else they give is folded in their order. It begins with
// saveStats; after an error the running statistics have to be restored.
func (l *loop) gradients() (Sums, error) {
	l.saveStats()
	n := l.o.Plan.Config.Accumulate
	if n == 1 {
		return l.batch(0, graph.StepOptions{})
	}
	for i := range n {
		var err error
		// With momentum 1 the machine leaves the batch's own statistics.
		if l.parts[i].sums, err = l.batch(i, graph.StepOptions{StatsMomentum: 1}); err != nil {
			return Sums{}, err
		}
		l.takeStats(l.parts[i].stats)
		l.counter.Add(i, n, l.grads)
	}
	var sums Sums
	for i := range l.parts {
		sums.add(l.parts[i].sums)
		l.foldStats(l.parts[i].stats)
	}
	return sums, nil
}

// takeStats moves the batch statistics that a machine has left to dst, and puts the running ones
// back.
func (l *loop) takeStats(dst []float32) {
	for _, p := range l.o.Params.All() {
		if !p.Trainable() {
			dst = dst[copy(dst, p.Data):]
		}
	}
	l.restoreStats()
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
