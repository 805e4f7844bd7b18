package train

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// withWorkers gives the run so many workers, with networks of their own.
func (r *netRun) withWorkers(n int) *netRun {
	r.t.Helper()
	for range n - 1 {
		params := r.params.Replica()
		g := drawNet(r.t, r.o.Plan.Config.Batch, graph.Train, params)
		m, err := graph.NewTape(g, params)
		must(r.t, err)
		r.t.Cleanup(m.Close)
		r.o.Replicas = append(r.o.Replicas, Replica{
			Params: params, MachineFor: always(m), BeforeBatch: func(n int) { g.Dropout.Step = uint64(n) },
		})
	}
	return r
}

// withReplica gives the run one more worker, and returns its machine.
func (r *toyRun) withReplica() *toyMachine {
	params := r.params.Replica()
	m := &toyMachine{params: params}
	r.o.Replicas = []Replica{{Params: params, MachineFor: always(m), BeforeBatch: func(n int) { m.batches = n }}}
	return m
}

func TestWorkersDoNotShowInTheResult(t *testing.T) {
	for _, accumulate := range []int{4, 12} {
		cfg := netConfig()
		cfg.Batch, cfg.Accumulate, cfg.Iterations = 8, accumulate, 5
		if cfg.BNRecompute = 40; accumulate == 12 {
			cfg.BNRecompute, cfg.EMA = 0, EMA{Decay: 0.5, Every: 1}
		}
		ev := eval.Config{Every: 2}
		whole := newNet(t, cfg, ev, t.TempDir(), 1)
		_, err := Run(t.Context(), whole.o)
		must(t, err)
		for _, n := range []int{2, 4} {
			r := newNet(t, cfg, ev, t.TempDir(), 1).withWorkers(n)
			_, err := Run(t.Context(), r.o)
			must(t, err)
			sameCheckpoints(t, whole.store, r.store)
			if got, want := readFile(t, r.o.Dir, MetricsFile), readFile(t, whole.o.Dir, MetricsFile); got != want {
				t.Errorf("%d micro-batches, %d workers: metrics.csv is\n%s\nwant\n%s", accumulate, n, got, want)
			}
			// Stopped and resumed with another number.
			dir := t.TempDir()
			first := newNet(t, cfg, ev, dir, 1).withWorkers(n)
			first.stopAt(3)
			if _, err := Run(t.Context(), first.o); !errors.Is(err, ErrStopped) {
				t.Fatal(err)
			}
			second := newNet(t, cfg, ev, dir, 1).withWorkers(4 / n)
			second.resumeFrom(first.store, first.store.last())
			_, err = Run(t.Context(), second.o)
			must(t, err)
			sameCheckpoints(t, whole.store, second.store)
		}
	}
}

func TestWorkersAreAPowerOfTwoThatDividesTheUpdate(t *testing.T) {
	for _, c := range []struct {
		workers, accumulate int
		fit                 string // "" means that they do
	}{{1, 1, ""}, {1, 7, ""}, {2, 6, ""}, {4, 12, ""}, {8, 8, ""}, {0, 8, "1, 2, 4, 8 can"}, {3, 6, "1, 2 can"}, {8, 12, "1, 2, 4 can"}, {2, 1, ": 1 can"}, {-2, 4, "1, 2, 4 can"}} {
		err := CheckWorkers(c.workers, c.accumulate)
		if (c.fit == "") != (err == nil) || err != nil && !strings.HasSuffix(err.Error(), c.fit) {
			t.Errorf("%d workers, %d micro-batches: %v", c.workers, c.accumulate, err)
		}
	}
	r := newNet(t, netConfig(), eval.Config{}, "", 1).withWorkers(2)
	if _, err := Run(t.Context(), r.o); err == nil || !strings.Contains(err.Error(), "train.accumulate") {
		t.Error(err)
	}
}

// TestTheFirstFaultOfTheUpdateIsTold: whichever worker meets one first, the one of the lower
// micro-batch is reported, and the update leaves nothing behind.
func TestTheFirstFaultOfTheUpdateIsTold(t *testing.T) {
	for _, policy := range []string{NonfiniteStop, NonfiniteSkip} {
		var want string
		var saved []byte
		for _, workers := range []int{1, 2} {
			cfg := toyConfig()
			cfg.Accumulate, cfg.Iterations, cfg.OnNonfinite = 4, 6, policy
			r := newToy(t, cfg, eval.Config{Every: 2}, "")
			machines := []*toyMachine{r.machine}
			if workers == 2 {
				machines = append(machines, r.withReplica())
			}
			for _, m := range machines {
				m.fault = func(batches int, m *toyMachine, res *graph.Result) {
					if batches == 9 || batches == 11 {
						res.Loss /= 0 * res.Loss
						m.layer = fmt.Sprint("layer", batches)
					}
				}
			}
			_, err := r.run()
			var e *NonFiniteError
			if policy == NonfiniteStop && (!errors.As(err, &e) || e.Layer != "layer9") {
				t.Fatalf("%d workers: %v", workers, err)
			}
			if policy == NonfiniteStop {
				err = nil
			}
			must(t, err)
			text := fmt.Sprint(r.msgs)
			if workers == 1 {
				want, saved = text, r.store.saved[r.store.last()]
			} else if text != want || string(saved) != string(r.store.saved[r.store.last()]) {
				t.Errorf("%s with 2 workers: %s, want %s; or another checkpoint", policy, text, want)
			}
		}
	}
}

// TestTheWaitForStatisticsIsThatOfTheirOnlyWorker: the others do not make it shorter.
func TestTheWaitForStatisticsIsThatOfTheirOnlyWorker(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate, cfg.Iterations, cfg.BNRecompute = 2, 3, 9 // 9 images are 3 batches of 4
	r := newToy(t, cfg, eval.Config{}, "")
	r.withReplica()
	var clock atomic.Int64
	r.o.Now = func() time.Time { return time.Unix(clock.Load(), 0) }
	open, opened := r.o.Loader, 0
	r.o.Loader = func(ctx ctxType, e, b int, s datasets.Share) (Loader, error) {
		if !s.Whole() {
			return open(ctx, e, b, s)
		}
		opened = int(r.open.Load()) // besides this one
		return failingLoader(open, func() error { clock.Add(5); return nil })(ctx, e, b, s)
	}
	s, err := r.run()
	must(t, err)
	if s.LoaderWait != 15*time.Second || opened != 0 {
		t.Errorf("waited %v for 3 batches of 5 s, with %d other loaders open", s.LoaderWait, opened)
	}
}

func TestLoadersAreClosedWhereOneDoesNotOpen(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate = 2
	r := newToy(t, cfg, eval.Config{}, "")
	r.withReplica()
	gone := errors.New("the disk is gone")
	open := r.o.Loader
	r.o.Loader = func(ctx ctxType, e, b int, s datasets.Share) (Loader, error) {
		if s.First == 1 {
			return nil, gone
		}
		return open(ctx, e, b, s)
	}
	if _, err := FindRate(t.Context(), r.o, DefaultRateSearch()); !errors.Is(err, gone) || r.open.Load() != 0 {
		t.Errorf("%v, %d loaders are open", err, r.open.Load())
	}
}
