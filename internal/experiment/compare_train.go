package experiment

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"resnet/internal/folderlock"
	"resnet/internal/text"
	"resnet/internal/train"
)

// ComparisonEstimate is what is left of a comparison: `compare --dry-run --json`.
type ComparisonEstimate struct {
	Out          string         `json:"out"`
	Threads      int            `json:"threads"`  // of each run
	Parallel     int            `json:"parallel"` // runs at a time
	Runs         []EstimatedRun `json:"runs"`
	SecondsTotal float64        `json:"seconds_total"`
}

// EstimatedRun is a run of a comparison and what is left of it.
type EstimatedRun struct {
	Name      string  `json:"name"`
	Model     string  `json:"model"`
	Depth     int     `json:"depth"`
	Residual  bool    `json:"residual"`
	Seed      uint64  `json:"seed"`
	Params    int64   `json:"params"`
	Steps     int     `json:"steps"`
	StepsDone int     `json:"steps_done"`
	State     string  `json:"state"` // to do | saved | done | diverged
	Seconds   float64 `json:"seconds"`
}

// Estimate says what is left of each run, and refuses a comparison that does not fit into memory.
// The time is that of real steps and of an evaluation, measured once for each network. Runs that
// train at the same time share the cores, so that the sum is divided among them.
func (c *Comparison) Estimate(ctx context.Context) (ComparisonEstimate, error) {
	first := c.Runs[0]
	out := ComparisonEstimate{Out: c.Out, Threads: first.Threads, Parallel: c.Parallel}
	measured := map[string]Estimate{} // by model
	var memory, costs []float64
	for _, r := range c.Runs {
		p := EstimatedRun{
			Name: r.Name(), Model: r.Net.Model(), Depth: r.Depth, Residual: r.Residual, Seed: r.Seed,
			Params: r.Spec.Params, Steps: r.Plan.Iterations, StepsDone: r.Step, State: "to do",
		}
		switch {
		case r.Diverged != "":
			p.State = "diverged"
		case r.Done:
			p.State = "done"
		default:
			if r.Step > 0 {
				p.State = "saved"
			}
			m, ok := measured[p.Model]
			if !ok {
				var err error
				if m, err = (&Training{Experiment: r.Experiment, Dir: r.Dir}).Estimate(ctx); err != nil {
					return out, err
				}
				measured[p.Model] = m
			}
			p.Seconds = m.secondsLeft(r.Plan, p.StepsDone)
			memory, costs = append(memory, float64(m.MemoryBytes)), append(costs, p.Seconds)
		}
		out.Runs = append(out.Runs, p)
	}
	out.SecondsTotal = makespan(costs, c.Parallel)
	return out, c.env.allowed(0).check(need{"--parallel", c.Parallel, largest(memory, c.Parallel), "or a smaller train.batch"})
}

// makespan is how long jobs take when so many workers take one after another, in the order given.
func makespan(costs []float64, workers int) float64 {
	busy := make([]float64, max(min(workers, len(costs)), 1))
	for _, c := range costs {
		i := slices.Index(busy, slices.Min(busy))
		busy[i] += c
	}
	return slices.Max(busy)
}

// largest is the sum of the n largest values.
func largest(values []float64, n int) float64 {
	slices.Sort(values)
	sum := 0.
	for _, v := range values[max(0, len(values)-n):] {
		sum += v
	}
	return sum
}

// TrainAll trains what is missing or unfinished, Parallel runs at a time, in the order of the plan.
// A run that another process is training is left to it; when nothing else is to do, TrainAll waits
// for its end, and goes on with it where that process has stopped. A failure asks the runs at work
// to save and stop, and is returned when they have. The control reaches all of them. watch makes
// the watcher of a run.
func (c *Comparison) TrainAll(ctx context.Context, control *train.Control, watch func(*ComparedRun) Watcher) error {
	q := &queue{say: c.env.say, control: control, told: map[*ComparedRun]string{}}
	for _, r := range c.Runs {
		if !r.Done && r.Diverged == "" {
			q.todo = append(q.todo, r)
		}
	}
	var group sync.WaitGroup
	for range min(c.Parallel, len(q.todo)) {
		group.Go(func() {
			for r := q.next(); r != nil; r = q.next() {
				q.ended(r, c.train(ctx, r, control, watch(r)))
			}
		})
	}
	group.Wait()
	return q.first
}

// queue holds the runs of a comparison that are not at work.
type queue struct {
	say     func(format string, args ...any)
	control *train.Control

	mu    sync.Mutex
	todo  []*ComparedRun
	held  []*ComparedRun          // by other processes
	told  map[*ComparedRun]string // what was said of the holder
	first error
}

// heldPause is how often a run that another process holds is tried when nothing else is to do.
const heldPause = 200 * time.Millisecond

// next takes a run out, one that is held after a pause; nil means that there is nothing to do.
func (q *queue) next() *ComparedRun {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.first != nil || len(q.todo)+len(q.held) == 0 {
		return nil
	}
	if len(q.todo) > 0 {
		r := q.todo[0]
		q.todo = q.todo[1:]
		return r
	}
	r := q.held[0]
	q.held = q.held[1:]
	q.mu.Unlock()
	stopped := false
	select {
	case <-q.control.Done():
		stopped = true
	case <-time.After(heldPause):
	}
	q.mu.Lock()
	if stopped {
		if q.first == nil {
			q.first = train.ErrStopped
		}
		return nil
	}
	return r
}

// ended takes note of how the work on a run ended.
func (q *queue) ended(r *ComparedRun, err error) {
	if err == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var locked *folderlock.LockedError
	if errors.As(err, &locked) {
		q.held = append(q.held, r)
		if line := locked.Waiting(); line != q.told[r] && locked.PID != 0 {
			q.told[r] = line
			q.say("%s", text.Printable(line))
		}
		return
	}
	// What made the others stop says more.
	if q.first == nil || errors.Is(q.first, train.ErrStopped) {
		q.first = err
	}
	q.control.Stop()
}
