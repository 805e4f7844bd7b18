package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/train/collective"
)

// runRanks runs a training on n ranks, each made by start, and returns the errors of all.
func runRanks(t *testing.T, n int, start func(rank int) *Options) []error {
	t.Helper()
	errs := make([]error, n)
	var group sync.WaitGroup
	for rank, g := range collective.NewLocal(n) {
		o := start(rank)
		o.Ranks = Ranks{Group: g, Host: fmt.Sprint("node", rank), Wire: collective.Float32, Bucket: 16, Code: func(error) int { return 65 }}
		if rank > 0 {
			o.Dir, o.Hooks, o.Store = "", Hooks{}, &memStore{onSave: func(int) error { return errors.New("only rank 0 saves") }}
		}
		group.Go(func() {
			if _, errs[rank] = Run(t.Context(), *o); errs[rank] != nil && !errors.As(errs[rank], new(*collective.RankError)) &&
				!errors.Is(errs[rank], ErrStopped) && !errors.Is(errs[rank], ErrNonFinite) {
				g.Abort(1)
			}
		})
	}
	group.Wait()
	return errs
}

func TestRanksDoNotShowInTheResult(t *testing.T) {
	cfg := netConfig()
	cfg.Batch, cfg.Accumulate, cfg.Iterations = 8, 12, 5
	ev := eval.Config{Every: 2}
	whole := newNet(t, cfg, ev, t.TempDir(), 1)
	_, err := Run(t.Context(), whole.o)
	must(t, err)
	for _, c := range []struct{ ranks, workers int }{{1, 1}, {2, 1}, {4, 1}, {2, 2}, {1, 4}} {
		var zero *netRun
		// Stopped by one rank, and gone on with; each rank has its own copy of everything.
		var store *memStore
		dir := t.TempDir()
		for part := range 2 {
			control := NewControl()
			errs := runRanks(t, c.ranks, func(rank int) *Options {
				r := newNet(t, cfg, ev, dir, 1).withWorkers(c.workers)
				if part == 1 {
					r.resumeFrom(store, store.last())
				} else if rank == c.ranks-1 {
					r.o.Control = control
				}
				if rank == 0 {
					zero = r
					if part == 0 {
						r.o.Hooks.OnStep = func(p Progress) {
							if p.Step == 3 {
								control.Stop()
							}
						}
					}
				}
				return &r.o
			})
			for rank, err := range errs {
				if part == 0 && !errors.Is(err, ErrStopped) || part == 1 && err != nil {
					t.Fatalf("rank %d of %d: %v", rank, c.ranks, err)
				}
			}
			store = zero.store
		}
		sameCheckpoints(t, whole.store, store)
		if got, want := readFile(t, dir, MetricsFile), readFile(t, whole.o.Dir, MetricsFile); got != want {
			t.Errorf("%+v: metrics.csv is\n%s\nwant\n%s", c, got, want)
		}
	}
}

// toyRanks are the options of a toy run's ranks; change may alter them.
func toyRanks(t *testing.T, cfg Config, ev eval.Config, store **memStore, change func(rank int, r *toyRun)) func(int) *Options {
	return func(rank int) *Options {
		r := newToy(t, cfg, ev, "")
		if rank == 0 {
			*store = r.store
		}
		change(rank, r)
		return &r.o
	}
}

func TestAnErrorOfOneRankIsThatOfAll(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate, cfg.Iterations = 4, 6
	bad := errors.New("cifar10: record 7: label 99")
	for _, guilty := range []int{0, 3} {
		var store *memStore
		errs := runRanks(t, 4, toyRanks(t, cfg, eval.Config{}, &store, func(rank int, r *toyRun) {
			if rank == guilty {
				n := 0
				r.o.Loader = failingLoader(r.o.Loader, func() error {
					if n++; n > 2 {
						return bad
					}
					return nil
				})
			}
		}))
		for rank, err := range errs {
			var e *collective.RankError
			if !errors.As(err, &e) || e.Code != 65 || errors.Is(err, bad) != (rank == guilty) ||
				!strings.HasPrefix(err.Error(), fmt.Sprintf("rank %d of 4 on node%d: training batch", guilty, guilty)) {
				t.Errorf("rank %d: %v", rank, err)
			}
		}
		if store.last() != 2 { // what was complete is saved
			t.Errorf("the last checkpoint is of step %d", store.last())
		}
	}
}

