package train

import "math"

// recipe checks loss, average and early stopping.
func (v *validator) recipe(c Config) {
	if c.Optimizer.FreezeStats && len(c.Optimizer.FrozenParts()) == 0 {
		v.Add("optimizer.freeze_statistics", "set optimizer.freeze: conv1,bn1,layer1", "no layer is frozen")
	}
	if c.Features {
		if !c.Optimizer.FreezeStats {
			v.Add("cache_features", "set optimizer.freeze: backbone and optimizer.freeze_statistics", "what layers make of an image is kept where they are frozen, statistics included")
		}
		if c.BNRecompute > 0 {
			v.Add("bn_recompute", "set it to 0", "with cache_features, statistics stay")
		}
	}
	v.oneOf("loss", c.Loss, LossSoftmax, LossBinary)
	v.number("label_smoothing", c.Smoothing, 0, 1, false, "0.1 is usual")
	v.oneOf("class_weights", c.Weights, WeightsNone, WeightsBalanced)
	if c.Loss == LossBinary && c.Weights == WeightsBalanced {
		v.Add("class_weights", "use data.sampling: balanced", "weights of classes belong to the softmax loss")
	}
	v.number("ema.decay", c.EMA.Decay, 0, 1, false, "0.999 averages over about 1,000 updates")
	if forgetsNothing(c.EMA.Decay) {
		v.Add("ema.decay", "0.999 averages over about 1,000 updates", "%v never takes a value in", c.EMA.Decay)
	}
	v.between("ema.every", c.EMA.Every, 1, maxSteps, "1 is usual; 32 costs less time")
	if c.EMA.Decay > 0 && c.BNRecompute > 0 {
		v.Add("bn_recompute", "set one of ema.decay and bn_recompute to 0", "the moving average has statistics of its own")
	}
	v.between("early_stopping.patience", c.EarlyStop.Patience, 0, math.MaxInt32, "0 means never")
	if c.EarlyStop.Patience > 0 && c.BNRecompute > 0 {
		v.Add("bn_recompute", "set it or early_stopping.patience to 0", "the statistics are recomputed after the last planned step, and early stopping ends before it")
	}
	v.number("early_stopping.threshold", c.EarlyStop.Threshold, 0, 100, false, "percentage points")
}
