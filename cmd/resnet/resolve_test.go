package main

import (
	"context"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/train"
)

// checkResolvesSpeech resolves a preset with the features that its front end makes.
func checkResolvesSpeech(t *testing.T, name string, l *loaded) {
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
func checkResolves(t *testing.T, name string, l *loaded) {
	t.Helper()
	if datasets.IsSpeech(l.Data.Name) {
		checkResolvesSpeech(t, name, l)
		return
	}
	sets := map[string]struct {
		info   blocks.DataInfo
		images int
	}{
		"cifar10":        {blocks.DataInfo{Channels: 3, Size: 32, Classes: 10}, 50_000},
		"imagenet":       {blocks.DataInfo{Channels: 3, Size: 224, Classes: 1000}, 84}, // as few as the smoke preset is for
		"fashion-mnist":  {blocks.DataInfo{Channels: 1, Size: 28, Classes: 10}, 60_000},
		"fashion-sample": {blocks.DataInfo{Channels: 1, Size: 28, Classes: 10}, 5_000},
	}
	set, ok := sets[l.Data.Name]
	if !ok {
		t.Errorf("%s: no facts about data set %q", name, l.Data.Name)
		return
	}
	set.info.Size /= l.Data.Downsample
	spec, err := blocks.Resolve(l.Model, set.info)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if l.Model.Name != "" && spec.Name != l.Model.Name {
		t.Errorf("%s: %s became %s", name, l.Model.Name, spec.Name)
	}
	plan, err := train.NewPlan(l.Train, l.Eval, set.images-l.Data.Validation)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !plan.EvalDue(plan.Iterations) {
		t.Errorf("%s: no evaluation at the end", name)
	}
}

func TestMistakesThatOnlyTheDataShowHavePlaces(t *testing.T) {
	l, problems := load(t, "model: {name: resnet20, classes: 4}\ndata: {name: fashion-sample}\n", nil)
	if problems != nil {
		t.Fatal(problems)
	}
	_, err := newJob(context.Background(), l, 1, newDataSets())
	if got, want := exitStatus(err), exitUsage; got != want {
		t.Errorf("exit status %d, want %d", got, want)
	}
	if err == nil || err.Error() != l.Path+":1:34: model.classes: 4, but the data set has 10 (leave it out)" {
		t.Errorf("error %q has no place", err)
	}
}

func TestMemoryThatCannotDoIsRefusedBeforeWork(t *testing.T) {
	l, err := loadConfig(configInput{file: "cifar1202", sets: []string{"data.name=fashion-sample", "train.batch=128"}})
	if err != nil {
		t.Fatal(err)
	}
	j, err := newJob(context.Background(), l, 1, newDataSets())
	if err != nil {
		t.Fatal(err)
	}
	need, err := j.leastMemory()
	if err != nil {
		t.Fatal(err)
	}
	// 1201 convolutions of 16x28x28, 32x14x14 and 64x7x7 values, a third each, times 128 images, 4
	// bytes.
	if want := int64(4 * 128 * 400 * (16*28*28 + 32*14*14 + 64*7*7)); need < want || need > want+want/10 {
		t.Errorf("least memory %d, want a little over %d", need, want)
	}
	if err := checkMemory(need, need-1, 128); exitStatus(err) != exitUsage {
		t.Errorf("one byte less than needed: %v, want a usage error", err)
	}
	if err := checkMemory(need, need, 128); err != nil {
		t.Errorf("exactly what is needed: %v", err)
	}
}

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]int64{"8GB": 8e9, "1.5GiB": 3 << 29, "500 mb": 5e8, "12": 12, "": 0} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("parseBytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"x", "-1GB", "0", "NaN", "1e30GB"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("parseBytes(%q) = %d, want an error", text, got)
		}
	}
}

func TestJobsOfOneCommandShareTheirData(t *testing.T) {
	job := func(open dataSets, sets ...string) *job {
		t.Helper()
		l, err := loadConfig(configInput{file: "quickstart", sets: sets})
		if err != nil {
			t.Fatal(err)
		}
		j, err := newJob(context.Background(), l, 1, open)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	open := newDataSets()
	first := job(open)
	if other := job(open, "model.depth=20", "train.seed=2"); other.data != first.data {
		t.Error("another depth and seed opened the images again")
	}
	if other := job(open, "data.limit=100"); other.data == first.data {
		t.Error("other images are taken for the same")
	}
	// The seed draws the validation split.
	if a, b := job(open, "data.validation=500"), job(open, "data.validation=500", "train.seed=2"); a.data == b.data {
		t.Error("two seeds share a validation split")
	}
}
