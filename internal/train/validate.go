package train

import (
	"math"

	"resnet/internal/fielderr"
)

// Validate returns every error of the section, in the order of its fields; nil when there is none.
func (c Config) Validate() []fielderr.Error {
	v := &validator{fielderr.List{Section: "train"}}
	v.min("batch", c.Batch, 1, "the paper trains with 128")
	v.min("accumulate", c.Accumulate, 1, "1 means no accumulation")
	v.min("iterations", c.Iterations, 0, "0 means by epochs")
	if c.Iterations == 0 {
		v.min("epochs", c.Epochs, 1, "set iterations or epochs")
	}
	v.optimizer(c.Optimizer)
	v.schedule(c.Schedule)
	v.min("checkpoint.every", c.Checkpoint.Every, 0, "0 means at every evaluation")
	v.min("checkpoint.keep", c.Checkpoint.Keep, 0, "0 means all")
	v.min("bn_recompute", c.BNRecompute, 0, "0 means keep the running averages")
	v.number("clip_norm", c.ClipNorm, 0, math.Inf(1), false, "0 means never")
	v.oneOf("on_nonfinite", c.OnNonfinite, NonfiniteStop, NonfiniteSkip, NonfiniteRollback)
	v.oneOf("on_save_error", c.OnSaveError, SaveErrorStop, SaveErrorContinue)
	return v.Errors
}

// validator holds the checks of values over the list of what is wrong.
type validator struct{ fielderr.List }

func (v *validator) min(path string, x, least int, hint string) {
	if x < least {
		v.Add(path, hint, "%d is below %d", x, least)
	}
}

// number checks that x is finite and within [lo, hi] or, when open, (lo, hi].
func (v *validator) number(path string, x, lo, hi float64, open bool, hint string) {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		v.Add(path, hint, "%v is not a finite number", x)
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
	v.Add(path, hint, "unknown value %q", x)
}

func (v *validator) optimizer(o Optimizer) {
	v.oneOf("optimizer.name", o.Name, OptimizerSGD, OptimizerAdam)
	v.number("optimizer.momentum", o.Momentum, 0, 1, false, "the paper uses 0.9")
	if o.Momentum == 1 {
		v.Add("optimizer.momentum", "the paper uses 0.9", "1 never forgets a gradient")
	}
	if o.Nesterov && o.Name == OptimizerAdam {
		v.Add("optimizer.nesterov", "leave it out", "Adam has no Nesterov form here")
	} else if o.Nesterov && o.Momentum == 0 {
		v.Add("optimizer.nesterov", "set optimizer.momentum", "Nesterov needs momentum")
	}
	if o.Name == OptimizerAdam {
		v.number("optimizer.beta1", o.Beta1, 0, 1, false, "Kingma and Ba use 0.9")
		v.number("optimizer.beta2", o.Beta2, 0, 1, false, "Kingma and Ba use 0.999")
		if o.Beta1 == 1 {
			v.Add("optimizer.beta1", "Kingma and Ba use 0.9", "1 never takes a gradient in")
		}
		if o.Beta2 == 1 {
			v.Add("optimizer.beta2", "Kingma and Ba use 0.999", "1 never takes a gradient in")
		}
		v.number("optimizer.epsilon", o.Epsilon, 0, math.Inf(1), true, "Kingma and Ba use 1e-8")
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
		v.milestones("schedule.drop.at", s.Drop.At)
		v.milestones("schedule.drop.at_epochs", s.Drop.AtEpochs)
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
		v.min("schedule.plateau.patience", s.Plateau.Patience, 1, "evaluations to wait")
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
	v.min("schedule.warmup.until.window", w.Until.Window, 0, "0 means 100 iterations")
	v.min("schedule.warmup.iterations", w.Iterations, 0, "0 means no limit")
	if w.Rate == 0 {
		if w.Until.TrainErrorBelow != 0 || w.Iterations != 0 {
			v.Add("schedule.warmup.rate", "the paper uses 0.01", "0, but an end of the warm-up is set")
		}
		return
	}
	if w.Rate >= s.Rate {
		v.Add("schedule.warmup.rate", "a warm-up is below schedule.rate", "%v is not below the rate %v", w.Rate, s.Rate)
	}
	if w.Until.TrainErrorBelow == 0 && w.Iterations == 0 {
		v.Add("schedule.warmup.until", "the paper: {train_error_below: 80}", "the warm-up would never end")
	}
}

func (v *validator) milestones(path string, at []int) {
	for i, m := range at {
		if m < 1 {
			v.Add(path, "milestones count from 1", "%d is below 1", m)
		} else if i > 0 && m <= at[i-1] {
			v.Add(path, "list them in increasing order", "%d does not come after %d", m, at[i-1])
		}
	}
}
