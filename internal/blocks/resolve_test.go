package blocks

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"resnet/internal/fielderr"
)

func TestResolveNamesWhatItBuilds(t *testing.T) {
	for _, c := range []struct {
		config   Config
		data     DataInfo
		name     string
		shortcut Shortcut
		paper    bool
	}{
		{Config{Name: "resnet20"}, DataInfo{3, 32, 10}, "resnet20", OptionA, true},
		{Config{Name: "resnet20", Shortcut: "A"}, DataInfo{3, 32, 10}, "resnet20", OptionA, true},
		{Config{Name: "resnet20", Shortcut: "b"}, DataInfo{3, 32, 10}, "resnet20b", OptionB, false},
		{Config{Name: "resnet20"}, DataInfo{3, 32, 100}, "resnet20", OptionA, false},
		{Config{Name: "resnet20"}, DataInfo{1, 28, 10}, "resnet20", OptionA, false},
		{Config{Name: "resnet34", Shortcut: "A"}, DataInfo{}, "resnet34a", OptionA, true},
		{Config{Name: "resnet34a", Shortcut: "B"}, DataInfo{}, "resnet34", OptionB, true},
		{Config{Name: "resnet34a", Shortcut: "C"}, DataInfo{}, "resnet34c", OptionC, true},
		{Config{Name: "resnet50v1.5", Shortcut: "C"}, DataInfo{}, "resnet50v1.5c", OptionC, false},
		{Config{Family: "cifar", Depth: 20, Residual: true}, DataInfo{}, "resnet20", OptionA, true},
		{Config{Family: "cifar", Depth: 20}, DataInfo{}, "plain20", None, false},
		{Config{Family: "cifar", Depth: 14, Residual: true}, DataInfo{}, "cifar-resnet14", OptionA, false},
		{Config{Family: "cifar", Depth: 50, Residual: true, Shortcut: "C"}, DataInfo{}, "cifar-resnet50c", OptionC, false},
		{Config{Family: "cifar", Depth: 44}, DataInfo{1, 14, 10}, "plain44", None, false},
	} {
		c.config.BatchNorm = true
		s, err := Resolve(c.config, c.data)
		if err != nil {
			t.Errorf("%+v: %v", c.config, err)
			continue
		}
		if s.Name != c.name || s.Shortcut != c.shortcut || (s.PaperError != nil) != c.paper {
			t.Errorf("%+v: %s, shortcut %s, paper %v; want %s, %s, %v", c.config, s.Name, s.Shortcut, s.PaperError, c.name, c.shortcut, c.paper)
		}
		again, err := Lookup(s.Name)
		if err != nil || again.Shortcut != s.Shortcut || !reflect.DeepEqual(again.Depths, s.Depths) {
			t.Errorf("Lookup(%q) is another net: %+v, %v", s.Name, again, err)
		}
	}
}

func TestResolveTakesShapesFromTheDataAndCountsAgain(t *testing.T) {
	s, err := Resolve(Config{Name: "resnet20", Classes: 12, ShortcutPad: "end", BatchNorm: true, BNMomentum: 0.01}, DataInfo{Channels: 1, Size: 28, Classes: 10})
	if err != nil {
		t.Fatal(err)
	}
	if s.InputChannels != 1 || s.InputSize != 28 || s.Classes != 12 || !s.PadEnd || s.BNMomentum != 0.01 || s.BNEps != DefaultBNEps {
		t.Errorf("%+v", s)
	}
	// Two input channels fewer in conv1, two classes more in fc.
	want := int64(269_722 - 2*16*9 + 2*65)
	if s.Params != want {
		t.Errorf("%d params, want %d", s.Params, want)
	}
	m, err := Summarize(s)
	if err != nil || m.MACs != s.MACs || m.Params != s.Params {
		t.Errorf("summary %d, %d; spec %d, %d; %v", m.Params, m.MACs, s.Params, s.MACs, err)
	}
}

func TestValidateReportsEveryBadValueWithItsPath(t *testing.T) {
	bad := Config{
		Name: "resnet2O", Shortcut: "D", ShortcutPad: "left", Classes: -1, InputChannels: -3, InputSize: maxSize + 1,
		BNEps: math.NaN(), BNMomentum: 2,
	}
	var paths []string
	for _, e := range bad.Validate() {
		paths = append(paths, e.Path)
		if e.Section != "model" || e.Msg == "" || e.Hint == "" && !strings.Contains(e.Msg, "did you mean") {
			t.Errorf("%s says %q and hints %q", e.Field(), e.Msg, e.Hint)
		}
	}
	want := []string{"name", "shortcut", "shortcut_pad", "classes", "input_channels", "input_size", "bn_eps", "bn_momentum"}
	if !reflect.DeepEqual(paths, want) {
		t.Errorf("reported %v, want %v", paths, want)
	}
	if errs := DefaultConfig().Validate(); len(errs) != 1 || errs[0].Path != "name" {
		t.Errorf("the default names no net: %v", errs)
	}
}

