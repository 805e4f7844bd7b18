package train

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/train/collective"
)

// worker computes its share of each update's micro-batches, one after another, on a machine of its
// own.
type worker struct {
	l *loop
	Replica
	share   datasets.Share // of the micro-batches of an update
	loader  Loader
	machine graph.Machine // of the last batch
	counter *collective.Counter
	grads   [][]float32 // of the parameters that are updated
	wait    time.Duration
}

// microBatch is what an update keeps of one of its batches besides the gradients: figures, and the
// batch statistics that the machine would have folded into the running ones.
type microBatch struct {
	sums  Sums
	stats []float32 // see worker.takeStats
}

// CheckWorkers says whether so many workers can share the micro-batches of an update: a power of
// two that divides them, so that each has whole subtrees (see package collective). The error names
// the numbers that would do.
func CheckWorkers(workers, accumulate int) error {
	if workers >= 1 && bits.OnesCount(uint(workers)) == 1 && accumulate%workers == 0 {
		return nil
	}
	var fit []string
	for n := 1; accumulate%n == 0; n *= 2 {
		fit = append(fit, strconv.Itoa(n))
	}
	return fmt.Errorf("%d workers cannot share an update of %d micro-batches (train.accumulate): %s can", workers, accumulate, strings.Join(fit, ", "))
}

// newWorkers makes the workers of a loop, and room for what the micro-batches of an update leave.
func (l *loop) newWorkers() {
	c := l.o.Plan.Config
	first := Replica{Params: l.o.Params, MachineFor: l.o.MachineFor, Targets: l.o.Targets, BeforeBatch: l.o.BeforeBatch}
	all := append([]Replica{first}, l.o.Replicas...)
	count := c.Accumulate / (len(all) * l.o.Ranks.Size())
	for i, r := range all {
		at := l.o.Ranks.Rank()*len(all) + i
		w := &worker{l: l, Replica: r, share: datasets.Share{First: at * count, Count: count, Of: c.Accumulate}, counter: collective.NewCounter(c.Accumulate)}
		if i == 0 {
			w.machine = l.o.Machine
		}
		for _, p := range c.Optimizer.updated(r.Params) {
			w.grads = append(w.grads, p.Grad)
		}
		l.workers = append(l.workers, w)
	}
	stats := 0
	for _, p := range l.o.Params.All() {
		if !p.Trainable() {
			stats += len(p.Data)
		}
	}
	l.stats = make([]float32, stats)
	if l.o.Ranks.Size() > 1 {
		l.sums = newBuckets(l.o.Ranks, c.Optimizer, l.o.Params)
	}
	l.parts = make([]microBatch, c.Accumulate)
	for i := range l.parts {
		l.parts[i].stats = make([]float32, stats)
	}
}

// openLoaders (re)opens the loaders of all workers at the cursor, on all ranks or on none.
func (l *loop) openLoaders() error {
	l.closeLoaders()
	var err error
	for _, w := range l.workers {
		if err = w.open(w.share); err != nil {
			break
		}
	}
	if err = l.report(err, nil); err != nil {
		l.closeLoaders()
	}
	return err
}

// open (re)opens a worker's loader at the cursor.
func (w *worker) open(share datasets.Share) error {
	w.closeLoader()
	per := w.l.o.Plan.BatchesPerEpoch
	loader, err := w.l.o.Loader(w.l.ctx, w.l.st.Batches/per, w.l.st.Batches%per, share)
	if err != nil {
		return fmt.Errorf("training batches: %w", err)
	}
	w.loader = loader
	return nil
}

// waited is the time that a worker has waited for batches since the last call, in the mean.
func (l *loop) waited() time.Duration {
	var sum time.Duration
	for _, w := range l.workers {
		sum += w.waited()
	}
	return sum / time.Duration(len(l.workers))
}

func (w *worker) waited() time.Duration {
	d := w.wait
	w.wait = 0
	return d
}

func (l *loop) closeLoaders() {
	for _, w := range l.workers {
		w.closeLoader()
	}
}

func (w *worker) closeLoader() {
	if w.loader != nil {
		w.loader.Close()
		w.loader = nil
	}
}

// run computes the worker's share of an update: its gradients are their sum, and parts has the
// rest. The running statistics of its parameters are those of before, given as saved, also after an
// error.
func (w *worker) run(parts []microBatch, saved []float32) error {
	w.setStats(saved)
	for j := range w.share.Count {
		i := w.share.First + j
		var err error
		// With momentum 1 the machine leaves the batch's own statistics.
		o := graph.StepOptions{StatsMomentum: 1}
		sends := j == w.share.Count-1 && w.l.sums != nil && len(w.l.workers) == 1
		if sends {
			o.Finished = w.send()
		}
		parts[i].sums, err = w.batch(i, o)
		if err != nil {
			w.setStats(saved)
			return err
		}
		w.takeStats(parts[i].stats)
		w.setStats(saved)
		if !sends {
			w.counter.Add(j, w.share.Count, w.grads)
			continue
		}
		for k := range w.l.sums.grads { // those that the machine did not tell of
			w.sendGradient(k)
		}
		w.counter.Done()
	}
	return nil
}

// takeStats copies the running statistics, of all parameters that are not trained, one after
// another.
func (w *worker) takeStats(dst []float32) {
	for _, p := range w.Params.All() {
		if !p.Trainable() {
			dst = dst[copy(dst, p.Data):]
		}
	}
}

// setStats puts them back.
func (w *worker) setStats(saved []float32) {
	for _, p := range w.Params.All() {
		if !p.Trainable() {
			saved = saved[copy(p.Data, saved):]
		}
	}
}

// send returns what takes the gradients of the share's last micro-batch as they are completed.
func (w *worker) send() func(p *graph.Param) {
	w.l.sums.begin()
	return func(p *graph.Param) {
		if k, ok := w.l.sums.number[p]; ok {
			w.sendGradient(k)
		}
	}
}

// sendGradient completes a gradient of the share and hands it over, once.
func (w *worker) sendGradient(k int) {
	b := w.l.sums
	if b.filled[k] {
		return
	}
	w.counter.AddLast(w.offset(k), b.grads[k])
	b.fill(k)
}

// offset is the place of gradient k of the buckets in the vectors of the counter, which begin with
// the first parameter.
func (w *worker) offset(k int) int {
	last := len(w.grads) - 1
	total := w.l.sums.at[last] + len(w.l.sums.grads[last])
	return total - w.l.sums.at[k] - len(w.l.sums.grads[k])
}
