package train

import (
	"fmt"
	"math"

	"resnet/internal/fielderr"
	"resnet/internal/graph"
	"resnet/internal/text"
)

// Validate returns every error of the section, in the order of its fields; nil when there is none.
func (c Config) Validate() []fielderr.Error {
	v := &validator{List: fielderr.List{Section: "train"}}
	v.between("batch", c.Batch, 1, graph.MaxBatch, "the paper trains with 128")
	v.between("accumulate", c.Accumulate, 1, maxAccumulate, "1 means no accumulation")
	if n := c.Batch * c.Accumulate; len(v.Errors) == 0 && n > math.MaxInt32 {
		v.Add("accumulate", "the images of an update are counted in 32 bits", "%d batches of %d are %d images, and %d at most are possible", c.Accumulate, c.Batch, n, math.MaxInt32)
	}
	v.between("iterations", c.Iterations, 0, maxSteps, "0 means by epochs")
	least := 0
	if c.Iterations == 0 {
		least = 1
	}
	v.between("epochs", c.Epochs, least, maxEpochs, "set iterations or epochs")
	v.optimizer(c.Optimizer)
	v.between("schedule.rate_for_batch", c.Schedule.RateFor, 0, math.MaxInt32, "0 means the rate as it is")
	v.rateFor = c.Schedule.RateFor
	v.schedule(c.schedule())
	v.effectiveRate(c)
	v.between("checkpoint.every", c.Checkpoint.Every, 0, maxSteps, "0 means at every evaluation")
	v.between("checkpoint.keep", c.Checkpoint.Keep, 0, math.MaxInt32, "0 means all")
	v.between("bn_recompute", c.BNRecompute, 0, math.MaxInt32, "0 means keep the running averages")
	v.recipe(c)
	v.number("clip_norm", c.ClipNorm, 0, math.Inf(1), false, "0 means never")
	v.oneOf("precision", c.Precision, graph.Precisions()...)
	v.oneOf("on_nonfinite", c.OnNonfinite, NonfiniteStop, NonfiniteSkip, NonfiniteRollback)
	v.oneOf("on_save_error", c.OnSaveError, SaveErrorStop, SaveErrorContinue)
	return v.Errors
}

// validator holds the checks of values over the list of what is wrong.
type validator struct {
	fielderr.List
	rateFor int // Schedule.RateFor
}

// scaled says where a rate comes from that is not the one in the file.
func (v *validator) scaled() string {
	if v.rateFor == 0 {
		return ""
	}
	return fmt.Sprintf(" that train.schedule.rate_for_batch, %d, makes of it", v.rateFor)
}

// Bounds of whole numbers. They are far above what anybody waits for, and keep the arithmetic of
// steps, batches and images in range.
const (
	maxSteps      = 1 << 40
	maxEpochs     = 1 << 20
	maxAccumulate = 1 << 20
	// maxWindow is the longest warm-up's window: each checkpoint keeps an entry for each of its
	// iterations.
	maxWindow = 100_000
)

func (v *validator) between(path string, x, least, most int, hint string) {
	if x < least {
		v.Add(path, hint, "%d is below %d", x, least)
	}
	if x > most {
		v.Add(path, hint, "%d, and %d at most are possible", x, most)
	}
}

// number checks that x is finite, also in float32, in which networks compute, and within [lo, hi]
// or, when open, (lo, hi].
func (v *validator) number(path string, x, lo, hi float64, open bool, hint string) {
	switch {
	case !(math.Abs(x) <= math.MaxFloat32):
		v.Add(path, hint, "%v is not a finite number of 32 bits", x)
	case x < lo || open && x == lo || x > hi:
		if open && math.IsInf(hi, 1) {
			v.Add(path, hint, "%v is not above %v", x, lo)
		} else if math.IsInf(hi, 1) {
			v.Add(path, hint, "%v is below %v", x, lo)
		} else {
			v.Add(path, hint, "%v is not between %v and %v", x, lo, hi)
		}
	}
}

func (v *validator) oneOf(path, x string, words ...string) {
	hint := ""
	for i, w := range words {
		if x == w {
			return
		}
		if i > 0 {
			hint += " | "
		}
		hint += w
	}
	v.Add(path, hint, "unknown value %q%s", x, text.DidYouMean(x, words))
}

