package train

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"resnet/internal/eval"
	"resnet/internal/graph"
)

type resumeCase struct {
	name  string
	cfg   func(*Config)
	eval  eval.Config
	noVal bool
	fault func(batches int, m *toyMachine, res *graph.Result)
}

// resumeCases have, together, everything that a state must remember. 22 images in batches of 4 are
// 5 batches an epoch.
var resumeCases = []resumeCase{
	{name: "drops inside and at the end of an epoch", eval: eval.Config{Every: 4}, cfg: func(c *Config) {
		c.Schedule.Drop.At = []int{7, 10, 15, 900}
	}},
	{name: "epochs", eval: eval.Config{EveryEpochs: 1}, cfg: func(c *Config) {
		c.Iterations, c.Epochs = 0, 4
		c.Schedule.Drop.AtEpochs = []int{2, 3}
		c.Optimizer.Nesterov = true
		c.Checkpoint.Every = 3
	}},
	{name: "accumulation over epoch ends", eval: eval.Config{EveryEpochs: 2, TrainSet: true}, cfg: func(c *Config) {
		c.Accumulate, c.Iterations = 3, 11
		c.Checkpoint.Every = 2
		c.Schedule.Cosine.Enabled = true
	}},
	{name: "warm-up", eval: eval.Config{Every: 3}, cfg: func(c *Config) {
		c.Schedule.Warmup = Warmup{Rate: 0.005, Until: Until{TrainErrorBelow: 60, Window: 4}}
	}},
	{name: "plateau on the training error, statistics recomputed", eval: eval.Config{Every: 2}, noVal: true, cfg: func(c *Config) {
		c.Schedule.Plateau = Plateau{Factor: 0.5, Patience: 1, Threshold: 2}
		c.BNRecompute = 10
	}},
	{name: "skipped updates", eval: eval.Config{Every: 4}, cfg: func(c *Config) {
		c.OnNonfinite, c.Accumulate = NonfiniteSkip, 2
	}, fault: func(batches int, _ *toyMachine, res *graph.Result) {
		if batches == 13 || batches == 14 || batches == 22 {
			res.Loss = math.NaN()
		}
	}},
	{name: "Adam with clipped gradients", eval: eval.Config{Every: 4}, cfg: func(c *Config) {
		c.Optimizer = Optimizer{Name: OptimizerAdam, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decay: DecayAll}
		c.ClipNorm = 0.3
	}},
	{name: "AdamW with a moving average", eval: eval.Config{Every: 4}, cfg: func(c *Config) {
		c.Optimizer = Optimizer{Name: OptimizerAdamW, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.1, Decay: DecayAll}
		c.EMA = EMA{Decay: 0.8, Every: 3}
		c.OnNonfinite = NonfiniteRollback
		c.Schedule.Warmup = Warmup{Linear: true, Iterations: 6}
		c.Schedule.Cosine.Enabled = true
	}},
	{name: "LAMB with a moving average", eval: eval.Config{Every: 5}, noVal: true, cfg: func(c *Config) {
		c.Optimizer = Optimizer{Name: OptimizerLAMB, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-6, WeightDecay: 0.1, Decay: DecayWeights}
		c.EMA, c.Accumulate, c.Iterations = EMA{Decay: 0.9, Every: 1}, 2, 12
		c.Schedule.Warmup = Warmup{Linear: true, Rate: 0.01, Epochs: 2}
	}},
	{name: "LARS", eval: eval.Config{Every: 4}, cfg: func(c *Config) {
		c.Optimizer = Optimizer{Name: OptimizerLARS, Momentum: 0.9, Trust: 0.02, Epsilon: 1e-8, WeightDecay: 0.1, Decay: DecayWeights}
	}},
	{name: "no momentum, evaluated at the end only", cfg: func(c *Config) {
		c.Optimizer.Momentum, c.Iterations = 0, 8
		c.Checkpoint.Every = 5
	}},
}

func (c resumeCase) start(t *testing.T, dir string) *toyRun {
	t.Helper()
	cfg := toyConfig()
	c.cfg(&cfg)
	r := newToy(t, cfg, c.eval, dir)
	r.val = !c.noVal
	r.machine.fault = c.fault
	return r
}