func TestContradictionsAreErrors(t *testing.T) {
	for _, c := range []struct {
		config Config
		data   DataInfo
		path   string
	}{
		{Config{Name: "plain20", Shortcut: "A"}, DataInfo{}, "model.shortcut"},
		{Config{Name: "plain20", Residual: true}, DataInfo{}, "model.residual"},
		{Config{Name: "resnet20", Family: "cifar"}, DataInfo{}, "model.family"},
		{Config{Name: "resnet20", Depth: 20}, DataInfo{}, "model.depth"},
		{Config{Family: "imagenet", Depth: 50}, DataInfo{}, "model.family"},
		{Config{Family: "cifar", Depth: 21}, DataInfo{}, "model.depth"},
		{Config{Family: "cifar", Depth: 2}, DataInfo{}, "model.depth"},
		{Config{Family: "cifar", Depth: 6_000_002}, DataInfo{}, "model.depth"},
		{Config{Name: "resnet20", InputChannels: 3}, DataInfo{Channels: 1}, "model.input_channels"},
		{Config{Name: "resnet20", InputSize: 32}, DataInfo{Size: 28}, "model.input_size"},
		{Config{Name: "resnet20", Classes: 5}, DataInfo{Classes: 10}, "model.classes"},
	} {
		c.config.BatchNorm = true
		_, err := Resolve(c.config, c.data)
		var field fielderr.Error
		if !errors.As(err, &field) || field.Field() != c.path {
			t.Errorf("%+v with %+v: %v; want an error at %s", c.config, c.data, err, c.path)
		}
	}
}

func TestSpecSurvivesJSON(t *testing.T) {
	for _, s := range table {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Spec
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, s) {
			t.Errorf("%s came back as %+v, %v", s.Name, back, err)
		}
	}
}

// The form of files is that of every release before, whatever the fields are called here.
func TestPartsKeepTheirFormInFiles(t *testing.T) {
	for text, want := range map[string]Part{
		`{"kind":"fc","name":"fc1","out":1024}`:                                     {Kind: PartFC, Name: "fc1", Out: 1024},
		`{"kind":"fc","name":"fc"}`:                                                 {Kind: PartClassifier, Name: "fc"},
		`{"kind":"dropout","name":"dropout","rate":0.4}`:                            {Kind: PartDropout, Name: "dropout", Dropout: 0.4},
		`{"kind":"conv","name":"conv1","out":64,"kernel":7,"stride":2,"bias":true}`: {Kind: PartConv, Name: "conv1", Out: 64, Kernel: 7, Stride: 2, Bias: true},
		`{"kind":"maxpool","kernel":3,"stride":2,"pad":1,"ceil":true}`:              {Kind: PartMaxPool, Kernel: 3, Stride: 2, Pad: 1, Ceil: true},
		`{"kind":"pyramid","name":"spp","levels":[3,1]}`:                            {Kind: PartPyramid, Name: "spp", Levels: []int{3, 1}},
		`{"kind":"aux","name":"aux1","rate":0.3,"branches":[[{"kind":"relu"},{"kind":"fc","name":"fc2"}]]}`: {
			Kind: PartAux, Name: "aux1", LossWeight: 0.3,
			Branches: [][]Part{{{Kind: PartReLU}, {Kind: PartClassifier, Name: "fc2"}}},
		},
	} {
		var got Part
		if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
		if written, err := json.Marshal(want); err != nil || string(written) != text {
			t.Errorf("%+v is written as %s, %v; want %s", want, written, err, text)
		}
	}
}

func TestHostileSpecsAreRefusedBeforeAnythingIsAllocated(t *testing.T) {
	for what, spoil := range map[string]func(*Spec){
		"block":          func(s *Spec) { s.Block = "dense" },
		"stem":           func(s *Spec) { s.Stem = "" },
		"shortcut":       func(s *Spec) { s.Shortcut = "" },
		"no stages":      func(s *Spec) { s.Depths, s.Widths = nil, nil },
		"uneven stages":  func(s *Spec) { s.Depths = s.Depths[:2] },
		"depth":          func(s *Spec) { s.Depths[1] = math.MaxInt },
		"total depth":    func(s *Spec) { s.Depths = []int{maxBlocks, maxBlocks, maxBlocks} },
		"zero blocks":    func(s *Spec) { s.Depths[0] = 0 },
		"width":          func(s *Spec) { s.Widths[2] = 1 << 40 },
		"shrinking":      func(s *Spec) { s.Widths[2] = 8 },
		"classes":        func(s *Spec) { s.Classes = -1 },
		"input size":     func(s *Spec) { s.InputSize = 0 },
		"input channels": func(s *Spec) { s.InputChannels = 1 << 40 },
		"eps":            func(s *Spec) { s.BNEps = 0 },
		"eps NaN":        func(s *Spec) { s.BNEps = math.NaN() },
		"momentum":       func(s *Spec) { s.BNMomentum = 1.5 },
	} {
		s, err := Lookup("resnet20")
		if err != nil {
			t.Fatal(err)
		}
		spoil(&s)
		if _, err := Summarize(s); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), "resnet20") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
