package train

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"resnet/internal/eval"
)

// TestTheRateOfAnUpdateIsANumber: each of these is finite as it is written, and infinite or nothing
// in the arithmetic of an update; a step nearer to one is taken.
func TestTheRateOfAnUpdateIsANumber(t *testing.T) {
	const most = math.MaxFloat32
	for name, c := range map[string]struct {
		change func(*Config, float64) // a factor of what is just too much
		field  string
	}{
		"the rate itself":     {func(c *Config, f float64) { c.Schedule.Rate = most * f }, "train.schedule.rate"},
		"raised by its drops": {func(c *Config, f float64) { c.Schedule.Rate, c.Schedule.Drop = most*f/1e6, Drop{1e3, []int{3, 5}, nil} }, "train.schedule.rate"},
		"of the classifier":   {func(c *Config, f float64) { c.Schedule.Rate, c.Optimizer.HeadRate = most*f/1e20, 1e20 }, "train.schedule.rate"},
		"Adam's first": {func(c *Config, f float64) {
			c.Schedule.Rate, c.Optimizer.Name, c.Optimizer.Beta1 = most*f/4, OptimizerAdam, 0.75
		}, "train.schedule.rate"},
		"a tiny rate":  {func(c *Config, f float64) { c.Schedule.Rate = 1e-45 / (f * f * f * f * f * f * f) }, "train.schedule.rate"},
		"the decay":    {func(c *Config, f float64) { c.Optimizer.WeightDecay = most * f }, "train.optimizer.weight_decay"},
		"the momentum": {func(c *Config, f float64) { c.Optimizer.Momentum = 1 - 1e-7/math.Pow(f, 30) }, "train.optimizer.momentum"},
		"Adam's epsilon": {func(c *Config, f float64) {
			c.Optimizer.Name, c.Optimizer.Epsilon = OptimizerAdam, 1e-45/(f*f*f*f*f*f*f)
		}, "train.optimizer.epsilon"},
		"the norm": {func(c *Config, f float64) { c.ClipNorm = most * f }, "train.clip_norm"},
	} {
		for f, fine := range map[float64]bool{0.9: true, 1.2: false} {
			cfg := DefaultConfig()
			c.change(&cfg, f)
			errs := cfg.Validate()
			if fine && len(errs) > 0 || !fine && (len(errs) != 1 || errs[0].Field() != c.field) {
				t.Errorf("%s times %v: %v", name, f, errs)
			}
		}
	}
}

func TestCountsHaveBounds(t *testing.T) {
	for field, c := range map[string]struct {
		set  func(*Config, int)
		most int
	}{
		"train.batch":                        {func(c *Config, n int) { c.Batch = n }, math.MaxInt32},
		"train.accumulate":                   {func(c *Config, n int) { c.Accumulate, c.Batch = n, 1 }, 1 << 20},
		"train.iterations":                   {func(c *Config, n int) { c.Iterations = n }, 1 << 40},
		"train.epochs":                       {func(c *Config, n int) { c.Epochs = n }, 1 << 20},
		"train.checkpoint.every":             {func(c *Config, n int) { c.Checkpoint.Every = n }, 1 << 40},
		"train.checkpoint.keep":              {func(c *Config, n int) { c.Checkpoint.Keep = n }, math.MaxInt32},
		"train.bn_recompute":                 {func(c *Config, n int) { c.BNRecompute = n }, math.MaxInt32},
		"train.schedule.drop.at":             {func(c *Config, n int) { c.Schedule.Drop.At = []int{n} }, 1 << 40},
		"train.schedule.drop.at_epochs":      {func(c *Config, n int) { c.Schedule.Drop.AtEpochs = []int{n} }, 1 << 20},
		"train.schedule.plateau.patience":    {func(c *Config, n int) { c.Schedule.Plateau = Plateau{Factor: 0.1, Patience: n} }, math.MaxInt32},
		"train.schedule.warmup.iterations":   {func(c *Config, n int) { c.Schedule.Warmup = Warmup{Rate: 0.01, Iterations: n} }, 1 << 40},
		"train.schedule.warmup.until.window": {func(c *Config, n int) { c.Schedule.Warmup.Until.Window = n }, 100_000},
	} {
		for _, n := range []int{c.most, c.most + 1, math.MaxInt64} {
			cfg := DefaultConfig()
			c.set(&cfg, n)
			errs := cfg.Validate()
			if n == c.most && len(errs) > 0 || n > c.most && (len(errs) == 0 || errs[0].Field() != field || !strings.Contains(errs[0].Error(), fmt.Sprintf("%d at most", c.most))) {
				t.Errorf("%s: %d: %v", field, n, errs)
			}
		}
	}
	cfg := DefaultConfig()
	if cfg.Batch, cfg.Accumulate = 1<<16, 1<<15; len(cfg.Validate()) != 1 || cfg.Validate()[0].Field() != "train.accumulate" {
		t.Errorf("an update of 2³¹ images: %v", cfg.Validate())
	}
	if cfg.Accumulate--; len(cfg.Validate()) != 0 {
		t.Errorf("an update of fewer: %v", cfg.Validate())
	}
}