func TestStoppingAtAnyStepAndResumingChangesNoBit(t *testing.T) {
	for _, c := range resumeCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // mostly waits for the disk
			whole, dir := c.start(t, t.TempDir()), ""
			dir = whole.o.Dir
			_, err := whole.run()
			must(t, err)
			want := readFile(t, dir, MetricsFile)
			for k := range whole.o.Plan.Iterations {
				dir := t.TempDir()
				first := c.start(t, dir).stopAt(k)
				if _, err := first.run(); !errors.Is(err, ErrStopped) && c.fault == nil {
					t.Fatalf("stop at %d: %v", k, err)
				}
				second := c.start(t, dir).resumeFrom(first.store, first.store.last())
				if _, err := second.run(); err != nil {
					t.Fatalf("resume at %d: %v", k, err)
				}
				if first.store.last() == whole.store.last() {
					continue // the step was skipped, so nothing stopped it
				}
				sameCheckpoints(t, whole.store, first.store.until(k, whole.store))
				sameCheckpoints(t, whole.store, second.store)
				if got := readFile(t, dir, MetricsFile); got != want {
					t.Fatalf("stopped at %d, metrics.csv is\n%s\nwant\n%s", k, got, want)
				}
			}
		})
	}
}

// until is the store with the last step of another, so that sameCheckpoints compares what was saved
// before.
func (s *memStore) until(k int, whole *memStore) *memStore {
	c := &memStore{saved: map[int][]byte{}, snaps: whole.snaps, order: []int{whole.last()}}
	for step, b := range s.saved {
		if step < k {
			c.saved[step] = b
		}
	}
	return c
}

func TestStoppingInsideAnythingAndResumingChangesNoBit(t *testing.T) {
	c := resumeCase{eval: eval.Config{Every: 4}, cfg: func(c *Config) {
		c.Accumulate, c.BNRecompute, c.Checkpoint.Every = 2, 12, 3
		c.Schedule.Warmup = Warmup{Rate: 0.005, Until: Until{TrainErrorBelow: 60, Window: 4}}
	}}
	whole := c.start(t, t.TempDir())
	var nexts, evals, saves int
	whole.onNext = func() { nexts++ }
	whole.onEval = func() { evals++ }
	whole.store.onSave = func(int) error { saves++; return nil }
	_, err := whole.run()
	must(t, err)
	want := readFile(t, whole.o.Dir, MetricsFile)
	if nexts != 2*23+3 || evals != 6 || saves < 8 {
		t.Fatalf("%d batches, %d evaluations, %d saves: the case does not cover what it should", nexts, evals, saves)
	}
	// A stop that comes in the n-th call of each kind, and one more in the resumed run.
	places := []struct {
		name string
		n    int
		hook func(r *toyRun, f func())
	}{
		{"decode", nexts, func(r *toyRun, f func()) { r.onNext = f }},
		{"evaluation", evals, func(r *toyRun, f func()) { r.onEval = f }},
		{"save", saves, func(r *toyRun, f func()) { r.store.onSave = func(int) error { f(); return nil } }},
	}
	for _, p := range places {
		for n := range p.n {
			dir := t.TempDir()
			var store *memStore
			for tries := 0; ; tries++ {
				if tries == 4 {
					t.Fatalf("%s %d: still not finished", p.name, n)
				}
				r := c.start(t, dir)
				if store != nil {
					r.resumeFrom(store, store.last())
				}
				calls := 0
				if tries < 2 {
					p.hook(r, func() {
						if calls == n || tries == 1 && calls == 0 {
							r.o.Control.Stop()
						}
						calls++
					})
				}
				s, err := r.run()
				if len(r.store.order) > 0 {
					store = r.store
				}
				if err == nil {
					if !s.State.Finished {
						t.Fatalf("%s %d: ended without finishing", p.name, n)
					}
					break
				}
				if !errors.Is(err, ErrStopped) {
					t.Fatalf("%s %d: %v", p.name, n, err)
				}
			}
			sameCheckpoints(t, whole.store, store)
			if got := readFile(t, dir, MetricsFile); got != want {
				t.Fatalf("stopped in %s %d, metrics.csv is\n%s\nwant\n%s", p.name, n, got, want)
			}
		}
	}
}

