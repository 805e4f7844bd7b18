package train

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

func readRecipe(t *testing.T, name string, to any) {
	t.Helper()
	text, err := os.ReadFile("../../testdata/recipe/" + name)
	must(t, err)
	must(t, json.Unmarshal(text, to))
}

func wide(xs []float32) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = float64(x)
	}
	return out
}

// within reports whether two lists differ by no more than tolerance anywhere.
func within(a, b []float64, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= tolerance })
}

// TestOptimizersAndAverageAreThoseOfPyTorchAndTimm holds twelve updates of AdamW, LARS and LAMB and
// the moving average over them to torch.optim.AdamW and timm's Lars, Lamb and ModelEmaV2.
func TestOptimizersAndAverageAreThoseOfPyTorchAndTimm(t *testing.T) {
	var f struct {
		Shapes   map[string][]int       `json:"shapes"`
		Start    map[string][]float32   `json:"start"`
		Grads    []map[string][]float32 `json:"grads"`
		EMADecay float64                `json:"ema_decay"`
		Cases    []struct {
			Name        string               `json:"name"`
			Beta1       float64              `json:"beta1"`
			Beta2       float64              `json:"beta2"`
			Epsilon     float64              `json:"epsilon"`
			Momentum    float64              `json:"momentum"`
			Nesterov    bool                 `json:"nesterov"`
			Trust       float64              `json:"trust"`
			WeightDecay float64              `json:"weight_decay"`
			Rate        float64              `json:"rate"`
			Clip        float64              `json:"clip"`
			End         map[string][]float64 `json:"end"`
			EMA         map[string][]float64 `json:"ema"`
		} `json:"cases"`
	}
	readRecipe(t, "optimizers.json", &f)
	if len(f.Cases) != 8 || len(f.Grads) != 12 {
		t.Fatalf("%d cases of %d updates", len(f.Cases), len(f.Grads))
	}
	for _, c := range f.Cases {
		params := graph.NewParamSet(0)
		for _, n := range []string{"a", "b"} {
			params.Add(&graph.Param{Name: n, Kind: graph.KindWeight, Shape: f.Shapes[n], Data: slices.Clone(f.Start[n])})
		}
		cfg := DefaultConfig()
		cfg.ClipNorm, cfg.EMA.Decay = c.Clip, f.EMADecay
		cfg.Optimizer = Optimizer{
			Name: c.Name, Beta1: c.Beta1, Beta2: c.Beta2, Epsilon: c.Epsilon, Momentum: c.Momentum, Nesterov: c.Nesterov,
			Trust: c.Trust, WeightDecay: c.WeightDecay, Decay: DecayAll,
		}
		l := &loop{
			o: Options{Plan: Plan{Config: cfg}, Params: params}, rate: c.Rate,
			sgd: NewStepper(cfg.Optimizer, params, 0), average: newAverage(cfg.EMA, cfg.Optimizer, params),
		}
		for k, step := range f.Grads {
			for n, g := range step {
				for i, x := range g { // twice the gradient, of two batches
					params.Get(n).Grad[i] = 2 * x
				}
			}
			l.step(2)
			l.average.update(k + 1)
		}
		// Twelve roundings of values of about 1. LARS with a rate of 2 and clipping by PyTorch's
		// 1e-6 more than timm's norm leave a little more.
		const tolerance = 3e-6
		compare := func(what string, want map[string][]float64) {
			for n := range want {
				if got := wide(params.Get(n).Data); !within(got, want[n], tolerance) {
					t.Errorf("%s %+v: %s of %s is %v, want %v", c.Name, cfg.Optimizer, what, n, got, want[n])
				}
			}
		}
		compare("value", c.End)
		l.average.swap()
		compare("average", c.EMA)
	}
}

