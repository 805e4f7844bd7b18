package blocks

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"resnet/internal/graph"
)

// TestVariationsHaveTheCountsOfPaperAndPencil: a convolution's bias stands for γ and β, so without
// normalisation there is one value less for each of its channels.
func TestVariationsHaveTheCountsOfPaperAndPencil(t *testing.T) {
	for name, want := range map[string][2]int64{
		"resnet20-sigmoid":      {269_722, 40_551_040},
		"resnet20-elu":          {269_722, 40_551_040},
		"resnet20-nobn":         {269_722 - (7*16 + 6*32 + 6*64), 40_551_040},
		"plain20-sigmoid-nobn":  {269_722 - (7*16 + 6*32 + 6*64), 40_551_040},
		"resnet20-stem5":        {269_722 + (25-9)*3*16, 40_551_040 + (25-9)*3*16*32*32},
		"resnet20-stem7":        {269_722 + (49-9)*3*16, 40_551_040 + (49-9)*3*16*32*32},
		"resnet18-stem3":        {11_689_512 - (49-9)*3*64, 1_814_073_344 - (49-9)*3*64*112*112},
		"resnet50-elu-nobn":     {25_557_032 - 26_560, 3_857_973_248}, // of 26,560 channels
		"cifar-resnet14c-nobn":  {0, 0},
		"resnet34a-nobn-stem5":  {0, 0},
		"resnet50v1.5c-sigmoid": {0, 0},
	} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := Summarize(s)
		if err != nil || sum.Params != s.Params || sum.MACs != s.MACs {
			t.Errorf("%s says %d and %d, its layers %d and %d: %v", name, s.Params, s.MACs, sum.Params, sum.MACs, err)
		}
		if got := [2]int64{s.Params, s.MACs}; want[0] > 0 && got != want {
			t.Errorf("%s has %v parameters and multiply-adds, want %v", name, got, want)
		}
		if s.Name != name || s.PaperError != nil || s.Source == "" {
			t.Errorf("%s is %s, of the paper's error %v, from %q", name, s.Name, s.PaperError, s.Source)
		}
	}
}

func TestResolveVariesTheRow(t *testing.T) {
	for _, c := range []struct {
		set  func(*Config)
		name string
	}{
		{func(c *Config) { c.Activation = "relu" }, "resnet20"},
		{func(c *Config) { c.StemKernel = 3 }, "resnet20"},
		{func(c *Config) { c.Activation, c.BatchNorm = "elu", false }, "resnet20-elu-nobn"},
		{func(c *Config) { c.Activation, c.Shortcut, c.StemKernel = "sigmoid", "B", 7 }, "resnet20b-sigmoid-stem7"},
		{func(c *Config) { c.Name, c.Shortcut = "resnet20-elu", "C" }, "resnet20c-elu"},
		{func(c *Config) { c.Name, c.Shortcut = "resnet34a-nobn", "B" }, "resnet34-nobn"},
		{func(c *Config) { c.Name, c.Activation = "resnet20-elu-nobn", "relu" }, "resnet20-nobn"},
		{func(c *Config) { c.Name, c.Activation = "resnet20-elu", "relu" }, "resnet20"},
		{func(c *Config) { c.Name, c.Family, c.Depth, c.BatchNorm = "", "cifar", 8, false }, "cifar-plain8-nobn"},
		{func(c *Config) { c.Name, c.StemKernel = "resnet50", 5 }, "resnet50-stem5"},
		{func(c *Config) { c.Name, c.StemKernel = "resnet50", 7 }, "resnet50"},
	} {
		config := DefaultConfig()
		config.Name = "resnet20"
		c.set(&config)
		s, err := Resolve(config, DataInfo{})
		if err != nil || s.Name != c.name {
			t.Errorf("%s, %v; want %s", s.Name, err, c.name)
			continue
		}
		found, err := Lookup(s.Name)
		if err != nil || !reflect.DeepEqual(found, s) {
			t.Errorf("Lookup gives %+v, %v; want %+v", found, err, s)
		}
		if row := !strings.Contains(s.Name, "-"); row != (s.PaperError != nil) && s.Name != "resnet50" {
			t.Errorf("%s has the paper's value %v", s.Name, s.PaperError)
		}
		text, err := json.Marshal(s)
		var back Spec
		if err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(back, s) {
			t.Errorf("%s comes back from a file as %+v", s.Name, back)
		}
	}
	for _, name := range []string{"resnet20-relu", "resnet20-stem3", "resnet50-stem7", "resnet20-nobn-elu", "resnet20-elu-elu", "vgg16-sigmoid", "wrbn-nobn", "-elu"} {
		if s, err := Lookup(name); err == nil {
			t.Errorf("%s is a name, of %+v", name, s)
		}
	}
}

