package train

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// faultAt makes a batch go wrong, every time that it is trained.
func faultAt(batch int, f func(m *toyMachine, res *graph.Result)) func(int, *toyMachine, *graph.Result) {
	return func(n int, m *toyMachine, res *graph.Result) {
		if n == batch {
			f(m, res)
		}
	}
}

func TestALossOrGradientThatIsNotFiniteStopsBeforeTheUpdate(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		name  string
		fault func(m *toyMachine, res *graph.Result)
		what  string
		layer string
	}{
		{"loss", func(_ *toyMachine, r *graph.Result) { r.Loss = math.NaN() }, "loss", ""},
		{"loss in a known layer", func(m *toyMachine, r *graph.Result) { r.Loss, m.layer = math.Inf(1), "layer2.0.bn1" }, "loss", "layer2.0.bn1"},
		{"gradient", func(m *toyMachine, _ *graph.Result) { m.params.Get("fc.bias").Grad[2] = inf }, "gradient", "fc.bias"},
		{"gradient and layer", func(m *toyMachine, _ *graph.Result) {
			m.params.Get("fc.bias").Grad[2], m.layer = -inf, "fc"
		}, "gradient", "fc"},
		{"variance", func(m *toyMachine, _ *graph.Result) { m.params.Get("bn.running_var").Data[0] = inf }, "batch-norm statistics", "bn.running_var"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newToy(t, toyConfig(), eval.Config{Every: 5}, "")
			r.machine.fault = faultAt(13, c.fault)
			var before []float32
			r.o.Hooks.OnStep = func(p Progress) {
				if p.Step == 13 {
					before = append([]float32(nil), r.params.Get("fc.weight").Data...)
				}
			}
			_, err := r.run()
			var e *NonFiniteError
			if !errors.Is(err, ErrNonFinite) || !errors.As(err, &e) {
				t.Fatal(err)
			}
			if e.Step != 13 || e.What != c.what || e.Layer != c.layer || e.Rate != 0.05 {
				t.Errorf("%+v", e)
			}
			for _, want := range []string{"update 14", c.what, c.layer, "rate 0.05", "warmup"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if r.store.last() != 10 {
				t.Errorf("the last checkpoint is of step %d: what came after 10 must not be saved", r.store.last())
			}
			for i, w := range r.params.Get("fc.weight").Data {
				if w != before[i] {
					t.Fatal("the update was applied")
				}
			}
			if badValue(r.params, false) != nil {
				t.Error("the running statistics were left as the bad batch made them")
			}
		})
	}
}

func TestWeightsThatOverflowAreNeverSaved(t *testing.T) {
	cfg := toyConfig()
	cfg.Checkpoint.Every, cfg.Optimizer.Momentum = 1, 0
	r := newToy(t, cfg, eval.Config{}, "")
	// A finite gradient whose product with the rate overflows: no loss shows it before the
	// checkpoint.
	cfg.Schedule.Rate = 30
	r.o.Plan.Config.Schedule.Rate = 30
	r.machine.fault = faultAt(6, func(m *toyMachine, _ *graph.Result) { m.params.Get("fc.weight").Grad[0] = 3e38 })
	_, err := r.run()
	var e *NonFiniteError
	if !errors.As(err, &e) || e.What != "weights" || e.Layer != "fc.weight" || e.Step != 6 {
		t.Fatal(err)
	}
	if r.store.last() != 6 {
		t.Errorf("the last checkpoint is of step %d", r.store.last())
	}
}

func TestABatchOfOneWithOneValuePerChannelIsExplained(t *testing.T) {
	cfg := toyConfig()
	cfg.Batch, cfg.OnNonfinite = 1, NonfiniteSkip // with one image, the unbiased variance is 0/0
	r := newToy(t, cfg, eval.Config{}, "")
	_, err := r.run()
	if !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "bn.running_var") || !strings.Contains(err.Error(), "raise train.batch") {
		t.Error(err)
	}
}

