package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

type ctxType = context.Context

// openLoader is Options.Loader.
type openLoader = func(ctxType, int, int, datasets.Share) (Loader, error)

// failingLoader calls check before each batch.
func failingLoader(open openLoader, check func() error) openLoader {
	return func(ctx ctxType, epoch, batch int, s datasets.Share) (Loader, error) {
		l, err := open(ctx, epoch, batch, s)
		return &checkedLoader{l, check}, err
	}
}

type checkedLoader struct {
	Loader
	check func() error
}

func (l *checkedLoader) Next(ctx context.Context) (*datasets.Batch, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	return l.Loader.Next(ctx)
}

func TestAStopDuringTheUpdateFinishesIt(t *testing.T) {
	cfg := toyConfig()
	cfg.Accumulate = 3
	r := newToy(t, cfg, eval.Config{}, "")
	n := 0
	open := r.o.Loader
	r.o.Loader = func(ctx ctxType, e, b int, s datasets.Share) (Loader, error) {
		l, err := open(ctx, e, b, s)
		return &slowLoader{l, func(ctx ctxType) {
			if n++; n == 8 { // the second of three batches of update 3
				r.o.Control.Stop()
				select {
				case <-ctx.Done():
					t.Error("the wait for a batch of an update that has begun was ended")
				case <-time.After(50 * time.Millisecond):
				}
			}
		}}, err
	}
	s, err := r.run()
	if !errors.Is(err, ErrStopped) || s.State.Step != 3 || r.store.last() != 3 || r.machine.calls != 9 {
		t.Errorf("%v at step %d, last checkpoint %v, %d batches", err, s.State.Step, r.store.order, r.machine.calls)
	}
}

type slowLoader struct {
	Loader
	before func(ctxType)
}

func (l *slowLoader) Next(ctx context.Context) (*datasets.Batch, error) {
	l.before(ctx)
	return l.Loader.Next(ctx)
}