func (v *validator) optimizer(o Optimizer) {
	v.oneOf("optimizer.name", o.Name, OptimizerSGD, OptimizerAdam, OptimizerAdamW, OptimizerLARS, OptimizerLAMB)
	v.number("optimizer.momentum", o.Momentum, 0, 1, false, "the paper uses 0.9")
	if forgetsNothing(o.Momentum) {
		v.Add("optimizer.momentum", "the paper uses 0.9", "%v never forgets a gradient", o.Momentum)
	}
	if o.Nesterov && o.adaptive() {
		v.Add("optimizer.nesterov", "leave it out", "Adam and its relatives have no Nesterov form here")
	} else if o.Nesterov && o.Momentum == 0 {
		v.Add("optimizer.nesterov", "set optimizer.momentum", "Nesterov needs momentum")
	}
	if o.Name == OptimizerLARS {
		v.number("optimizer.trust", o.Trust, 0, math.Inf(1), true, "0.001 is usual")
		v.number("optimizer.epsilon", o.Epsilon, 0, math.Inf(1), false, "1e-8 is usual")
	}
	if o.adaptive() {
		v.number("optimizer.beta1", o.Beta1, 0, 1, false, "Kingma and Ba use 0.9")
		v.number("optimizer.beta2", o.Beta2, 0, 1, false, "Kingma and Ba use 0.999")
		if forgetsNothing(o.Beta1) {
			v.Add("optimizer.beta1", "Kingma and Ba use 0.9", "%v never takes a gradient in", o.Beta1)
		}
		if forgetsNothing(o.Beta2) {
			v.Add("optimizer.beta2", "Kingma and Ba use 0.999", "%v never takes a gradient in", o.Beta2)
		}
		v.number("optimizer.epsilon", o.Epsilon, 0, math.Inf(1), true, "Kingma and Ba use 1e-8")
		if o.Epsilon > 0 && float32(o.Epsilon) == 0 {
			v.Add("optimizer.epsilon", "Kingma and Ba use 1e-8", "%v is 0 in 32 bits", o.Epsilon)
		}
	}
	v.number("optimizer.weight_decay", o.WeightDecay, 0, math.Inf(1), false, "the paper uses 1e-4")
	v.number("optimizer.head_rate", o.HeadRate, 0, math.Inf(1), false, "0 and 1 mean the same rate as the others'")
	v.oneOf("optimizer.decay_parameters", o.Decay, DecayAll, DecayWeights)
}

func (v *validator) schedule(s Schedule) {
	inf := math.Inf(1)
	v.number("schedule.rate", s.Rate, 0, inf, true, "the paper starts with 0.1")
	drop := len(s.Drop.At)+len(s.Drop.AtEpochs) > 0
	if drop {
		v.number("schedule.drop.factor", s.Drop.Factor, 0, inf, true, "the paper uses 0.1")
		v.milestones("schedule.drop.at", s.Drop.At, maxSteps)
		v.milestones("schedule.drop.at_epochs", s.Drop.AtEpochs, maxEpochs)
		if len(s.Drop.At) > 0 && len(s.Drop.AtEpochs) > 0 {
			v.Add("schedule.drop.at_epochs", "keep one of the two", "at and at_epochs are both set")
		}
	}
	if s.Cosine.Enabled {
		v.number("schedule.cosine.min", s.Cosine.Min, 0, s.Rate, false, "at most schedule.rate")
	}
	plateau := s.Plateau.Factor != 0
	if plateau {
		v.number("schedule.plateau.factor", s.Plateau.Factor, 0, 1, true, "0.1 divides the rate by ten")
		v.between("schedule.plateau.patience", s.Plateau.Patience, 1, math.MaxInt32, "evaluations to wait")
		v.number("schedule.plateau.threshold", s.Plateau.Threshold, 0, 100, false, "percentage points")
		v.number("schedule.plateau.min_rate", s.Plateau.MinRate, 0, inf, false, "")
	}
	n := 0
	for _, on := range []bool{drop, s.Cosine.Enabled, plateau} {
		if on {
			n++
		}
	}
	if n > 1 {
		v.Add("schedule", "keep one of drop, cosine and plateau", "%d schedules are set", n)
	}
	v.warmup(s)
}

