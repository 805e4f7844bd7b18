package config

import (
	"os"
	"testing"

	"resnet/configs"
	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/train"
)

// checkResolvesSpeech resolves a preset with the features that its front end makes.
func checkResolvesSpeech(t *testing.T, name string, l *Loaded) {
	t.Helper()
	front := l.Speech.Frontend
	spec, err := blocks.ResolveSequence(l.Model, blocks.SequenceInfo{Dim: front.Bins * (1 + front.Deltas), Maps: 1 + front.Deltas, Classes: 2042})
	if err != nil || spec.Speech.Features != front.Bins || spec.Classes != 2042 {
		t.Errorf("%s: %+v (%v)", name, spec, err)
	}
	if name == "wrbn" && spec.Params != 17_470_229 {
		t.Errorf("wrbn: %d parameters, published are 17,470,229", spec.Params)
	}
	if _, err := train.NewSequencePlan(l.Train, l.Eval, 2500, 156); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// checkResolves derives network and plan of a preset as train does, from what its data set is known
// to be.
func checkResolves(t *testing.T, name string, l *Loaded) {
	t.Helper()
	if datasets.IsSpeech(l.Data.Name) {
		checkResolvesSpeech(t, name, l)
		return
	}
	sets := map[string]struct {
		info   blocks.DataInfo
		images int
	}{
		"cifar10": {blocks.DataInfo{Channels: 3, Size: 32, Classes: 10}, 50_000},
		// As few as the smoke preset is for.
		"imagenet":       {blocks.DataInfo{Channels: 3, Size: 224, Classes: 1000}, 84},
		"fashion-mnist":  {blocks.DataInfo{Channels: 1, Size: 28, Classes: 10}, 60_000},
		"folder":         {blocks.DataInfo{Channels: 3, Size: 224, Classes: 20}, 1_000},
		"fashion-sample": {blocks.DataInfo{Channels: 1, Size: 28, Classes: 10}, 5_000},
	}
	set, ok := sets[l.Data.Name]
	if !ok {
		t.Errorf("%s: no facts about data set %q", name, l.Data.Name)
		return
	}
	set.info.Size /= l.Data.Downsample
	if l.Model.Name == blocks.FromCheckpoint {
		start, err := blocks.Lookup("resnet50v1.5")
		if err != nil {
			t.Fatal(err)
		}
		l.Model.Take(start)
	}
	spec, err := blocks.Resolve(l.Model, set.info)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if l.Model.Name != "" && spec.Name != l.Model.Name {
		t.Errorf("%s: %s became %s", name, l.Model.Name, spec.Name)
	}
	plan, err := train.NewPlan(l.Train, l.Eval, set.images-datasets.Portion(l.Data.Validation, set.images))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !plan.EvalDue(plan.Iterations) {
		t.Errorf("%s: no evaluation at the end", name)
	}
}

func TestPresetsAreAllThatNoFileHides(t *testing.T) {
	t.Chdir(t.TempDir())
	if got := len(Presets()); got != len(configs.Names()) {
		t.Errorf("%d presets, want %d", got, len(configs.Names()))
	}
	if err := os.WriteFile("cifar20", []byte("train: {seed: 5}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, l := range Presets() {
		if l.Name == "cifar20" {
			t.Error("a file is taken for a preset")
		}
	}
}
