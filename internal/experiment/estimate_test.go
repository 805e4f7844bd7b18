package experiment

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"resnet/internal/config"
	"resnet/internal/train"
)

func TestTimesOfAPlanAreComposedOfABatchAndAnEvaluation(t *testing.T) {
	c := train.DefaultConfig()
	c.Batch, c.Accumulate = 8, 3
	plan := train.Plan{Config: c, Iterations: 10, BatchesPerEpoch: 6, EvalEvery: 4}
	e := Estimate{Steps: 10, Epochs: plan.Epoch(10)}
	e.setTimes(plan, 1, 0.5, 7)
	// 3 batches a step; evaluations at 4, 8 and at the end.
	if e.SecondsPerStep != 1.5 || e.ImagesPerSecond != 16 || e.Evaluations != 3 || e.SecondsPerEvaluation != 7 || e.SecondsTotal != 10*1.5+3*7 {
		t.Errorf("%+v", e)
	}
	if got := e.SecondsPerEpoch(); got != 3 { // 2 steps
		t.Errorf("%v s an epoch, want 3", got)
	}
	for done, want := range map[int]float64{0: 36, 4: 6*1.5 + 2*7, 9: 1.5 + 7, 10: 0} {
		if got := e.secondsLeft(plan, done); got != want {
			t.Errorf("after %d steps %v s are left, want %v", done, got, want)
		}
	}
	plan.EvalEvery = 1
	if e.setTimes(plan, 1, 1, 1); e.Evaluations != 10 {
		t.Errorf("%d evaluations, one after each of 10 steps", e.Evaluations)
	}
	if got := scaled(30*time.Millisecond, 10, 250); got != 750*time.Millisecond {
		t.Errorf("250 images at 3 ms: %v", got)
	}
}

func TestTheSecondRunIsTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // with a clock that only a sleep moves
		n := 0
		took, err := timeSecond(func() error {
			if n++; n == 1 {
				time.Sleep(time.Minute)
			}
			time.Sleep(time.Second)
			return nil
		})
		if err != nil || n != 2 || took != time.Second {
			t.Errorf("%d runs, %v (%v): the first warms up", n, took, err)
		}
	})
}

// TestAnEstimateCountsByHand takes a CIFAR network of depth 8 on grey images of 7x7 pixels: 75,002
// parameters, and a running mean and variance for each of 240 channels.
func TestAnEstimateCountsByHand(t *testing.T) {
	const params, statistics, pixels = 75_002, 480, 49
	for name, c := range map[string]struct {
		sets            []string
		kept, evaluated int
		train, val      int
	}{
		"sgd":  {nil, 1, 1000, 16, 0},
		"adam": {[]string{"train.optimizer.name=adam"}, 2, 1000, 16, 0},
		"plain descent, training set measured": {
			[]string{"train.optimizer.momentum=0", "eval.train_set=true", "data.validation=4"},
			0,
			1020, 16, 4,
		},
	} {
		l, err := config.Load(config.Input{File: "quickstart", Sets: append([]string{
			"model.depth=8", "data.downsample=4", "data.limit=16", "train.batch=4",
			"train.accumulate=2", "train.epochs=3", "train.schedule.drop.at_epochs=1", "data.workers=3", "eval.batch=5",
		}, c.sets...)})
		if err != nil {
			t.Fatal(err)
		}
		x, err := New(context.Background(), &Environment{}, l, 1, NewDataSets())
		if err != nil {
			t.Fatal(err)
		}
		if got := x.data.(*images).evaluated(); got != c.evaluated {
			t.Errorf("%s: an evaluation measures %d images, want %d", name, got, c.evaluated)
		}
		// The outputs of the stem, of two convolutions in each of three stages and of the
		// classifier.
		const values = 3*16*49 + 2*32*16 + 2*64*4 + 10
		needs, err := x.data.leastMemory()
		// Gradients are kept twice: of two micro-batches.
		want := []need{
			{key: "train.batch", value: 4, bytes: 4 * values * 4},
			{key: "eval.batch", value: 5, bytes: 4 * (49 + 10) * 5},
			{key: "data.workers", value: 3, bytes: (3 + 2) * (4*49*(4+5) + perWorker)},
			{bytes: float64(4 * (3*params + c.kept*params))},
		}
		for i := range needs {
			needs[i].hint = ""
		}
		if err != nil || !slices.Equal(needs, want) {
			t.Errorf("%s: %+v at least (%v), want %+v", name, needs, err, want)
		}
		e, err := (&Training{Experiment: x, Dir: t.TempDir()}).Estimate(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if e.Params != params || e.TrainImages != c.train || e.ValImages != c.val || e.TestImages != 1000 || e.Batch != 4 || e.Accumulate != 2 ||
			e.Steps != 6 || e.Epochs != 3 || e.Threads != 1 {
			t.Errorf("%s: %+v", name, e)
		}
		if want := int64(4 * (params + statistics + c.kept*params)); e.CheckpointBytes != want {
			t.Errorf("%s: a checkpoint of %d bytes, want %d", name, e.CheckpointBytes, want)
		}
		if want := int64(4 * (params + statistics + 2*params + c.kept*params)); e.Memory.Parameters != want {
			t.Errorf("%s: %d bytes of parameters, want %d", name, e.Memory.Parameters, want)
		}
		// Batches that 3 workers make ahead, and a byte for each pixel of the set.
		if want := int64((3+2)*(4*pixels*(4+5)+perWorker) + (c.train+c.val+1000)*pixels); e.Memory.Data != want {
			t.Errorf("%s: %d bytes of data, want %d", name, e.Memory.Data, want)
		}
		if m := e.Memory; e.MemoryBytes != m.Training+m.Evaluation+m.Parameters+m.Data || m.Training < 4*10_000 || m.Evaluation == 0 {
			t.Errorf("%s: %d bytes, of %+v", name, e.MemoryBytes, m)
		}
		if math.Abs(e.SecondsTotal-(6*e.SecondsPerStep+float64(e.Evaluations)*e.SecondsPerEvaluation)) > 1e-9 {
			t.Errorf("%s: %v s, of %v s a step and %d evaluations of %v s", name, e.SecondsTotal, e.SecondsPerStep, e.Evaluations, e.SecondsPerEvaluation)
		}
	}
}
