package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"resnet/internal/eval"
	"resnet/internal/fielderr"
)

func TestThePaperRecipeIs64000UpdatesOf390BatchesAnEpoch(t *testing.T) {
	p, err := NewPlan(DefaultConfig(), eval.Config{Every: 1000}, 50000)
	must(t, err)
	if p.Iterations != 64000 || p.BatchesPerEpoch != 390 || p.ImagesPerStep() != 128 {
		t.Errorf("%+v", p)
	}
}

func TestPlanCountsUpdatesInEpochs(t *testing.T) {
	for _, c := range []struct{ images, batch, accumulate, epochs, want int }{
		{50000, 128, 1, 8, 3120},
		{50000, 128, 4, 1, 98}, // the last update completes the epoch and begins the next
		{50000, 128, 4, 2, 195},
		{22, 4, 1, 3, 15},
		{22, 22, 3, 4, 2},
	} {
		cfg := DefaultConfig()
		cfg.Batch, cfg.Accumulate, cfg.Iterations, cfg.Epochs = c.batch, c.accumulate, 0, c.epochs
		p, err := NewPlan(cfg, eval.Config{}, c.images)
		must(t, err)
		if p.Iterations != c.want {
			t.Errorf("%+v: %d updates", c, p.Iterations)
		}
	}
}

func TestPlanSaysWhenToEvaluateAndSave(t *testing.T) {
	due := func(f func(int) bool) (steps []int) {
		for s := range 40 {
			if f(s) {
				steps = append(steps, s)
			}
		}
		return steps
	}
	for _, c := range []struct {
		name       string
		eval       eval.Config
		accumulate int
		save       int
		wantEval   []int
		wantSave   []int
	}{
		{"iterations", eval.Config{Every: 10}, 1, 15, []int{10, 20, 30, 37, 38, 39}, []int{15, 30, 37, 38, 39}},
		{"iterations win over epochs", eval.Config{Every: 20, EveryEpochs: 1}, 1, 0, []int{20, 37, 38, 39}, []int{20, 37, 38, 39}},
		{"epochs of 5 batches", eval.Config{EveryEpochs: 2}, 1, 0, []int{10, 20, 30, 37, 38, 39}, []int{10, 20, 30, 37, 38, 39}},
		{"epochs that updates straddle", eval.Config{EveryEpochs: 2}, 3, 0, []int{4, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 38, 39}, nil},
		{"the end only", eval.Config{}, 1, 0, []int{37, 38, 39}, []int{37, 38, 39}},
	} {
		cfg := DefaultConfig()
		cfg.Batch, cfg.Accumulate, cfg.Iterations, cfg.Checkpoint.Every = 4, c.accumulate, 37, c.save
		p, err := NewPlan(cfg, c.eval, 22)
		must(t, err)
		if got := due(p.EvalDue); !slices.Equal(got, c.wantEval) {
			t.Errorf("%s: evaluations at %v, want %v", c.name, got, c.wantEval)
		}
		for _, done := range []int{0, 10, 36, 37} {
			want := 0
			for _, s := range c.wantEval {
				if s > done && s <= 37 {
					want++
				}
			}
			if got := p.Evaluations(done); got != want {
				t.Errorf("%s: %d evaluations after step %d, want %d", c.name, got, done, want)
			}
		}
		if got := due(p.SaveDue); c.wantSave != nil && !slices.Equal(got, c.wantSave) {
			t.Errorf("%s: saves at %v, want %v", c.name, got, c.wantSave)
		}
	}
}

func TestABatchLargerThanTheSetIsRefused(t *testing.T) {
	_, err := NewPlan(DefaultConfig(), eval.Config{}, 127)
	if err == nil || !strings.Contains(err.Error(), "train.batch: 128 is more than the 127 images") {
		t.Error(err)
	}
}

// TestTheDefaultIsThePapers: He et al. 2016, section 4.2: batches of 128, weight decay 0.0001,
// momentum 0.9, a rate of 0.1 and 64k iterations. The rest is ours, or Kingma and Ba's.
func TestTheDefaultIsThePapers(t *testing.T) {
	c := DefaultConfig()
	if c.Batch != 128 || c.Optimizer.WeightDecay != 0.0001 || c.Optimizer.Momentum != 0.9 || c.Optimizer.Nesterov || c.Schedule.Rate != 0.1 || c.Iterations != 64_000 {
		t.Errorf("%+v", c)
	}
	if o := c.Optimizer; o.Name != "sgd" || o.Beta1 != 0.9 || o.Beta2 != 0.999 || o.Epsilon != 1e-8 || o.Decay != "all" || o.Freeze != "" {
		t.Errorf("optimizer %+v", o)
	}
	if s := c.Schedule; s.Drop.Factor != 0.1 || len(s.Drop.At) > 0 || s.Plateau.Patience != 10 || s.Plateau.Factor != 0 || s.Cosine.Enabled || s.Warmup.Until.Window != 100 || s.Warmup.Rate != 0 {
		t.Errorf("schedule %+v", s)
	}
	if c.Accumulate != 1 || c.Seed != 1 || c.Checkpoint.Keep != 3 || c.OnNonfinite != "stop" || c.OnSaveError != "stop" || c.ClipNorm != 0 || c.BNRecompute != 0 || c.TensorBoard {
		t.Errorf("%+v", c)
	}
}