func TestAStopEndsAnEvaluationWhichTheResumedRunRepeats(t *testing.T) {
	dir := t.TempDir()
	whole := newToy(t, toyConfig(), eval.Config{Every: 5}, t.TempDir())
	_, err := whole.run()
	must(t, err)
	r := newToy(t, toyConfig(), eval.Config{Every: 5}, dir)
	inner, n := r.o.Evaluate, 0
	r.o.Evaluate = func(ctx ctxType) (Evaluation, error) {
		if n++; n == 2 {
			r.o.Control.Stop()
			<-ctx.Done()
			return Evaluation{}, ctx.Err()
		}
		return inner(ctx)
	}
	s, err := r.run()
	if !errors.Is(err, ErrStopped) || s.State.Step != 10 || s.State.Evaluated != 5 || r.store.last() != 10 {
		t.Fatalf("%v at step %d, evaluated %d", err, s.State.Step, s.State.Evaluated)
	}
	// The resumed run evaluates, and is killed before it saves: its row must not stay beside that
	// of the next one.
	killed := newToy(t, toyConfig(), eval.Config{Every: 5}, dir).resumeFrom(r.store, 10)
	ctx, kill := context.WithCancel(t.Context())
	killed.o.Hooks.OnEval = func(Row, Progress) { kill() }
	killed.store.onSave = func(int) error { return ctx.Err() }
	if _, err := Run(ctx, killed.o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	again := newToy(t, toyConfig(), eval.Config{Every: 5}, dir).resumeFrom(r.store, 10)
	_, err = again.run()
	must(t, err)
	sameCheckpoints(t, whole.store, again.store)
	if got, want := readFile(t, dir, MetricsFile), readFile(t, whole.o.Dir, MetricsFile); got != want {
		t.Errorf("metrics.csv is\n%s\nwant\n%s", got, want)
	}
}

func TestAccumulatedBatchesAreOneLargeBatch(t *testing.T) {
	weights := func(batch, accumulate int) []float32 {
		cfg := toyConfig()
		cfg.Batch, cfg.Accumulate, cfg.Iterations = batch, accumulate, 2
		r := newToy(t, cfg, eval.Config{}, "")
		var told []int
		r.o.BeforeBatch = func(n int) { told = append(told, n) }
		_, err := r.run()
		must(t, err)
		for i, n := range told {
			if n != i {
				t.Fatalf("batches were numbered %v", told)
			}
		}
		return r.params.Get("fc.weight").Data
	}
	got, want := weights(4, 5), weights(20, 1) // an epoch each time
	for i := range want {
		if !(math.Abs(float64(got[i]-want[i])) <= 1e-6) {
			t.Errorf("weight %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestAStopEndsAWaitForTheLoader(t *testing.T) {
	r := newToy(t, toyConfig(), eval.Config{}, "")
	r.o.Loader = failingLoader(r.o.Loader, nil)
	inner := r.o.Loader
	r.o.Loader = func(ctx ctxType, e, b int, s datasets.Share) (Loader, error) {
		l, err := inner(ctx, e, b, s)
		return &hangingLoader{l.(*checkedLoader).Loader, 5}, err
	}
	time.AfterFunc(20*time.Millisecond, r.o.Control.Stop) // from another goroutine, as a signal
	s, err := r.run()
	if !errors.Is(err, ErrStopped) || s.State.Step != 5 || r.store.last() != 5 {
		t.Errorf("%v at step %d", err, s.State.Step)
	}
	if s.LoaderWait < 10*time.Millisecond {
		t.Errorf("the wait for the loader was measured as %v", s.LoaderWait)
	}
}

// hangingLoader never gives more than n batches.
type hangingLoader struct {
	Loader
	n int
}

func (l *hangingLoader) Next(ctx context.Context) (*datasets.Batch, error) {
	if l.n--; l.n < 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return l.Loader.Next(ctx)
}

func TestAStopBeforeTheFirstStepSavesAndResumes(t *testing.T) {
	whole := newToy(t, toyConfig(), eval.Config{}, "")
	_, err := whole.run()
	must(t, err)
	r := newToy(t, toyConfig(), eval.Config{}, "").stopAt(0)
	if _, err := r.run(); !errors.Is(err, ErrStopped) || !slices.Equal(r.store.order, []int{0}) || r.machine.calls != 0 {
		t.Fatalf("%v, saved %v, %d batches", err, r.store.order, r.machine.calls)
	}
	again := newToy(t, toyConfig(), eval.Config{}, "").resumeFrom(r.store, 0)
	_, err = again.run()
	must(t, err)
	sameCheckpoints(t, whole.store, again.store)
}

func TestACancelledContextEndsAtOnceWithoutSaving(t *testing.T) {
	r := newToy(t, toyConfig(), eval.Config{}, "")
	ctx, cancel := context.WithCancel(t.Context())
	r.o.Hooks.OnStep = func(p Progress) {
		if p.Step == 6 {
			cancel()
		}
	}
	if _, err := Run(ctx, r.o); !errors.Is(err, context.Canceled) || len(r.store.order) != 0 || r.open.Load() != 0 {
		t.Errorf("%v, saved %v, %d loaders open", err, r.store.order, r.open.Load())
	}
}

func TestSaveNowSavesAndGoesOn(t *testing.T) {
	r := newToy(t, toyConfig(), eval.Config{}, "")
	r.o.Hooks.OnStep = func(p Progress) {
		if p.Step == 4 || p.Step == 9 {
			r.o.Control.SaveNow()
			r.o.Control.SaveNow() // twice within a step is once
		}
	}
	var told []int
	r.o.Hooks.OnSave = func(step int) { told = append(told, step) }
	s, err := r.run()
	must(t, err)
	if !slices.Equal(r.store.order, []int{4, 9, 23}) || !slices.Equal(told, r.store.order) || s.Saves != 3 {
		t.Errorf("saved %v, told %v", r.store.order, told)
	}
}

func TestSaveNowReachesEveryLoopThatSharesTheControl(t *testing.T) {
	control := NewControl()
	control.SaveNow() // before they run: nobody's
	var runs [2]*toyRun
	for i := range runs {
		runs[i] = newToy(t, toyConfig(), eval.Config{}, "")
		runs[i].o.Control = control
	}
	var group sync.WaitGroup
	asked, running := make(chan struct{}), make(chan struct{})
	for i, r := range runs {
		r.o.Hooks.OnStep = func(p Progress) {
			if p.Step == 1 && i == 1 {
				close(running)
			}
			if p.Step == 5 && i == 0 {
				<-running // what is asked before a loop begins is not for it
				control.SaveNow()
				close(asked)
			}
			if p.Step == 5 {
				<-asked
			}
		}
		group.Go(func() {
			if _, err := r.run(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i, r := range runs {
		if len(r.store.order) != 2 || r.store.order[0] < 1 || r.store.order[0] > 5 {
			t.Errorf("run %d saved %v, want a step up to 5 and the last", i, r.store.order)
		}
	}
}

func TestMaxTimeStopsAfterACheckpoint(t *testing.T) {
	r := newToy(t, toyConfig(), eval.Config{}, "")
	clock := time.Unix(0, 0)
	r.o.Now = func() time.Time { return clock }
	r.o.MaxTime = time.Minute
	r.o.Hooks.OnStep = func(Progress) { clock = clock.Add(9 * time.Second) }
	s, err := r.run()
	if !errors.Is(err, ErrMaxTime) || errors.Is(err, ErrStopped) || s.State.Step != 7 || r.store.last() != 7 {
		t.Errorf("%v at step %d, saved %v", err, s.State.Step, r.store.order)
	}
}

func TestAClockThatJumpsBackDoesNotDisturbTraining(t *testing.T) {
	r := newToy(t, toyConfig(), eval.Config{Every: 5}, t.TempDir())
	clock := time.Unix(1e6, 0)
	r.o.Now = func() time.Time { clock = clock.Add(-time.Hour); return clock }
	r.o.MaxTime = time.Minute
	s, err := r.run()
	must(t, err)
	if !s.State.Finished {
		t.Error("not finished")
	}
}

func TestBestIsTheFirstLowestValidationErrorNeverTheTests(t *testing.T) {
	errs := []float64{50, 30, 40, 30, 35}
	cfg := toyConfig()
	cfg.Iterations, cfg.Checkpoint.Every = 10, 10
	run := func(val bool) *toyRun {
		r := newToy(t, cfg, eval.Config{Every: 2}, "")
		n := 0
		r.o.Evaluate = func(ctxType) (Evaluation, error) {
			e := Evaluation{Test: &Metrics{Error: 100 - errs[n]}}
			if val {
				e.Val = &Metrics{Error: errs[n]}
			}
			n++
			return e, nil
		}
		_, err := r.run()
		must(t, err)
		return r
	}
	r := run(true)
	var best []int
	for _, s := range r.store.order {
		if r.store.snaps[s].best {
			best = append(best, s)
		}
	}
	// A new best is saved although checkpoints are due every 10 steps only.
	if !slices.Equal(r.store.order, []int{2, 4, 10}) || !slices.Equal(best, []int{2, 4}) {
		t.Errorf("saved %v, of these best %v", r.store.order, best)
	}
	if r = run(false); !slices.Equal(r.store.order, []int{10}) || r.store.snaps[10].best {
		t.Errorf("without a validation split: saved %v", r.store.order)
	}
}

func TestTheRowsAndProgressSayWhatHappened(t *testing.T) {
	cfg := toyConfig()
	cfg.Iterations, cfg.Accumulate = 10, 2
	cfg.Schedule.Drop.At = []int{5}
	r := newToy(t, cfg, eval.Config{Every: 5}, t.TempDir())
	clock := time.Unix(0, 0)
	r.o.Now = func() time.Time { return clock }
	r.onNext = func() { clock = clock.Add(250 * time.Millisecond) }
	var last Progress
	var sumLoss, wrong [2]float64 // of updates 1 to 5, and 6 to 10
	r.o.Hooks.OnStep = func(p Progress) {
		sumLoss[(p.Step-1)/5] += p.Loss / 5
		wrong[(p.Step-1)/5] += p.Error / 5
		last = p
	}
	var rows []Row
	r.o.Hooks.OnEval = func(row Row, _ Progress) { rows = append(rows, row) }
	s, err := r.run()
	must(t, err)
	if last.Step != 10 || last.Total != 10 || last.Epoch != 4 || last.ETA != 0 || !near(last.ImagesPerSecond, 16) ||
		last.Elapsed != 5*time.Second || last.LoaderWait != 5*time.Second || !near(s.ImagesPerSecond, 16) {
		t.Errorf("%+v, mean %v images/s", last, s.ImagesPerSecond)
	}
	if len(rows) != 2 || rows[0].Rate != 0.05 || !near(rows[1].Rate, 0.005) || rows[0].Epoch != 2 {
		t.Fatalf("rows %+v", rows)
	}
	for i, r := range rows {
		if !(math.Abs(r.Train.Loss-sumLoss[i]) <= 1e-12) || !(math.Abs(r.Train.Error-wrong[i]) <= 1e-9) {
			t.Errorf("row %d has %+v, want loss %v, error %v", i, r.Train, sumLoss[i], wrong[i])
		}
	}
	metrics := strings.Split(readFile(t, r.o.Dir, MetricsFile), "\n")
	if metrics[0] != metricsHeader || !strings.HasPrefix(metrics[1], "5,2.0000,0.05,") || !strings.HasPrefix(metrics[2], "10,4.0000,0.005,") {
		t.Errorf("%q", metrics)
	}
	timing := strings.Split(readFile(t, r.o.Dir, TimingFile), "\n")
	if timing[0] != timingHeader || !strings.HasPrefix(timing[1], "5,2.500,16.0,") || strings.HasSuffix(timing[2], ",0") {
		t.Errorf("%q", timing)
	}
}

func TestRecomputedStatisticsAreTheMeanOverTheNextBatches(t *testing.T) {
	cfg := toyConfig()
	cfg.Iterations, cfg.BNRecompute = 7, 9 // 9 images are 3 batches of 4: batches 7, 8 and 9
	r := newToy(t, cfg, eval.Config{}, "")
	_, err := r.run()
	must(t, err)
	plain := cfg
	plain.BNRecompute = 0
	p := newToy(t, plain, eval.Config{}, "")
	_, err = p.run()
	must(t, err)
	want := make([]float64, toyFeatures)
	l := &toyLoader{t: t, epoch: 1, step: 2, batch: 4}
	for range 3 {
		b, _ := l.Next(t.Context())
		for i, x := range b.X {
			want[i%toyFeatures] += float64(x) / 12
		}
	}
	got := r.store.snaps[7].params["bn.running_mean"]
	for i := range want {
		if !(math.Abs(float64(got[i])-want[i]) <= 1e-6) {
			t.Errorf("mean %d is %v, want %v", i, got[i], want[i])
		}
	}
	if !slices.Equal(r.store.snaps[7].params["fc.weight"], p.store.snaps[7].params["fc.weight"]) {
		t.Error("recomputing statistics changed the weights")
	}
	if slices.Equal(got, p.store.snaps[7].params["bn.running_mean"]) {
		t.Error("the statistics are the running averages")
	}
	if m := toyEvaluate(r.params); r.store.snaps[7].eval == nil || r.store.snaps[7].eval.Val.Loss != m.Loss {
		t.Error("the evaluation is not that of the recomputed statistics")
	}
}

func TestAStopWhileRecomputingLeavesTheRunningAverages(t *testing.T) {
	cfg := toyConfig()
	cfg.Iterations = 7
	plain := newToy(t, cfg, eval.Config{}, "")
	_, err := plain.run()
	must(t, err)
	cfg.BNRecompute = 12
	r := newToy(t, cfg, eval.Config{}, "")
	n := 0
	r.onNext = func() {
		if n++; n == 9 { // the second batch of the statistics
			r.o.Control.Stop()
		}
	}
	if _, err := r.run(); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	for _, p := range []string{"bn.running_mean", "bn.running_var"} {
		if !slices.Equal(r.store.snaps[7].params[p], plain.store.snaps[7].params[p]) {
			t.Errorf("%s was saved half recomputed", p)
		}
	}
}

func TestTheTimeOfAResumedRunGoesOn(t *testing.T) {
	dir := t.TempDir()
	var store *memStore
	for _, stop := range []int{6, -1} {
		r := newToy(t, toyConfig(), eval.Config{Every: 5}, dir).stopAt(stop)
		if store != nil {
			r.resumeFrom(store, store.last())
		}
		clock := time.Unix(0, 0)
		r.o.Now = func() time.Time { return clock }
		r.onNext = func() { clock = clock.Add(time.Second) }
		_, err := r.run()
		if err != nil && !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		store = r.store
	}
	var seconds []string
	for _, line := range strings.Split(strings.TrimSpace(readFile(t, dir, TimingFile)), "\n")[1:] {
		seconds = append(seconds, strings.Split(line, ",")[1])
	}
	// 5 s at the first row; the second process counts from there: its fourth update is at 9 s.
	if want := []string{"5.000", "9.000", "14.000", "19.000", "22.000"}; !slices.Equal(seconds, want) {
		t.Errorf("seconds %v, want %v", seconds, want)
	}
}

func TestRunRefusesWhatIsMissing(t *testing.T) {
	if _, err := Run(t.Context(), Options{}); err == nil {
		t.Error("no error")
	}
	r := newToy(t, toyConfig(), eval.Config{}, "")
	r.o.Plan = Plan{}
	if _, err := Run(t.Context(), r.o); err == nil || !strings.Contains(err.Error(), "NewPlan") {
		t.Error(err)
	}
}

func TestANilControlNeverStops(t *testing.T) {
	var c *Control
	c.Stop()
	c.SaveNow()
	if c.stopping() || c.takeSave(new(int64)) {
		t.Error("a nil Control asks for something")
	}
}
