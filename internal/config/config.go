package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/viper"

	"resnet/configs"
	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/fielderr"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/collective"
)

// Config is an experiment. Each section belongs to the package that carries it out.
type Config struct {
	Model  blocks.Config   `mapstructure:"model" yaml:"model" doc:"the network"`
	Data   datasets.Config `mapstructure:"data" yaml:"data" doc:"the images or utterances"`
	Speech corpus.Config   `mapstructure:"speech" yaml:"speech" doc:"utterances and features, where the data are speech"`
	Train  train.Config    `mapstructure:"train" yaml:"train" doc:"how to train it"`
	Eval   eval.Config     `mapstructure:"eval" yaml:"eval" doc:"how to measure it"`
	// Distributed is for trainings of several processes.
	Distributed collective.Config `mapstructure:"distributed" yaml:"distributed" doc:"how processes that share a training talk"`
}

// Default is what a key that is left out means. Where He et al. 2016 give a value for
// CIFAR-10 (section 4.2), it is that; the other values are ours, or PyTorch's.
func Default() Config {
	c := Config{Model: blocks.DefaultConfig(), Data: datasets.DefaultConfig(), Speech: corpus.DefaultConfig(), Train: train.DefaultConfig(), Eval: eval.DefaultConfig(), Distributed: collective.DefaultConfig()}
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

// Loaded is a configuration with its history.
type Loaded struct {
	Config
	Name    string   // of the preset or file; "" without one
	Path    string   // of the file, or of the preset
	Notes   []string // what was read in another way than it is written
	Run     string   // folder of the run whose configuration it is; "" of a new one
	origins map[string]origin
}

// Input is what a command line says about the configuration.
type Input struct {
	File string   // preset or path; "" means defaults alone
	Sets []string // key=value
	Env  []string // the process's environment, "KEY=value"
	// Before are key=value, weaker than all of these: what keys meant before they were there.
	Before []string
}

// Load merges --set over RESNET_* over the file over the defaults and validates the result.
// Its error is a *Error with every problem found.
func Load(in Input) (*Loaded, error) {
	root := schema()
	l := &Loaded{origins: map[string]origin{}}
	var layers []layer
	var problems []Problem
	add := func(ly layer, found []Problem) {
		layers, problems = append(layers, ly), append(problems, found...)
		l.Notes = append(l.Notes, ly.notes...)
	}
	add(setLayer(in.Before, root))
	if in.File != "" {
		src, err := findConfig(in.File)
		if err != nil {
			return nil, err
		}
		l.Name, l.Path = src.Name, src.Path
		add(parseYAML(src.Path, src.Data, root))
	}
	add(envLayer(in.Env, root))
	add(setLayer(in.Sets, root))
	if err := l.merge(layers, root); err != nil {
		return nil, err
	}
	// Values are checked even when keys are wrong, so that one run shows everything; those at fault
	// keep their defaults.
	problems = append(problems, l.validate()...)
	if len(problems) > 0 {
		sortProblems(problems)
		return nil, &Error{problems}
	}
	return l, nil
}

// sortProblems puts the problems of each source, in the order the sources came up, by line and
// column.
func sortProblems(problems []Problem) {
	rank := map[string]int{}
	for i, p := range problems {
		if _, ok := rank[p.Source]; !ok {
			rank[p.Source] = i
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank[a.Source], rank[b.Source]), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Col, b.At.Col))
	})
}

func findConfig(name string) (configs.Source, error) {
	src, err := configs.Find(name)
	if err == nil {
		return src, nil
	}
	return src, Usagef("%w%s; `resnet config list` shows the presets", err, text.DidYouMean(name, configs.Names()))
}

// merge lets viper lay the sources over each other, the weakest first. Types are right already:
// text was parsed against the schema.
func (l *Loaded) merge(layers []layer, root *field) error {
	v := viper.New()
	def := Default()
	for _, f := range root.leaves() {
		v.SetDefault(f.path, f.get(&def))
		l.origins[f.path] = origin{source: "default"}
	}
	for _, ly := range layers {
		ly.clearChoices(root)
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
func (l *Loaded) validate() []Problem {
	var problems []Problem
	for _, e := range sectionErrors(&l.Config) {
		problems = append(problems, l.problemAt(e))
	}
	return problems
}

// problemAt gives a section's finding the place where the value was set. A finding about a whole
// section stands where the first of its keys was set.
func (l *Loaded) problemAt(e fielderr.Error) Problem {
	path := e.Field()
	o, ok := l.origins[path]
	if f := schema().find(path); !ok && f != nil {
		for _, leaf := range f.leaves() {
			if o = l.origins[leaf.path]; o.source != "default" {
				break
			}
		}
	}
	p := Problem{Source: o.source, At: o.at, Msg: e.Error()}
	if o.source == "" || o.source == "default" {
		p.Source = "default"
		if l.Path != "" {
			p.Source = l.Path
		}
	}
	return p
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// Origin says where the value of a key comes from: "default", FILE:LINE, a variable of the
// environment or a --set.
func (l *Loaded) Origin(path string) string { return l.origins[path].String() }

// Origins is Origin of every key.
func (l *Loaded) Origins() map[string]string {
	all := map[string]string{}
	for path, o := range l.origins {
		all[path] = o.String()
	}
	return all
}

// Overridden is the origin of a key's value where that is neither the file nor a default: a --set
// or a variable of the environment. Otherwise it is "".
func (l *Loaded) Overridden(path string) string {
	if o := l.origins[path]; o.source != "default" && o.at.Line == 0 {
		return o.source
	}
	return ""
}

// String is the source with its position.
func (o origin) String() string {
	if o.at.Line > 0 {
		return fmt.Sprintf("%s:%d", o.source, o.at.Line)
	}
	return o.source
}