func TestSkippedUpdatesChangeNothingAndAreBounded(t *testing.T) {
	cfg := toyConfig()
	cfg.OnNonfinite, cfg.Iterations = NonfiniteSkip, 40
	r := newToy(t, cfg, eval.Config{}, "")
	r.machine.fault = func(n int, m *toyMachine, res *graph.Result) {
		if n == 3 || n >= 10 && n < 10+maxSkipsInRow {
			m.params.Get("fc.weight").Grad[0] = float32(math.NaN())
		}
	}
	s, err := r.run()
	must(t, err)
	if s.State.Skipped != 1+maxSkipsInRow || s.State.Step != 40 || s.State.Batches != 40 || len(r.msgs) != 1+maxSkipsInRow {
		t.Errorf("skipped %d, step %d, batches %d, %d messages", s.State.Skipped, s.State.Step, s.State.Batches, len(r.msgs))
	}
	r = newToy(t, cfg, eval.Config{}, "")
	r.machine.fault = func(n int, _ *toyMachine, res *graph.Result) {
		if n >= 10 {
			res.Loss = math.NaN()
		}
	}
	if _, err = r.run(); !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "20 updates in a row") {
		t.Error(err)
	}
}

func TestARollbackGoesBackToTheCheckpointWithHalfTheRate(t *testing.T) {
	cfg := toyConfig()
	cfg.OnNonfinite, cfg.Checkpoint.Every = NonfiniteRollback, 5
	r := newToy(t, cfg, eval.Config{Every: 4}, t.TempDir())
	r.val = false // so that no new best model is saved between
	bad := true
	r.machine.fault = faultAt(14, func(_ *toyMachine, res *graph.Result) {
		if bad {
			res.Loss = math.NaN()
		}
		bad = false
	})
	var steps []string
	r.o.Hooks.OnStep = func(p Progress) { steps = append(steps, fmt.Sprintf("%d:%v", p.Step, p.Rate)) }
	s, err := r.run()
	must(t, err)
	if s.State.Rollbacks != 1 || s.State.Schedule.Halvings != 1 || s.State.Step != 23 {
		t.Errorf("%+v", s.State)
	}
	if got := strings.Join(steps, " "); !strings.Contains(got, "14:0.05 11:0.025 12:0.025") {
		t.Errorf("steps %s", got)
	}
	lines := strings.Split(strings.TrimSpace(readFile(t, r.o.Dir, MetricsFile)), "\n")
	if len(lines) != 1+6 {
		t.Errorf("metrics.csv has rows that were rolled back:\n%s", strings.Join(lines, "\n"))
	}
	// The same run, uninterrupted, with half the rate from that step on gives the same weights:
	// nothing of the bad stretch is left.
	half := newToy(t, cfg, eval.Config{Every: 4}, "").resumeFrom(r.store, 10)
	half.val = false
	half.o.Resume.State.Schedule.Halvings, half.o.Resume.State.Rollbacks = 1, 1
	_, err = half.run()
	must(t, err)
	sameCheckpoints(t, half.store, r.store.until(0, half.store).with(23, r.store))
}

func (s *memStore) with(step int, from *memStore) *memStore {
	s.saved[step] = from.saved[step]
	s.snaps = from.snaps
	return s
}

func TestRollbacksAreBounded(t *testing.T) {
	cfg := toyConfig()
	cfg.OnNonfinite = NonfiniteRollback
	r := newToy(t, cfg, eval.Config{Every: 4}, "")
	// Before any checkpoint.
	r.machine.fault = faultAt(2, func(_ *toyMachine, res *graph.Result) { res.Loss = math.Inf(1) })
	_, err := r.run()
	if !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "5 rollbacks did not help") {
		t.Error(err)
	}
	if r.machine.calls != 3*(maxRollbacks+1) {
		t.Errorf("%d batches were trained", r.machine.calls)
	}
}

func TestAFailedSaveStopsOrContinuesAsConfigured(t *testing.T) {
	full := fmt.Errorf("disk: %w", syscall.ENOSPC)
	for _, policy := range []string{SaveErrorStop, SaveErrorContinue} {
		cfg := toyConfig()
		cfg.OnSaveError = policy
		r := newToy(t, cfg, eval.Config{Every: 5}, "")
		r.val = false
		r.store.onSave = func(step int) error {
			if step == 10 || step == 15 {
				return full
			}
			return nil
		}
		s, err := r.run()
		if policy == SaveErrorStop {
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "step 10") || s.State.Step != 10 {
				t.Errorf("%v at step %d", err, s.State.Step)
			}
			continue
		}
		must(t, err)
		if len(r.msgs) != 2 || !r.msgs[0].Warning || r.msgs[0].Step != 10 || s.Saves != 3 {
			t.Errorf("%d saves, messages %v", s.Saves, r.msgs)
		}
	}
}