func TestAKilledRunResumesFromItsLastCheckpoint(t *testing.T) {
	for _, c := range resumeCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			whole := c.start(t, t.TempDir())
			_, err := whole.run()
			must(t, err)
			want := readFile(t, whole.o.Dir, MetricsFile)
			for k := 1; k < whole.o.Plan.Iterations; k += 2 {
				dir := t.TempDir()
				first := c.start(t, dir)
				ctx, kill := context.WithCancel(t.Context())
				first.o.Hooks.OnStep = func(p Progress) {
					if p.Step >= k {
						kill()
					}
				}
				if _, err := Run(ctx, first.o); !errors.Is(err, context.Canceled) {
					t.Fatalf("killed at %d: %v", k, err)
				}
				second := c.start(t, dir)
				if len(first.store.order) > 0 {
					second.resumeFrom(first.store, first.store.last())
				}
				_, err := second.run()
				must(t, err)
				sameCheckpoints(t, whole.store, second.store)
				if got := readFile(t, dir, MetricsFile); got != want {
					t.Fatalf("killed at %d, metrics.csv is\n%s\nwant\n%s", k, got, want)
				}
			}
		})
	}
}

func TestResumingAFinishedRunDoesNothing(t *testing.T) {
	a := newToy(t, toyConfig(), eval.Config{}, "")
	_, err := a.run()
	must(t, err)
	b := newToy(t, toyConfig(), eval.Config{}, "").resumeFrom(a.store, 23)
	s, err := b.run()
	must(t, err)
	if !s.AlreadyFinished || b.machine.calls != 0 || len(b.store.order) != 0 {
		t.Errorf("already finished %v, %d batches, saves %v", s.AlreadyFinished, b.machine.calls, b.store.order)
	}
}

func TestALongerPlanGoesOnFromAFinishedRun(t *testing.T) {
	a := newToy(t, toyConfig(), eval.Config{Every: 5}, "")
	_, err := a.run()
	must(t, err)
	cfg := toyConfig()
	cfg.Iterations = 30
	b := newToy(t, cfg, eval.Config{Every: 5}, "").resumeFrom(a.store, 23)
	s, err := b.run()
	must(t, err)
	if s.State.Step != 30 || !s.State.Finished || b.machine.calls != 7 {
		t.Errorf("step %d, finished %v, %d batches", s.State.Step, s.State.Finished, b.machine.calls)
	}
}

func TestResumeRefusesAStateThatDoesNotFit(t *testing.T) {
	a := newToy(t, toyConfig(), eval.Config{}, "")
	_, err := a.stopAt(3).run()
	if !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		edit func(*Config, *Resume)
		want string
	}{
		{"another accumulation", func(c *Config, _ *Resume) { c.Accumulate = 2 }, "train.accumulate is 2"},
		{"momentum is missing", func(_ *Config, r *Resume) { r.Momentum = r.Momentum[1:] }, "no tensor momentum.fc.weight"},
		{"momentum of another shape", func(_ *Config, r *Resume) { r.Momentum[0].Data = r.Momentum[0].Data[1:] }, "has 17 values, the model needs 18"},
		{"momentum of nothing", func(_ *Config, r *Resume) { r.Momentum = append(r.Momentum, Tensor{Name: "momentum.x"}) }, "momentum.x belongs to no parameter"},
	} {
		cfg := toyConfig()
		b := newToy(t, cfg, eval.Config{}, "").resumeFrom(a.store, 3)
		c.edit(&cfg, b.o.Resume)
		b.o.Plan.Config = cfg
		if _, err := b.run(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAStateOfANewerFormatIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"format":2}`:                        "newer resnet",
		`{"format":1,"step":3,"evaluated":9}`: "damaged",
		`{`:                                   "training state",
	} {
		if _, err := ParseState([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