func TestKeysOfAVariationThatChangeNothingAreRefused(t *testing.T) {
	for _, c := range []struct {
		set  func(*Config)
		path string
		says string
	}{
		{func(c *Config) { c.Activation = "tanh" }, "activation", `unknown activation "tanh"`},
		{func(c *Config) { c.Name, c.Activation = "prelu-net-a", "relu" }, "activation", "prelu-net-a is drawn line by line"},
		{func(c *Config) { c.Name, c.Activation = "wrbn", "elu" }, "activation", "wrbn is one of speech"},
		{func(c *Config) { c.Name, c.BatchNorm = "vgg16bn", false }, "batch_norm", "vgg16bn is drawn"},
		{func(c *Config) { c.Name, c.StemKernel = "googlenet", 5 }, "stem_kernel", "googlenet is drawn"},
		{func(c *Config) { c.StemKernel = 4 }, "stem_kernel", "4 is none of them"},
		{func(c *Config) { c.BatchNorm, c.BNEps = false, 1e-3 }, "bn_eps", "no batch normalisation"},
		{func(c *Config) { c.BatchNorm, c.BNMomentum = false, 0.01 }, "bn_momentum", "no batch normalisation"},
		{func(c *Config) { c.Name, c.BNMomentum = "resnet20-nobn", 0.01 }, "bn_momentum", "no batch normalisation"},
	} {
		config := DefaultConfig()
		config.Name = "resnet20"
		c.set(&config)
		errs := config.Validate()
		if len(errs) != 1 || errs[0].Path != c.path || !strings.Contains(errs[0].Msg, c.says) || errs[0].Hint == "" {
			t.Errorf("%+v: %v; want one error at %s that says %q", config, errs, c.path, c.says)
		}
	}
	for what, spoil := range map[string]func(*Spec){
		"activation": func(s *Spec) { s.Activation = "tanh" },
		"relu":       func(s *Spec) { s.Activation = "relu" },
		"stem":       func(s *Spec) { s.StemKernel = 9 },
		"body":       func(s *Spec) { *s, _ = Lookup("vgg16"); s.Activation = ELU },
		"speech":     func(s *Spec) { *s, _ = Lookup("wrbn"); s.NoBatchNorm = true },
	} {
		s, _ := Lookup("resnet20")
		if spoil(&s); s.Validate() == nil {
			t.Errorf("%s: a checkpoint with %+v is taken", what, s)
		}
	}
}

// Tensors say whether there is normalisation, and the stem's kernel; not the activation.
func TestVariationsAreIdentifiedByTheirTensors(t *testing.T) {
	for name, want := range map[string][]string{
		"resnet32b-nobn":       {"resnet32b-nobn"},
		"resnet20-stem5":       {"plain20-stem5", "resnet20-stem5"},
		"resnet20b-elu":        {"resnet20b"},
		"resnet18-nobn-stem3":  {"resnet18-nobn-stem3"},
		"cifar-plain14-nobn":   {"cifar-plain14-nobn", "cifar-resnet14-nobn"},
		"resnet20c-sigmoid":    {"resnet20c"},
		"resnet34c-nobn-stem5": {"resnet34c-nobn-stem5"},
	} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		shapes := map[string][]int{}
		for _, l := range trace(s) {
			for n, shape := range l.tensors() {
				shapes[n] = shape
			}
		}
		var got []string
		for _, f := range Identify(shapes) {
			got = append(got, f.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the tensors of %s are those of %v, want %v", name, got, want)
		}
		if f, err := ForTensors(name, shapes, ""); err != nil || f.variation() != s.variation() {
			t.Errorf("--arch %s gives %+v, %v", name, f, err)
		}
	}
}

func TestANetworkIsNamedWithoutWhatKeysSay(t *testing.T) {
	for _, c := range []struct {
		name, want string
		keys       []string
	}{
		{"resnet20b-elu-nobn-stem5", "resnet20b-elu-nobn-stem5", []string{"train.batch"}},
		{"resnet20b-elu-nobn-stem5", "resnet20-elu-nobn-stem5", []string{"model.shortcut"}},
		{"resnet20b-elu-nobn-stem5", "resnet20b-nobn", []string{"model.activation", "model.stem_kernel"}},
		{"resnet34a-nobn", "resnet34", []string{"model.batch_norm", "model.shortcut"}},
		{"plain20-nobn", "plain20", []string{"model.shortcut", "model.batch_norm"}},
		{"wrbn", "wrbn", []string{"model.batch_norm"}},
	} {
		s, err := Lookup(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.NetworkName(c.keys...); got != c.want {
			t.Errorf("%s without what %v say is %s, want %s", c.name, c.keys, got, c.want)
		}
	}
}

// TestInitialisationFitsTheActivation: before sigmoids 2/(fanIn+fanOut), else 2/fanIn.
func TestInitialisationFitsTheActivation(t *testing.T) {
	for name, want := range map[string]float64{
		"resnet20":              2.0 / 576,
		"resnet20-elu":          2.0 / 576,
		"resnet20-nobn":         2.0 / 576,
		"resnet20-sigmoid":      2.0 / (576 + 576),
		"resnet20-sigmoid-nobn": 2.0 / (576 + 576),
	} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		params := graph.NewParamSet(3)
		if _, err := Build(s, 1, graph.Eval, params); err != nil {
			t.Fatal(err)
		}
		p := params.Get("layer3.2.conv2.weight") // 36,864 values of fan-in and fan-out 576
		if got := math.Pow(norm(p.Data), 2) / float64(len(p.Data)); math.Abs(got/want-1) > 0.04 {
			t.Errorf("%s: variance %g, want %g", name, got, want)
		}
		if bias := params.Get("layer3.2.conv2.bias"); (bias != nil) != s.NoBatchNorm || bias != nil && norm(bias.Data) != 0 {
			t.Errorf("%s: biases %v", name, bias)
		}
	}
}