// TestAnErrorBetweenUpdatesOfOneRankIsThatOfAll: batches are opened anew after an update that is
// skipped, and for the statistics at the end.
func TestAnErrorBetweenUpdatesOfOneRankIsThatOfAll(t *testing.T) {
	gone := errors.New("the disk is gone")
	cfg := toyConfig()
	cfg.Accumulate, cfg.Iterations, cfg.OnNonfinite, cfg.BNRecompute = 4, 6, NonfiniteSkip, 9
	for _, skips := range []bool{true, false} {
		var store *memStore
		errs := runRanks(t, 4, toyRanks(t, cfg, eval.Config{}, &store, func(rank int, r *toyRun) {
			r.machine.fault = func(batches int, _ *toyMachine, res *graph.Result) {
				if skips && batches == 8 {
					res.Loss /= 0 * res.Loss
				}
			}
			open, n := r.o.Loader, 0
			r.o.Loader = func(ctx ctxType, e, b int, s datasets.Share) (Loader, error) {
				if n++; rank == 2 && n == 2 {
					return nil, gone
				}
				return open(ctx, e, b, s)
			}
		}))
		for rank, err := range errs {
			var e *collective.RankError
			if !errors.As(err, &e) || e.Code != 65 || errors.Is(err, gone) != (rank == 2) || err.Error() != "rank 2 of 4 on node2: training batches: the disk is gone" {
				t.Errorf("skips %v, rank %d: %v", skips, rank, err)
			}
		}
		if !skips && store.last() != cfg.Iterations {
			t.Errorf("the last checkpoint is of step %d, want %d", store.last(), cfg.Iterations)
		}
	}
}

