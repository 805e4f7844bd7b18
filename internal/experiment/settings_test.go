package experiment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/eval/report"
)

// TestSettingsAreWhatConfigurationsDifferIn: not the network's name, not the seed, not what changes
// no result; a folder where it says which images they are.
func TestSettingsAreWhatConfigurationsDifferIn(t *testing.T) {
	load := func(file string, sets ...string) *config.Loaded {
		t.Helper()
		l, err := config.Load(config.Input{File: file, Sets: sets})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for name, c := range map[string]struct {
		configs []*config.Loaded
		want    [][]report.Setting
	}{
		"seeds, depths and machines": {[]*config.Loaded{
			load("quickstart"), load("quickstart", "train.seed=7", "model.depth=20", "eval.batch=10", "data.workers=3"), load("quickstart", "model.residual=false"),
		}, make([][]report.Setting, 3)},
		"a rate and a list": {[]*config.Loaded{load("cifar20"), load("cifar20", "train.schedule.rate=0.05"), nil, load("cifar20", "train.schedule.drop.at=[]")}, [][]report.Setting{
			{{Key: "train.schedule.drop.at", Value: "[32000 48000]"}, {Key: "train.schedule.rate", Value: "0.1"}},
			{{Key: "train.schedule.drop.at", Value: "[32000 48000]"}, {Key: "train.schedule.rate", Value: "0.05"}},
			nil,
			{{Key: "train.schedule.drop.at", Value: "[]"}, {Key: "train.schedule.rate", Value: "0.1"}},
		}},
		"a moved copy":   {[]*config.Loaded{load("cifar20"), load("cifar20", "data.dir=/elsewhere")}, make([][]report.Setting, 2)},
		"another folder": {[]*config.Loaded{load("", "data.name=folder", "data.dir=/a"), load("", "data.name=folder", "data.dir=/b")}, [][]report.Setting{{{Key: "data.dir", Value: "/a"}}, {{Key: "data.dir", Value: "/b"}}}},
		"none":           {[]*config.Loaded{nil, nil}, make([][]report.Setting, 2)},
	} {
		if d := cmp.Diff(c.want, settings(c.configs)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestVariationsAreComparedAsOneNetwork: what the settings say is not in the name again, and which
// tests best is said of all together; the paper's value is that of its own network alone.
func TestVariationsAreComparedAsOneNetwork(t *testing.T) {
	var list []report.Compared
	var configs []*config.Loaded
	for _, sets := range [][]string{{"model.batch_norm=true"}, {"model.batch_norm=false"}, {"model.batch_norm=true", "model.shortcut=B"}} {
		l, err := config.Load(config.Input{File: "cifar20", Sets: append(sets, "model.activation=elu")})
		if err != nil {
			t.Fatal(err)
		}
		spec, err := blocks.Resolve(l.Model, blocks.DataInfo{})
		if err != nil {
			t.Fatal(err)
		}
		n := report.Net{Model: spec.Name, Kind: report.KindResidual, Depth: 20, Family: "cifar", Dataset: "cifar10", TrainImages: 50_000, TestImages: 10_000, Iterations: 64_000, Batch: 128}
		trained, tested := 1+float64(len(list)), 9+5*float64(len(list))
		run := report.Run{Name: spec.Name, History: report.History{{Step: 64_000, TrainError: &trained, TestError: &tested}}}
		list, configs = append(list, report.Compared{Run: run, Net: n}), append(configs, l)
	}
	tellSettings(list, configs)
	for i, want := range []string{"resnet20-elu", "resnet20-elu", "resnet20-elu"} {
		if got := list[i].Net.Network; got != want {
			t.Errorf("%s is called %s, want %s", list[i].Net.Model, got, want)
		}
	}
	c := report.NewComparison("", "", list)
	said := strings.Join(c.Findings, "\n")
	if want := "Of resnet20-elu, batch_norm=true, shortcut= has the lowest test error, 9.00%. batch_norm=false, shortcut= is 5.00 points above it"; !strings.Contains(said, want) {
		t.Errorf("%s\nwant %s", said, want)
	}
	for _, o := range c.Outcomes {
		if o.Paper != nil {
			t.Errorf("%s has the paper's value %v", o.Model, *o.Paper)
		}
	}
}
