package config

import (
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/train"
)

// idle lists keys, or whole sections by a trailing dot, that change nothing in some experiments.
var idle = []struct {
	keys []string
	when func(*Config) bool
	why  string
}{
	{[]string{"speech.", "model.speech."}, func(c *Config) bool { return !datasets.IsSpeech(c.Data.Name) }, "the data are images"},
	{
		[]string{
			"data.augment.", "data.normalize", "data.mean_images", "data.size", "data.resize", "data.downsample", "data.labels", "data.label_pattern", "data.on_corrupt", "data.validation_draw",
			"data.mean", "data.std",
		},
		func(c *Config) bool { return datasets.IsSpeech(c.Data.Name) }, "the data are speech",
	},
	{
		[]string{"model.activation", "model.batch_norm", "model.stem_kernel"},
		lacks(blocks.Spec.Varies), "it is for residual and plain networks of images",
	},
	{[]string{"model.bn_momentum", "train.bn_recompute"}, lacks(blocks.Spec.BatchNormalised), "the network has no batch normalisation"},
	{[]string{"data.mean", "data.std"}, func(c *Config) bool { return c.Data.Normalize != datasets.NormalizeGiven }, "data.normalize is not given"},
	{[]string{"data.dir"}, func(c *Config) bool { return c.Data.Name == "fashion-sample" }, "its images are part of the program"},
	{[]string{"data.labels"}, func(c *Config) bool { return c.Data.Name != "imagenet" && c.Data.Name != "folder" }, "it is read for imagenet and folder alone"},
	{[]string{"data.test", "data.split_seed", "data.split"}, func(c *Config) bool { return c.Data.Name != "folder" }, "it is for a folder without train/ and test/"},
	{[]string{"data.orientation", "data.interpolation", "data.channels"}, func(c *Config) bool { return !datasets.AnySize(c.Data.Name) }, "the images have one size"},
	{[]string{"data.validation_draw"}, func(c *Config) bool { return c.Data.Validation == 0 }, "data.validation is 0"},
	{[]string{"data.augment.pad"}, crop(datasets.CropPad), "data.augment.crop is not pad"},
	{[]string{"data.augment.shorter_min", "data.augment.shorter_max"}, crop(datasets.CropShorterSide), "data.augment.crop is not shorter-side"},
	{[]string{"data.augment.area_min", "data.augment.aspect_max"}, crop(datasets.CropResized), "data.augment.crop is not resized"},
	{[]string{"data.augment.rand_layers", "data.augment.rand_magnitude"}, func(c *Config) bool { return c.Data.Augment.Policy != datasets.PolicyRand }, "data.augment.policy is not rand"},
	{[]string{"data.sampling"}, func(c *Config) bool { return datasets.IsSpeech(c.Data.Name) }, "the data are speech"},
	{
		[]string{"model.zero_init_residual", "model.stochastic_depth", "train.loss", "train.label_smoothing", "train.class_weights", "train.optimizer.freeze_statistics"},
		func(c *Config) bool { return datasets.IsSpeech(c.Data.Name) }, "the data are speech",
	},
	{[]string{"train.optimizer.momentum", "train.optimizer.nesterov"}, optimizer(train.OptimizerAdam, train.OptimizerAdamW, train.OptimizerLAMB), "the optimizer keeps moments, as adam does"},
	{[]string{"train.optimizer.beta1", "train.optimizer.beta2"}, optimizer(train.OptimizerSGD, train.OptimizerLARS), "the optimizer is not adam, adamw or lamb"},
	{[]string{"train.optimizer.epsilon"}, optimizer(train.OptimizerSGD), "the optimizer is sgd"},
	{
		[]string{"train.optimizer.trust"},
		optimizer(train.OptimizerSGD, train.OptimizerAdam, train.OptimizerAdamW, train.OptimizerLAMB),
		"the optimizer is not lars",
	},
	{[]string{"train.optimizer.freeze_statistics"}, func(c *Config) bool { return len(c.Train.Optimizer.FrozenParts()) == 0 }, "train.optimizer.freeze names no layer"},
	{[]string{"train.ema.every"}, func(c *Config) bool { return c.Train.EMA.Decay == 0 }, "train.ema.decay is 0"},
	{[]string{"train.early_stopping.threshold"}, func(c *Config) bool { return c.Train.EarlyStop.Patience == 0 }, "train.early_stopping.patience is 0"},
	{[]string{"train.epochs"}, func(c *Config) bool { return c.Train.Iterations > 0 }, "train.iterations says how long it trains"},
	{[]string{"train.schedule.drop.factor"}, func(c *Config) bool {
		return len(c.Train.Schedule.Drop.At) == 0 && len(c.Train.Schedule.Drop.AtEpochs) == 0
	}, "there are no drops: set train.schedule.drop.at or at_epochs"},
	{[]string{"train.schedule.cosine.min"}, func(c *Config) bool { return !c.Train.Schedule.Cosine.Enabled }, "train.schedule.cosine.enabled is false"},
	{
		[]string{"train.schedule.plateau.patience", "train.schedule.plateau.threshold", "train.schedule.plateau.min_rate"},
		func(c *Config) bool { return c.Train.Schedule.Plateau.Factor == 0 }, "train.schedule.plateau.factor is 0",
	},
	{
		[]string{"train.schedule.warmup.until.", "train.schedule.warmup.iterations"},
		func(c *Config) bool { return c.Train.Schedule.Warmup.Rate == 0 && !c.Train.Schedule.Warmup.Linear },
		"train.schedule.warmup.rate is 0",
	},
	{
		[]string{"train.schedule.warmup.until."},
		func(c *Config) bool { return c.Train.Schedule.Warmup.Linear }, "a linear warm-up ends after iterations or epochs",
	},
	{
		[]string{"train.schedule.warmup.epochs"},
		func(c *Config) bool { return !c.Train.Schedule.Warmup.Linear }, "train.schedule.warmup.linear is false",
	},
	{[]string{"eval.every_epochs"}, func(c *Config) bool { return c.Eval.Every > 0 }, "eval.every says when it is evaluated"},
}

// lacks says of a network's property that an experiment's network has not got it.
func lacks(property func(blocks.Spec) bool) func(*Config) bool {
	return func(c *Config) bool {
		s, err := blocks.Resolve(c.Model, blocks.DataInfo{})
		return err == nil && !property(s)
	}
}

func optimizer(names ...string) func(*Config) bool {
	return func(c *Config) bool { return slices.Contains(names, c.Train.Optimizer.Name) }
}

func crop(kind string) func(*Config) bool {
	return func(c *Config) bool {
		have := c.Data.Augment.Crop
		if have == "" {
			have = datasets.CropPad
		}
		return have != kind
	}
}

// Idle says why a key changes nothing in this experiment; "" where it does, or might.
func (l *Loaded) Idle(key string) string {
	for _, rule := range idle {
		if slices.ContainsFunc(rule.keys, func(k string) bool {
			return k == key || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k)
		}) && rule.when(&l.Config) {
			return rule.why
		}
	}
	return ""
}