func TestTheDefaultConfigIsValid(t *testing.T) {
	if errs := DefaultConfig().Validate(); errs != nil {
		t.Error(errs)
	}
}

func TestEveryBadFieldIsReportedAtItsPath(t *testing.T) {
	for path, edit := range map[string]func(*Config){
		"batch":                      func(c *Config) { c.Batch = 0 },
		"accumulate":                 func(c *Config) { c.Accumulate = -1 },
		"iterations":                 func(c *Config) { c.Iterations = -1 },
		"epochs":                     func(c *Config) { c.Iterations, c.Epochs = 0, 0 },
		"optimizer.name":             func(c *Config) { c.Optimizer.Name = "adagrad" },
		"optimizer.momentum":         func(c *Config) { c.Optimizer.Momentum = 1 },
		"optimizer.nesterov":         func(c *Config) { c.Optimizer.Momentum, c.Optimizer.Nesterov = 0, true },
		"optimizer.beta1":            func(c *Config) { c.Optimizer.Name, c.Optimizer.Beta1 = OptimizerAdam, 1 },
		"optimizer.beta2":            func(c *Config) { c.Optimizer.Name, c.Optimizer.Beta2 = OptimizerAdam, -0.1 },
		"optimizer.epsilon":          func(c *Config) { c.Optimizer.Name, c.Optimizer.Epsilon = OptimizerAdam, 0 },
		"clip_norm":                  func(c *Config) { c.ClipNorm = -1 },
		"optimizer.weight_decay":     func(c *Config) { c.Optimizer.WeightDecay = -1e-4 },
		"optimizer.decay_parameters": func(c *Config) { c.Optimizer.Decay = "some" },
		"schedule.rate":              func(c *Config) { c.Schedule.Rate = 0 },
		"schedule.plateau.min_rate":  func(c *Config) { c.Schedule.Plateau = Plateau{Factor: 0.1, Patience: 1, MinRate: math.NaN()} },
		"schedule.drop.factor":       func(c *Config) { c.Schedule.Drop = Drop{At: []int{5}} },
		"schedule.drop.at":           func(c *Config) { c.Schedule.Drop.At = []int{10, 10} },
		"schedule.drop.at_epochs":    func(c *Config) { c.Schedule.Drop.At, c.Schedule.Drop.AtEpochs = []int{1}, []int{1} },
		"schedule.cosine.min":        func(c *Config) { c.Schedule.Cosine = Cosine{Enabled: true, Min: 0.2} },
		"schedule.plateau.factor":    func(c *Config) { c.Schedule.Plateau.Factor = 1.5 },
		"schedule.plateau.patience":  func(c *Config) { c.Schedule.Plateau = Plateau{Factor: 0.1} },
		"schedule.plateau.threshold": func(c *Config) { c.Schedule.Plateau = Plateau{Factor: 0.1, Patience: 1, Threshold: -1} },
		"schedule":                   func(c *Config) { c.Schedule.Drop.At, c.Schedule.Cosine.Enabled = []int{5}, true },
		"schedule.warmup.rate":       func(c *Config) { c.Schedule.Warmup = Warmup{Rate: 0.1, Iterations: 5} },
		"schedule.warmup.until":      func(c *Config) { c.Schedule.Warmup = Warmup{Rate: 0.01} },
		"schedule.warmup.iterations": func(c *Config) { c.Schedule.Warmup = Warmup{Iterations: -1} },
		"schedule.warmup.until.window": func(c *Config) {
			c.Schedule.Warmup = Warmup{Rate: 0.01, Until: Until{TrainErrorBelow: 80, Window: -1}}
		},
		"schedule.warmup.until.train_error_below": func(c *Config) { c.Schedule.Warmup = Warmup{Rate: 0.01, Until: Until{TrainErrorBelow: 101}} },
		"checkpoint.every":                        func(c *Config) { c.Checkpoint.Every = -1 },
		"checkpoint.keep":                         func(c *Config) { c.Checkpoint.Keep = -1 },
		"bn_recompute":                            func(c *Config) { c.BNRecompute = -1 },
		"on_nonfinite":                            func(c *Config) { c.OnNonfinite = "" },
		"on_save_error":                           func(c *Config) { c.OnSaveError = "ignore" },
	} {
		c := DefaultConfig()
		edit(&c)
		errs := c.Validate()
		if !slices.ContainsFunc(errs, func(e fielderr.Error) bool { return e.Path == path && e.Msg != "" }) {
			t.Errorf("%s: %v", path, errs)
		}
		if _, err := NewPlan(c, eval.Config{}, 1000); err == nil || !strings.Contains(err.Error(), "train."+path+": ") {
			t.Errorf("%s: NewPlan says %v", path, err)
		}
	}
}

func TestAllBadFieldsAreReportedTogether(t *testing.T) {
	c := DefaultConfig()
	c.Batch, c.Optimizer.Name, c.OnSaveError = 0, "adagrad", "x"
	if errs := c.Validate(); len(errs) != 3 {
		t.Error(errs)
	}
}
