package main

import (
	"cmp"
	"maps"
	"slices"

	"github.com/spf13/viper"

	"resnet/configs"
	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/fielderr"
	"resnet/internal/train"
)

// Config is an experiment. Each section belongs to the package that carries it out.
type Config struct {
	Model  blocks.Config   `mapstructure:"model" yaml:"model" doc:"the network"`
	Data   datasets.Config `mapstructure:"data" yaml:"data" doc:"the images or utterances"`
	Speech corpus.Config   `mapstructure:"speech" yaml:"speech" doc:"utterances and features, where the data are speech"`
	Train  train.Config    `mapstructure:"train" yaml:"train" doc:"how to train it"`
	Eval   eval.Config     `mapstructure:"eval" yaml:"eval" doc:"how to measure it"`
}

// DefaultConfig is what a key that is left out means. Where He et al. 2016 give a value for
// CIFAR-10 (section 4.2), it is that; the other values are ours, or PyTorch's.
func DefaultConfig() Config {
	c := Config{Model: blocks.DefaultConfig(), Data: datasets.DefaultConfig(), Speech: corpus.DefaultConfig(), Train: train.DefaultConfig(), Eval: eval.DefaultConfig()}
	c.Model.Name, c.Model.ShortcutPad = "resnet20", "sides"
	return c
}

// choices are keys of which one is in force. Setting the first key of a row in one source (a file,
// the environment, --set) empties the others, set by weaker sources: `--set train.epochs=3` means
// three epochs, whatever the preset says.
var choices = map[string][]string{
	"train.iterations":              {"train.epochs"},
	"train.epochs":                  {"train.iterations"},
	"train.schedule.drop.at":        {"train.schedule.drop.at_epochs"},
	"train.schedule.drop.at_epochs": {"train.schedule.drop.at"},
	"eval.every":                    {"eval.every_epochs"},
	"eval.every_epochs":             {"eval.every"},
	"model.name":                    {"model.family", "model.depth", "model.residual"},
	"model.family":                  {"model.name"},
}

// loaded is a configuration with its history.
type loaded struct {
	Config
	Name    string // of the preset or file; "" without one
	Path    string // of the file, or of the preset
	origins map[string]origin
}

// configInput is what a command line says about the configuration.
type configInput struct {
	file string   // preset or path; "" means defaults alone
	sets []string // key=value
	env  []string // the process's environment, "KEY=value"
}

// loadConfig merges --set over RESNET_* over the file over the defaults and validates the result.
// Its error is a *configError with every problem found.
func loadConfig(in configInput) (*loaded, error) {
	schema := configSchema()
	l := &loaded{origins: map[string]origin{}}
	var layers []layer
	var problems []problem
	add := func(ly layer, found []problem) {
		layers, problems = append(layers, ly), append(problems, found...)
	}
	if in.file != "" {
		src, err := findConfig(in.file)
		if err != nil {
			return nil, err
		}
		l.Name, l.Path = src.Name, src.Path
		add(parseYAML(src.Path, src.Data, schema))
	}
	add(envLayer(in.env, schema))
	add(setLayer(in.sets, schema))
	if err := l.merge(layers, schema); err != nil {
		return nil, err
	}
	// Values are checked even when keys are wrong, so that one run shows everything; those at fault
	// keep their defaults.
	problems = append(problems, l.validate()...)
	if len(problems) > 0 {
		sortProblems(problems)
		return nil, &configError{problems}
	}
	return l, nil
}

// sortProblems puts the problems of each source, in the order the sources came up, by line and
// column.
func sortProblems(problems []problem) {
	rank := map[string]int{}
	for i, p := range problems {
		if _, ok := rank[p.source]; !ok {
			rank[p.source] = i
		}
	}
	slices.SortStableFunc(problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(rank[a.source], rank[b.source]), cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.col, b.at.col))
	})
}

func findConfig(name string) (configs.Source, error) {
	src, err := configs.Find(name)
	if err == nil {
		return src, nil
	}
	return src, usageErrorf("%w%s; `resnet config list` shows the presets", err, didYouMean(name, configs.Names()))
}

// merge lets viper lay the sources over each other, the weakest first. Types are right already:
// text was parsed against the schema.
func (l *loaded) merge(layers []layer, schema *schemaField) error {
	v := viper.New()
	def := DefaultConfig()
	for _, f := range schema.leaves() {
		v.SetDefault(f.path, f.get(&def))
		l.origins[f.path] = origin{source: "default"}
	}
	for _, ly := range layers {
		ly.clearChoices(schema)
		if err := v.MergeConfigMap(nest(ly.values)); err != nil {
			return err
		}
		for path := range ly.values {
			l.origins[path] = ly.origins[path]
		}
	}
	return v.UnmarshalExact(&l.Config)
}

// validate asks each section and puts its findings where the value was set.
func (l *loaded) validate() []problem {
	var problems []problem
	for _, e := range sectionErrors(&l.Config) {
		problems = append(problems, l.problemAt(e))
	}
	return problems
}

// problemAt gives a section's finding the place where the value was set. A finding about a whole
// section stands where the first of its keys was set.
func (l *loaded) problemAt(e fielderr.Error) problem {
	path := e.Field()
	o, ok := l.origins[path]
	if f := configSchema().find(path); !ok && f != nil {
		for _, leaf := range f.leaves() {
			if o = l.origins[leaf.path]; o.source != "default" {
				break
			}
		}
	}
	p := problem{source: o.source, at: o.at, msg: e.Error()}
	if o.source == "" || o.source == "default" {
		p.source = "default"
		if l.Path != "" {
			p.source = l.Path
		}
	}
	return p
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
