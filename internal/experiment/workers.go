package experiment

import (
	"fmt"
	"runtime"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/system"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/collective"
)

// Divide gives the work to the ranks of a group, and in each to so many workers that share its
// threads. It fails unless the micro-batches of an update can be divided among them.
func (x *Experiment) Divide(ranks train.Ranks, workers int) error {
	all, what := workers, fmt.Sprintf("--workers %d", workers)
	if n := ranks.Size(); n > 1 {
		all, what = n*workers, text.Count(n, "rank")
		if workers != 1 {
			what += fmt.Sprintf(" with --workers %d", workers)
		}
	}
	if err := train.CheckWorkers(all, x.Train.Accumulate); err != nil {
		return config.Usagef("%s: %w", what, err)
	}
	if all > 1 && x.Train.Features {
		return config.Usagef("%s: train.cache_features is for one worker: set it to false", what)
	}
	ranks.Wire = collective.Wire(x.Distributed.Wire)
	ranks.Bucket = x.Distributed.Bucket << 18 // values of 4 bytes in a MiB
	if ranks.Size() > 1 {
		// The thread of MPI keeps a place of its own, and one is left for what hands it gradients
		// and for batches: beside threads that all compute, Go lets others wait 10 ms each time.
		runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), x.Threads+2, workers+2))
	}
	x.Ranks, x.Workers = ranks, workers
	return nil
}

func (x *Experiment) workers() int { return max(x.Workers, 1) }

// threadsOf are the threads of worker i: an even part, and at least one.
func (x *Experiment) threadsOf(i int) int {
	n := x.workers()
	threads := x.Threads / n
	if i < x.Threads%n {
		threads++
	}
	return max(threads, 1)
}

// device is what a machine runs on, and in which precision: its threads, and the numbers of the
// processors that they stay on; none means any.
type device struct {
	threads    int
	processors []int
	precision  graph.Precision
}

// options are those of a machine on it, within a limit of bytes; 0 means what the system leaves.
// Every machine's options are made here.
func (d device) options(limit int64) schedule.Options {
	return schedule.Options{Threads: d.threads, Processors: d.processors, Precision: d.precision, Limit: limit}
}

// device is all threads of the experiment.
func (x *Experiment) device() device { return device{threads: x.Threads, precision: x.Precision()} }

// deviceOf is that of worker i.
func (x *Experiment) deviceOf(i int) device {
	d := device{threads: x.threadsOf(i), precision: x.Precision()}
	if nodes := x.nodes(); nodes != nil {
		d.processors = nodes[i]
	}
	return d
}

// nodes gives each worker the processors of the node of memory that its threads stay on, so that
// its activations are in the memory beside them; or nil where threads are not kept anywhere.
func (x *Experiment) nodes() [][]int {
	if x.workers() < 2 {
		return nil // without asking the system
	}
	threads := make([]int, x.workers())
	for i := range threads {
		threads[i] = x.threadsOf(i)
	}
	return placeWorkers(system.Nodes(), threads)
}

// placeWorkers divides nodes of memory among workers of so many threads: neighbours share a node
// where there are more workers than nodes, and a worker has several nodes where there are fewer. It
// returns nil where there is nothing to divide, or where a node has fewer processors than its
// workers have threads: then the system places them better.
func placeWorkers(nodes [][]int, threads []int) [][]int {
	n, workers := len(nodes), len(threads)
	if n < 2 || workers < 2 {
		return nil
	}
	used := make([]int, n)
	out := make([][]int, workers)
	for i := range out {
		from, to := i*n/workers, max((i+1)*n/workers, i*n/workers+1)
		for _, node := range nodes[from:to] {
			out[i] = append(out[i], node...)
		}
		if used[from] += threads[i]; used[from] > len(out[i]) {
			return nil
		}
	}
	return out
}

// loaderWorkers are the goroutines that prepare a share of the batches: all, or of an update's
// micro-batches a part, and at least one.
func (x *Experiment) loaderWorkers(share datasets.Share) int {
	n := datasets.Workers(x.Data.Name, x.Data.Workers)
	if share.Whole() {
		return n
	}
	return max(n/x.workers(), 1)
}

// SuggestedWorkers is how many workers suit the threads: so many that each thread has two of the
// units into which a machine divides a batch, as far as the micro-batches can be divided.
func (x *Experiment) SuggestedWorkers() int {
	n := 1
	for x.Train.Accumulate%(2*n) == 0 && x.Threads >= 2*n && 2*x.Threads > n*min(schedule.Units, x.Train.Batch) {
		n *= 2
	}
	return n
}

// replica is a copy of the network for one more worker.
type replica struct {
	params  *graph.ParamSet
	trainer trainer
}

// addReplicas makes the networks of all workers but the first, which is there.
func (t *Training) addReplicas(r *ready) error {
	for i := 1; i < t.workers(); i++ {
		params := r.params.Replica()
		m, err := t.data.trainer(params, t.deviceOf(i))
		if err != nil {
			return t.memory.refuse(err, need{"--workers", t.workers(), 0, "or train.batch"})
		}
		r.more = append(r.more, replica{params, m})
	}
	return nil
}

// replicas are what the training loop is given of them.
func (r *ready) replicas() (list []train.Replica) {
	for _, m := range r.more {
		list = append(list, train.Replica{
			Params: m.params, MachineFor: m.trainer.machine, Targets: m.trainer.targets(), BeforeBatch: m.trainer.beforeBatch,
		})
	}
	return list
}

// replicaNeed is the memory of the machines of all workers but the first.
func (t *Training) replicaNeed(r *ready) need {
	n := need{"--workers", t.workers(), 0, "or a smaller train.batch"}
	for _, m := range r.more {
		n.bytes += float64(m.trainer.bytes())
	}
	return n
}