func TestALossThatIsNotFiniteOnOneRankIsThatOfAll(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate, cfg.Iterations = 4, 6
	faulty := func(rank int, r *toyRun) {
		r.machine.fault = func(batches int, m *toyMachine, res *graph.Result) {
			if batches == 9 || batches == 10 { // of ranks 1 and 2
				res.Loss /= 0 * res.Loss
				m.layer = fmt.Sprint("layer", batches)
			}
		}
	}
	var store *memStore
	for rank, err := range runRanks(t, 4, toyRanks(t, cfg, eval.Config{}, &store, faulty)) {
		var e *NonFiniteError
		if !errors.As(err, &e) || e.Layer != "layer9" || e.Step != 2 {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	cfg.OnNonfinite = NonfiniteSkip
	alone := newToy(t, cfg, eval.Config{}, "")
	faulty(0, alone)
	_, err := alone.run()
	must(t, err)
	for rank, err := range runRanks(t, 4, toyRanks(t, cfg, eval.Config{}, &store, faulty)) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	sameCheckpoints(t, alone.store, store)
}

func TestAFullDiskOfRankZeroEndsAll(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate, cfg.Iterations, cfg.Checkpoint.Every = 2, 6, 2
	full := errors.New("no space left on device")
	for _, policy := range []string{SaveErrorStop, SaveErrorContinue} {
		cfg.OnSaveError = policy
		var store *memStore
		for rank, err := range runRanks(t, 2, toyRanks(t, cfg, eval.Config{}, &store, func(rank int, r *toyRun) {
			r.store.onSave = func(step int) error {
				if step == 2 {
					return full
				}
				return nil
			}
		})) {
			stops := policy == SaveErrorStop
			if (err != nil) != stops || stops && (!strings.Contains(err.Error(), "checkpoint at step 2: rank 0 of 2 on node0: no space left") || errors.Is(err, full) != (rank == 0)) {
				t.Errorf("%s, rank %d: %v", policy, rank, err)
			}
		}
		if policy == SaveErrorContinue && store.last() != 6 {
			t.Errorf("the last checkpoint is of step %d", store.last())
		}
	}
}

func TestARequestOfAnyRankIsObeyedByAllAtOnce(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate, cfg.Iterations = 4, 8
	var store *memStore
	runs := make([]*toyRun, 4)
	ask := func(rank, batches int, what func(*Control)) func(int, *toyRun) {
		return func(own int, r *toyRun) {
			runs[own] = r
			if own == rank {
				r.o.BeforeBatch = func(n int) {
					if n == batches {
						what(r.o.Control)
					}
				}
			}
		}
	}
	errs := runRanks(t, 4, toyRanks(t, cfg, eval.Config{}, &store, ask(2, 3*4+2, (*Control).SaveNow)))
	if err := errors.Join(errs...); err != nil || fmt.Sprint(store.order) != "[4 8]" {
		t.Errorf("%v; saved %v", err, store.order)
	}
	for rank, err := range runRanks(t, 4, toyRanks(t, cfg, eval.Config{}, &store, ask(3, 4*4+3, (*Control).Stop))) {
		if !errors.Is(err, ErrStopped) || store.last() != 5 || runs[rank].machine.calls != 5 {
			t.Errorf("rank %d: %v after %d batches, saved %v", rank, err, runs[rank].machine.calls, store.order)
		}
	}
}

func TestARankTakesItsOwnBatchesAlone(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate, cfg.Iterations = 4, 3
	var store *memStore
	taken := make([]map[datasets.Share]bool, 2)
	errs := runRanks(t, 2, toyRanks(t, cfg, eval.Config{}, &store, func(rank int, r *toyRun) {
		taken[rank] = map[datasets.Share]bool{}
		open := r.o.Loader
		r.o.Loader = func(ctx ctxType, e, b int, s datasets.Share) (Loader, error) {
			taken[rank][s] = true
			return open(ctx, e, b, s)
		}
	}))
	must(t, errors.Join(errs...))
	for rank, shares := range taken {
		if want := (datasets.Share{First: 2 * rank, Count: 2, Of: 4}); len(shares) != 1 || !shares[want] {
			t.Errorf("rank %d: %v", rank, shares)
		}
	}
}

// TestTimingSaysHowLongUpdatesWaitForOthers, and a run of a former version keeps its columns.
func TestTimingSaysHowLongUpdatesWaitForOthers(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate, cfg.Iterations = 2, 4
	for _, before := range []string{"", formerTimingHeader + "\n"} {
		dir := t.TempDir()
		if before != "" {
			must(t, os.WriteFile(filepath.Join(dir, TimingFile), []byte(before), 0o644))
		}
		var store *memStore
		errs := runRanks(t, 2, toyRanks(t, cfg, eval.Config{Every: 2}, &store, func(rank int, r *toyRun) {
			r.o.Dir = dir
			if rank == 1 {
				r.o.BeforeBatch = func(int) { time.Sleep(20 * time.Millisecond) }
			}
		}))
		must(t, errors.Join(errs...))
		lines := strings.Split(strings.TrimSpace(readFile(t, dir, TimingFile)), "\n")
		columns := strings.Count(lines[0], ",") + 1
		if want := map[string]int{"": 5}[before]; len(lines) != 3 || columns != max(want, 4) {
			t.Fatalf("%q", lines)
		}
		for _, line := range lines[1:] {
			fields := strings.Split(line, ",")
			if len(fields) != columns {
				t.Errorf("%q", line)
			}
			if columns == 5 {
				if ms, err := strconv.ParseFloat(fields[4], 64); err != nil || ms < 10 || ms > 1000 {
					t.Errorf("an update waited %v ms (%v) for one that takes 20 longer", ms, err)
				}
			}
		}
	}
}