// TestTargetsGiveTheLossesOfPyTorchAndTimm holds label smoothing, weights of classes and mixed
// labels to torch.nn.functional.cross_entropy and timm's BinaryCrossEntropy, through both ways of
// summing.
func TestTargetsGiveTheLossesOfPyTorchAndTimm(t *testing.T) {
	var f struct {
		Logits  []float64 `json:"logits"`
		Labels  []int32   `json:"labels"`
		Classes int       `json:"classes"`
		Cases   []struct {
			Name      string    `json:"name"`
			Smoothing float64   `json:"smoothing"`
			Weights   []float64 `json:"weights"`
			Share     float64   `json:"share"`
			Binary    bool      `json:"binary"`
			Loss      float64   `json:"loss"`
			Grad      []float64 `json:"grad"`
		} `json:"cases"`
	}
	readRecipe(t, "losses.json", &f)
	if len(f.Cases) != 8 {
		t.Fatalf("%d cases", len(f.Cases))
	}
	n := len(f.Labels)
	logits := make([]float32, len(f.Logits))
	for i, x := range f.Logits {
		logits[i] = float32(x)
	}
	for _, c := range f.Cases {
		b := &datasets.Batch{Labels: f.Labels, N: n}
		if c.Share > 0 {
			b.Share = c.Share
			b.Other = append([]int32{f.Labels[n-1]}, f.Labels[:n-1]...)
		}
		targets := (&Targets{Classes: f.Classes, Smoothing: c.Smoothing, Weights: c.Weights}).Of(b)
		op := graph.Operator(&graph.TargetCrossEntropy{N: n, K: f.Classes, Binary: c.Binary})
		loss, grad := make([]float32, 1), make([]float32, len(logits))
		op.Run32(loss, logits, targets)
		op = &graph.TargetCrossEntropyGrad{N: n, K: f.Classes, Binary: c.Binary}
		op.Run32(grad, logits, targets, []float32{1})
		// float32 targets and results.
		if math.Abs(float64(loss[0])-c.Loss) > 1e-6*(1+c.Loss) || !within(wide(grad), c.Grad, 1e-7) {
			t.Errorf("%s: loss %v, want %v; gradient %v, want %v", c.Name, loss[0], c.Loss, grad, c.Grad)
		}
	}
}

// TestMixedLabelsAreTorchvisions holds the targets of a mixed batch to MixUp's and CutMix's.
func TestMixedLabelsAreTorchvisions(t *testing.T) {
	type mixed struct {
		Share   float64   `json:"share"`
		Targets []float64 `json:"targets"`
	}
	var f struct {
		Labels  []int32 `json:"labels"`
		Classes int     `json:"classes"`
		Mixup   []mixed `json:"mixup"`
		CutMix  []mixed `json:"cutmix"`
	}
	readRecipe(t, "mix.json", &f)
	for _, m := range append(f.Mixup, f.CutMix...) {
		b := &datasets.Batch{Labels: f.Labels, Other: []int32{2, 2, 0, 1}, Share: m.Share, N: 4}
		if got := (&Targets{Classes: f.Classes}).Of(b); !within(wide(got), m.Targets, 1e-7) {
			t.Errorf("share %v: %v, want %v", m.Share, got, m.Targets)
		}
	}
}

// TestTheTrainingErrorOfMixedImagesCountsTheLargerShare.
func TestTheTrainingErrorOfMixedImagesCountsTheLargerShare(t *testing.T) {
	b := &datasets.Batch{Labels: []int32{1, 2}, Other: []int32{2, 1}, Share: 0.6}
	if got := mainLabels(b); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("share 0.6: %v", got)
	}
	b.Share = 0.4
	if got := mainLabels(b); !slices.Equal(got, []int32{2, 1}) {
		t.Errorf("share 0.4: %v", got)
	}
	b.Other = nil
	if got := mainLabels(b); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("not mixed: %v", got)
	}
}

func TestBalancedWeightsAreScikitLearns(t *testing.T) {
	// compute_class_weight("balanced"): 10 / (3 · [5, 1, 4]).
	if got := BalancedWeights([]int{5, 1, 4}); !within(got, []float64{2. / 3, 10. / 3, 5. / 6}, 1e-15) {
		t.Errorf("%v", got)
	}
	if got := BalancedWeights([]int{3, 0}); got[1] != 0 {
		t.Errorf("a class without images weighs %v", got[1])
	}
}

// TestALinearWarmUpAndACosineArePyTorchs holds every rate to LinearLR and CosineAnnealingLR one
// after the other.
func TestALinearWarmUpAndACosineArePyTorchs(t *testing.T) {
	var f struct {
		Cases []struct {
			Rate   float64   `json:"rate"`
			Start  float64   `json:"start"`
			Warmup int       `json:"warmup"`
			Total  int       `json:"total"`
			Min    float64   `json:"min"`
			Rates  []float64 `json:"rates"`
		} `json:"cases"`
	}
	readRecipe(t, "schedule.json", &f)
	for _, c := range f.Cases {
		for _, byEpochs := range []bool{false, true} {
			cfg := toyConfig()
			cfg.Iterations = c.Total
			cfg.Schedule = Schedule{Rate: c.Rate, Cosine: Cosine{Enabled: true, Min: c.Min}, Warmup: Warmup{Rate: c.Start, Linear: true, Iterations: c.Warmup}}
			images := 4
			if byEpochs { // of one batch each
				cfg.Schedule.Warmup.Iterations, cfg.Schedule.Warmup.Epochs = 0, c.Warmup
			}
			p, err := NewPlan(cfg, eval.Config{}, images)
			must(t, err)
			s := NewScheduler(p)
			var rates []float64
			for step := range c.Total {
				rates = append(rates, s.Rate(step, ScheduleState{}))
			}
			if !within(rates, c.Rates, 1e-12) {
				t.Errorf("rates %v, want %v", rates, c.Rates)
			}
		}
	}
}