func TestTheLastSaveFailingIsAlwaysAnError(t *testing.T) {
	for _, at := range []int{23, 7} { // at the end, and at a stop
		cfg := toyConfig()
		cfg.OnSaveError = SaveErrorContinue
		r := newToy(t, cfg, eval.Config{}, "")
		if at == 7 {
			r.stopAt(7)
		}
		r.store.onSave = func(int) error { return syscall.EROFS }
		s, err := r.run()
		if !errors.Is(err, syscall.EROFS) || errors.Is(err, ErrStopped) || s.State.Finished {
			t.Errorf("at %d: %v, finished %v", at, err, s.State.Finished)
		}
	}
}

func TestAFailedBatchOrEvaluationLeavesACheckpointOfTheLastUpdate(t *testing.T) {
	bad := errors.New("image 7 is damaged")
	t.Run("batch", func(t *testing.T) {
		cfg := toyConfig()
		cfg.Accumulate = 3
		whole := newToy(t, cfg, eval.Config{Every: 5}, "")
		_, err := whole.run()
		must(t, err)
		r := newToy(t, cfg, eval.Config{Every: 5}, "")
		n := 0
		r.o.Loader = failingLoader(r.o.Loader, func() error {
			if n++; n == 26 { // the second batch of update 9
				return bad
			}
			return nil
		})
		if _, err := r.run(); !errors.Is(err, bad) {
			t.Fatal(err)
		}
		if r.store.last() != 8 {
			t.Fatalf("the last checkpoint is of step %d", r.store.last())
		}
		again := newToy(t, cfg, eval.Config{Every: 5}, "").resumeFrom(r.store, 8)
		_, err = again.run()
		must(t, err)
		sameCheckpoints(t, whole.store, again.store)
	})
	t.Run("evaluation", func(t *testing.T) {
		r := newToy(t, toyConfig(), eval.Config{Every: 5}, "")
		r.o.Evaluate = func(ctx ctxType) (Evaluation, error) { return Evaluation{}, bad }
		if _, err := r.run(); !errors.Is(err, bad) || !strings.Contains(err.Error(), "step 5") {
			t.Fatal(err)
		}
		if r.store.last() != 5 {
			t.Errorf("the last checkpoint is of step %d", r.store.last())
		}
	})
	t.Run("first batch", func(t *testing.T) {
		r := newToy(t, toyConfig(), eval.Config{}, "")
		r.o.Loader = failingLoader(r.o.Loader, func() error { return bad })
		if _, err := r.run(); !errors.Is(err, bad) {
			t.Fatal(err)
		}
		if len(r.store.order) != 0 {
			t.Error("a training that never began was saved")
		}
	})
}

func TestMetricsThatCannotBeWrittenCostOneWarning(t *testing.T) {
	dir := t.TempDir()
	blocker := filepath.Join(dir, MetricsFile)
	must(t, os.Mkdir(blocker, 0o755)) // opening a folder for writing fails, also for root
	r := newToy(t, toyConfig(), eval.Config{Every: 4}, dir)
	evals := 0
	r.o.Hooks.OnEval = func(Row, Progress) {
		if evals++; evals == 3 {
			must(t, os.Remove(blocker))
		}
	}
	_, err := r.run()
	must(t, err)
	if len(r.msgs) != 1 || !r.msgs[0].Warning {
		t.Errorf("messages %v", r.msgs)
	}
	whole := newToy(t, toyConfig(), eval.Config{Every: 4}, t.TempDir())
	_, err = whole.run()
	must(t, err)
	if got, want := readFile(t, dir, MetricsFile), readFile(t, whole.o.Dir, MetricsFile); got != want {
		t.Errorf("after the file could be written again it is\n%s\nwant\n%s", got, want)
	}
}

func TestAMachineThatFailsIsNamedWithItsUpdate(t *testing.T) {
	bad := errors.New("no memory for this shape")
	r := newToy(t, toyConfig(), eval.Config{Every: 5}, "")
	machine, n := r.o.Machine, 0
	r.o.MachineFor = func(*datasets.Batch) (graph.Machine, error) {
		if n++; n == 8 {
			return nil, bad
		}
		return machine, nil
	}
	if _, err := r.run(); !errors.Is(err, bad) || !strings.Contains(err.Error(), "update 8: ") {
		t.Errorf("the machine of the eighth batch is not there: %v", err)
	}
	if r.store.last() != 7 {
		t.Errorf("the last checkpoint is of step %d", r.store.last())
	}
}
