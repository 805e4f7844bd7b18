package config

import "testing"

func TestAKeyThatChangesNothingIsKnown(t *testing.T) {
	for _, c := range []struct {
		preset string
		sets   []string
		key    string
		idle   bool
	}{
		{"quickstart", nil, "speech.buckets", true},
		{"quickstart", nil, "model.speech.units", true},
		{"fsdd-wrbn", nil, "speech.buckets", false},
		{"fsdd-wrbn", nil, "data.augment.flip", true},
		{"quickstart", nil, "data.augment.flip", false},
		{"quickstart", nil, "data.augment.pad", false},
		{"quickstart", nil, "data.augment.area_min", true},
		{"imagenet-resnet34a", nil, "data.augment.pad", true},
		{"imagenet-resnet34a", nil, "data.augment.shorter_min", false},
		{"imagenet-resnet34a", nil, "data.labels", false},
		{"cifar20", nil, "data.labels", true},
		{"cifar20", nil, "model.activation", false},
		{"cifar20", nil, "model.batch_norm", false},
		{"imagenet-resnet34", nil, "model.stem_kernel", false},
		{"imagenet-vgg16", nil, "model.activation", true},
		{"imagenet-bn-inception", nil, "model.batch_norm", true},
		{"fsdd-wrbn", nil, "model.stem_kernel", true},
		{"cifar20", nil, "model.bn_momentum", false},
		{"imagenet-bn-inception", nil, "model.bn_momentum", false},
		{"cifar20", []string{"model.batch_norm=false"}, "model.bn_momentum", true},
		{"cifar20", []string{"model.batch_norm=false"}, "train.bn_recompute", true},
		{"imagenet-vgg16", nil, "train.bn_recompute", true},
		{"fsdd-wrbn", nil, "model.bn_momentum", true},
		{"quickstart", nil, "data.dir", true},
		{"cifar20", nil, "data.dir", false},
		{"cifar20", nil, "train.optimizer.beta1", true},
		{"cifar20", []string{"train.optimizer.name=adam"}, "train.optimizer.beta1", false},
		{"cifar20", []string{"train.optimizer.name=adam"}, "train.optimizer.momentum", true},
		{"cifar20", []string{"train.optimizer.name=adamw"}, "train.optimizer.momentum", true},
		{"cifar20", []string{"train.optimizer.name=lamb"}, "train.optimizer.beta2", false},
		{"cifar20", []string{"train.optimizer.name=lars"}, "train.optimizer.momentum", false},
		{"cifar20", []string{"train.optimizer.name=lars"}, "train.optimizer.epsilon", false},
		{"cifar20", []string{"train.optimizer.name=lars"}, "train.optimizer.trust", false},
		{"cifar20", nil, "train.optimizer.trust", true},
		{"cifar20", nil, "train.ema.every", true},
		{"cifar20", []string{"train.ema.decay=0.9"}, "train.ema.every", false},
		{"cifar20", nil, "train.early_stopping.threshold", true},
		{"cifar20", nil, "train.optimizer.freeze_statistics", true},
		{"cifar20", []string{"train.optimizer.freeze=conv1"}, "train.optimizer.freeze_statistics", false},
		{"cifar20", nil, "data.augment.rand_layers", true},
		{"cifar20", []string{"data.augment.policy=rand"}, "data.augment.rand_layers", false},
		{"cifar20", nil, "data.augment.mixup", false},
		{"fsdd-wrbn", nil, "data.augment.mixup", true},
		{"fsdd-wrbn", nil, "train.label_smoothing", true},
		{"fsdd-wrbn", nil, "data.sampling", true},
		{"cifar20", nil, "train.schedule.warmup.epochs", true},
		{"cifar20", []string{"train.schedule.warmup.linear=true", "train.schedule.warmup.epochs=1"}, "train.schedule.warmup.epochs", false},
		{"cifar20", []string{"train.schedule.warmup.linear=true", "train.schedule.warmup.epochs=1"}, "train.schedule.warmup.iterations", false},
		{"cifar20", nil, "train.schedule.drop.factor", false},
		{"cifar20", []string{"train.schedule.drop.at=[]"}, "train.schedule.drop.factor", true},
		{"cifar20", nil, "train.schedule.warmup.iterations", true},
		{"cifar110", nil, "train.schedule.warmup.until.window", false},
		{"cifar20", nil, "train.schedule.plateau.patience", true},
		{"imagenet-resnet34a", nil, "train.schedule.plateau.patience", false},
		{"cifar20", nil, "train.schedule.cosine.min", true},
		{"cifar20", nil, "train.batch", false},
		{"cifar20", nil, "train.epochs", true},
		{"cifar20", []string{"train.epochs=3"}, "train.epochs", false},
		{"cifar20", nil, "eval.every_epochs", true},
	} {
		l, err := Load(Input{File: c.preset, Sets: c.sets})
		if err != nil {
			t.Fatal(err)
		}
		if why := l.Idle(c.key); (why != "") != c.idle {
			t.Errorf("%s %v, %s: %q, want idle %v", c.preset, c.sets, c.key, why, c.idle)
		}
	}
}

// TestEveryIdleKeyExists: a key that was renamed would never be found idle.
func TestEveryIdleKeyExists(t *testing.T) {
	root := schema()
	for _, rule := range idle {
		for _, k := range rule.keys {
			name := k
			if k[len(k)-1] == '.' {
				name = k[:len(k)-1]
			}
			if root.find(name) == nil {
				t.Errorf("no key %s", k)
			}
		}
	}
}