// TestTheAverageIsEvaluatedAndSavedAndTrainingGoesOnWithout: an evaluation sees the average, and
// the checkpoint's model is it.
func TestTheAverageIsEvaluatedAndSavedAndTrainingGoesOnWithout(t *testing.T) {
	with, without := toyConfig(), toyConfig()
	with.EMA = EMA{Decay: 0.9, Every: 1}
	a, b := newToy(t, with, eval.Config{Every: 5}, ""), newToy(t, without, eval.Config{Every: 5}, "")
	var seen []float32
	a.onEval = func() { seen = slices.Clone(a.params.Get("fc.weight").Data) }
	_, err := a.run()
	must(t, err)
	_, err = b.run()
	must(t, err)
	last, plain := a.store.snaps[23], b.store.snaps[23]
	if !slices.Equal(seen, last.params["fc.weight"]) || slices.Equal(seen, plain.params["fc.weight"]) {
		t.Error("the average was not what was evaluated and saved")
	}
	for _, tensor := range last.momentum {
		if tensor.Name == "trained.fc.weight" && !slices.Equal(tensor.Data, plain.params["fc.weight"]) {
			t.Error("the average changed what is trained")
		}
	}
	if !slices.Equal(a.params.Get("fc.weight").Data, plain.params["fc.weight"]) {
		t.Error("training did not go on with its own weights")
	}
	if n := with.AverageValues(7); n != 7 || without.AverageValues(7) != 0 {
		t.Errorf("an average of 7 values keeps %d", n)
	}
}

// TestEarlyStoppingEndsATrainingForGood: at the evaluation that has waited long enough, to the bit
// the same after a stop in between, and not gone on with.
func TestEarlyStoppingEndsATrainingForGood(t *testing.T) {
	cfg := toyConfig()
	cfg.Iterations = 200
	cfg.EarlyStop = EarlyStop{Patience: 2, Threshold: 5}
	whole := newToy(t, cfg, eval.Config{Every: 4}, "")
	sum, err := whole.run()
	must(t, err)
	at := sum.State.Step
	if !sum.State.Finished || !sum.State.Stopped || at >= 200 || at%4 != 0 || at < 12 {
		t.Fatalf("%+v", sum.State)
	}
	for _, k := range []int{1, 6, at - 1} {
		first := newToy(t, cfg, eval.Config{Every: 4}, "").stopAt(k)
		if _, err := first.run(); !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		second := newToy(t, cfg, eval.Config{Every: 4}, "").resumeFrom(first.store, first.store.last())
		_, err := second.run()
		must(t, err)
		sameCheckpoints(t, whole.store, second.store)
	}
	again := newToy(t, cfg, eval.Config{Every: 4}, "").resumeFrom(whole.store, at)
	sum, err = again.run()
	if err != nil || !sum.AlreadyFinished {
		t.Errorf("it went on: %+v, %v", sum, err)
	}
}

func TestARecipesMistakesAreFound(t *testing.T) {
	for path, set := range map[string]func(c *Config){
		"loss":                       func(c *Config) { c.Loss = "bce" },
		"label_smoothing":            func(c *Config) { c.Smoothing = 1.5 },
		"class_weights":              func(c *Config) { c.Loss, c.Weights = LossBinary, WeightsBalanced },
		"ema.decay":                  func(c *Config) { c.EMA.Decay = 1 },
		"ema.every":                  func(c *Config) { c.EMA.Every = 0 },
		"bn_recompute":               func(c *Config) { c.EMA.Decay, c.BNRecompute = 0.9, 10 },
		"early_stopping.patience":    func(c *Config) { c.EarlyStop.Patience = -1 },
		"optimizer.name":             func(c *Config) { c.Optimizer.Name = "adamx" },
		"optimizer.trust":            func(c *Config) { c.Optimizer.Name, c.Optimizer.Trust = OptimizerLARS, 0 },
		"optimizer.nesterov":         func(c *Config) { c.Optimizer.Name, c.Optimizer.Nesterov = OptimizerLAMB, true },
		"schedule.warmup.iterations": func(c *Config) { c.Schedule.Warmup = Warmup{Linear: true} },
		"schedule.warmup.rate":       func(c *Config) { c.Schedule.Warmup = Warmup{Linear: true, Rate: 1, Iterations: 3} },
		"schedule.warmup.epochs":     func(c *Config) { c.Schedule.Warmup = Warmup{Rate: 0.01, Iterations: 4, Epochs: 3} },
		"schedule.warmup.until": func(c *Config) {
			c.Schedule.Warmup = Warmup{Linear: true, Iterations: 4, Until: Until{TrainErrorBelow: 5}}
		},
	} {
		c := DefaultConfig()
		set(&c)
		errs := c.Validate()
		if len(errs) != 1 || errs[0].Path != path {
			t.Errorf("%s: %v", path, errs)
		}
	}
}