func (v *validator) warmup(s Schedule) {
	w := s.Warmup
	v.number("schedule.warmup.rate", w.Rate, 0, math.Inf(1), false, "0 means no warm-up")
	v.number("schedule.warmup.until.train_error_below", w.Until.TrainErrorBelow, 0, 100, false, "percent")
	v.between("schedule.warmup.until.window", w.Until.Window, 0, maxWindow, "0 means 100 iterations")
	v.between("schedule.warmup.iterations", w.Iterations, 0, maxSteps, "0 means no limit")
	v.between("schedule.warmup.epochs", w.Epochs, 0, maxEpochs, "0 means iterations")
	if w.Linear {
		v.linearWarmup(s)
		return
	}
	if w.Epochs != 0 {
		v.Add("schedule.warmup.epochs", "set linear, or iterations", "epochs are for a linear warm-up")
	}
	if w.Rate == 0 {
		if w.Until.TrainErrorBelow != 0 || w.Iterations != 0 {
			v.Add("schedule.warmup.rate", "the paper uses 0.01", "0, but an end of the warm-up is set")
		}
		return
	}
	if w.Rate >= s.Rate {
		v.Add("schedule.warmup.rate", "a warm-up is below schedule.rate", "%v is not below the rate %v%s", w.Rate, float32(s.Rate), v.scaled())
	}
	if w.Until.TrainErrorBelow == 0 && w.Iterations == 0 {
		v.Add("schedule.warmup.until", "the paper: {train_error_below: 80}", "the warm-up would never end")
	}
}

// linearWarmup checks what a warm-up that rises evenly needs.
func (v *validator) linearWarmup(s Schedule) {
	w := s.Warmup
	if w.Rate >= s.Rate {
		v.Add("schedule.warmup.rate", "a warm-up begins below schedule.rate", "%v is not below the rate %v%s", w.Rate, float32(s.Rate), v.scaled())
	}
	if w.Until.TrainErrorBelow != 0 {
		v.Add("schedule.warmup.until", "leave it out", "a linear warm-up ends after iterations or epochs")
	}
	if (w.Iterations == 0) == (w.Epochs == 0) {
		v.Add("schedule.warmup.iterations", "set one of iterations and epochs", "%d iterations and %d epochs of a linear warm-up", w.Iterations, w.Epochs)
	}
}

func (v *validator) milestones(path string, at []int, most int) {
	for i, m := range at {
		if m < 1 {
			v.Add(path, "milestones count from 1", "%d is below 1", m)
		} else if m > most {
			v.Add(path, "", "%d, and %d at most are possible", m, most)
		} else if i > 0 && m <= at[i-1] {
			v.Add(path, "list them in increasing order", "%d does not come after %d", m, at[i-1])
		}
	}
}

// forgetsNothing reports whether a share that is kept at each step is all, in float32.
func forgetsNothing(kept float64) bool { return kept <= 1 && float32(kept) == 1 }

// effectiveRate refuses rates that are finite and become infinite, or nothing, in the update: a
// drop may raise the rate, the classifier has a multiple of it, and Adam divides the first ones by
// 1 - beta1.
func (v *validator) effectiveRate(c Config) {
	s, o := c.schedule(), c.Optimizer
	if !(s.Rate > 0 && s.Rate <= math.MaxFloat32) {
		return // said already
	}
	peak := s.Rate
	if f := s.Drop.Factor; f > 1 {
		peak *= math.Pow(f, float64(len(s.Drop.At)+len(s.Drop.AtEpochs)))
	}
	peak *= max(o.HeadRate, 1)
	if o.adaptive() && o.Beta1 > 0 && o.Beta1 < 1 {
		peak /= 1 - o.Beta1
	}
	switch {
	case !(peak <= math.MaxFloat32):
		v.Add("schedule.rate", "the paper starts with 0.1", "%v becomes %v by the drop's factor, optimizer.head_rate and the optimizer, which is infinite in 32 bits", s.Rate, peak)
	case float32(s.Rate) == 0:
		v.Add("schedule.rate", "the paper starts with 0.1", "%v is 0 in 32 bits", s.Rate)
	}
}