// TestALongPlanIsCountedAtOnce: 10¹² updates, which counting one by one would take an hour.
func TestALongPlanIsCountedAtOnce(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Batch, cfg.Iterations = 4, 1e12
	for _, c := range []struct {
		e          eval.Config
		accumulate int
		want       int
	}{
		{eval.Config{Every: 1000}, 1, 1e9},
		{eval.Config{Every: 999}, 1, 1001001001 + 1},
		{eval.Config{}, 1, 1},
		{eval.Config{EveryEpochs: 2}, 1, 1e11},
		{eval.Config{EveryEpochs: 2}, 3, 3e11},
		{eval.Config{EveryEpochs: 1}, 1 << 20, 1e12},
	} {
		cfg.Accumulate = c.accumulate
		p, err := NewPlan(cfg, c.e, 22)
		must(t, err)
		if got := p.Evaluations(0); got != c.want {
			t.Errorf("%+v, accumulating %d: %d evaluations, want %d", c.e, c.accumulate, got, c.want)
		}
		if p.ImagesPerStep() != 4*c.accumulate {
			t.Errorf("%d images a step", p.ImagesPerStep())
		}
	}
	cfg.Iterations, cfg.Epochs, cfg.Accumulate = 0, 1<<20, 1
	if _, err := NewPlan(cfg, eval.Config{}, 1<<23); err == nil || !strings.Contains(err.Error(), "train.epochs: 1048576 are 2199023255552 updates") {
		t.Errorf("updates beyond the bound: %v", err)
	}
	if _, err := NewPlan(DefaultConfig(), eval.Config{EveryEpochs: 1<<20 + 1}, 500); err == nil || !strings.Contains(err.Error(), "eval.every_epochs") {
		t.Error(err)
	}
}

// TestCountsOfAStateHaveBounds: they are loops and places of the schedule's.
func TestCountsOfAStateHaveBounds(t *testing.T) {
	good := func() State {
		return State{Step: 4, Schedule: ScheduleState{Warmup: WarmupState{Wrong: []int32{1, 2}, Next: 1}, Plateau: PlateauState{Drops: 3}, Halvings: 2}}
	}
	for name, change := range map[string]func(*State){
		"steps":                 func(s *State) { s.Step = 1<<40 + 1 },
		"batches":               func(s *State) { s.Batches = 1<<60 + 1 },
		"a place before a ring": func(s *State) { s.Schedule.Warmup.Next = -1 },
		"a place behind a ring": func(s *State) { s.Schedule.Warmup.Next = 3 },
		"a long ring":           func(s *State) { s.Schedule.Warmup.Wrong = slices.Repeat([]int32{1}, maxWindow+1) },
		"many drops":            func(s *State) { s.Schedule.Plateau.Drops = math.MaxInt64 },
		"drops below 0":         func(s *State) { s.Schedule.Plateau.Drops = -1 },
		"halvings below 0":      func(s *State) { s.Schedule.Halvings = -1 },
		"many halvings":         func(s *State) { s.Schedule.Halvings = math.MaxInt64 },
		"bad evaluations":       func(s *State) { s.Schedule.Plateau.Bad = -1 },
		"skipped":               func(s *State) { s.Skipped = -1 },
		"skipped in a row":      func(s *State) { s.SkippedInRow = -1 },
		"rollbacks":             func(s *State) { s.Rollbacks = -1 },
	} {
		s := good()
		change(&s)
		text, err := s.Encode()
		must(t, err)
		if _, err := ParseState(text); err == nil || !strings.Contains(err.Error(), "training state: a count is out of range") {
			t.Errorf("%s: %v", name, err)
		}
	}
	text, err := good().Encode()
	must(t, err)
	if _, err := ParseState(text); err != nil {
		t.Error(err)
	}
}
