package experiment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
