package main

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"resnet/configs"
	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/train"
)

// Config is an experiment. Each section belongs to the package that carries it out.
type Config struct {
	Model blocks.Config   `mapstructure:"model" yaml:"model" doc:"the network"`
	Data  datasets.Config `mapstructure:"data" yaml:"data" doc:"the images"`
	Train train.Config    `mapstructure:"train" yaml:"train" doc:"how to train it"`
	Eval  eval.Config     `mapstructure:"eval" yaml:"eval" doc:"how to measure it"`
}

// DefaultConfig is what a key that is left out means. Where He et al. 2016 give a value for CIFAR-10 (section 4.2), it is
// that; the other values are ours (bn_eps and bn_momentum are PyTorch's).
func DefaultConfig() Config {
	return Config{
		Model: blocks.Config{Name: "resnet20", ShortcutPad: "sides", BNEps: 1e-5, BNMomentum: 0.1},
		Data: datasets.Config{Name: "cifar10", Normalize: "pixel-mean", Downsample: 1,
			Augment: datasets.Augment{Pad: 4, Flip: true}},
		Train: train.Config{
			Batch: 128, Accumulate: 1, Iterations: 64000, Seed: 1,
			Optimizer: train.Optimizer{Name: "sgd", Momentum: 0.9, WeightDecay: 1e-4, Decay: "all"},
			Schedule: train.Schedule{Rate: 0.1, Drop: train.Drop{Factor: 0.1},
				Plateau: train.Plateau{Patience: 10},
				Warmup:  train.Warmup{Until: train.Until{Window: 100}}},
			Checkpoint:  train.Checkpoint{Keep: 3},
			OnNonfinite: "stop", OnSaveError: "stop",
		},
		Eval: eval.Config{EveryEpochs: 1, Batch: 250},
	}
}

// choices are keys of which one is in force. Setting the first key of a row in one source (a file, the environment, --set)
// empties the others, set by weaker sources: `--set train.epochs=3` means three epochs, whatever the preset says.
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

// loadConfig merges --set over RESNET_* over the file over the defaults and validates the result. Its error is a
// *configError with every problem found.
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
	// Values are checked even when keys are wrong, so that one run shows everything; those at fault keep their defaults.
	problems = append(problems, l.validate()...)
	if len(problems) > 0 {
		sortProblems(problems)
		return nil, &configError{problems}
	}
	return l, nil
}

// sortProblems puts the problems of each source, in the order the sources came up, by line and column.
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
	return src, usageErrorf("--config: %w%s; `resnet config list` shows the presets", err, didYouMean(name, configs.Names()))
}

// merge lets viper lay the sources over each other, the weakest first. Types are right already: text was parsed against
// the schema.
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

// clearChoices adds the empty value of the keys that this layer's own keys put out of force.
func (ly *layer) clearChoices(schema *schemaField) {
	var empty Config
	for _, path := range sortedKeys(ly.values) {
		for _, other := range choices[path] {
			if _, set := ly.values[other]; !set {
				ly.values[other] = schema.find(other).get(&empty)
				ly.origins[other] = ly.origins[path]
			}
		}
	}
}

// nest turns dotted paths into the nested maps that viper merges.
func nest(values map[string]any) map[string]any {
	root := map[string]any{}
	for path, value := range values {
		keys := strings.Split(path, ".")
		m := root
		for _, key := range keys[:len(keys)-1] {
			next, ok := m[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				m[key] = next
			}
			m = next
		}
		m[keys[len(keys)-1]] = value
	}
	return root
}

// envName is the variable of a key: train.batch is RESNET_TRAIN_BATCH.
func envName(path string) string {
	return "RESNET_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// envLayer reads the variables of the sections. A variable that begins like a section's but names no key is a problem, as
// a misspelt key in a file is; other RESNET_ variables (RESNET_CPU) are not configuration.
func envLayer(environ []string, schema *schemaField) (layer, []problem) {
	byName := map[string]*schemaField{}
	for _, f := range schema.leaves() {
		byName[envName(f.path)] = f
	}
	ly := newLayer()
	var problems []problem
	for _, kv := range environ {
		name, text, _ := strings.Cut(kv, "=")
		if text == "" || !isSectionVariable(name, schema) { // an empty variable is as good as none
			continue
		}
		f := byName[name]
		if f == nil {
			problems = append(problems, problem{source: name, msg: "no configuration key has this name" + didYouMean(name, sortedKeys(byName))})
			continue
		}
		value, err := parseText(text, f)
		if err != nil {
			problems = append(problems, problem{source: name, msg: err.Error()})
			continue
		}
		ly.set(f.path, value, origin{source: name})
	}
	return ly, problems
}

func isSectionVariable(name string, schema *schemaField) bool {
	for _, s := range schema.sub {
		if strings.HasPrefix(name, envName(s.path)+"_") {
			return true
		}
	}
	return false
}

// setLayer reads the --set flags; the last one of a key wins.
func setLayer(sets []string, schema *schemaField) (layer, []problem) {
	ly := newLayer()
	var problems []problem
	var paths []string
	for _, f := range schema.leaves() {
		paths = append(paths, f.path)
	}
	for _, kv := range sets {
		path, text, ok := strings.Cut(kv, "=")
		path = strings.TrimSpace(path)
		source := "--set " + kv
		f := schema.find(path)
		switch {
		case !ok:
			problems = append(problems, problem{source: source, msg: "has to be key=value, such as --set train.batch=64"})
			continue
		case f == nil:
			problems = append(problems, problem{source: source, msg: fmt.Sprintf("unknown key %s%s", quoteKey(path), suggestPath(path, paths))})
			continue
		case f.kind == sectionField:
			problems = append(problems, problem{source: source, msg: fmt.Sprintf("%s is a section; set one of its keys, such as %s", path, f.leaves()[0].path)})
			continue
		}
		value, err := parseText(text, f)
		if err != nil {
			problems = append(problems, problem{source: source, msg: err.Error()})
			continue
		}
		ly.set(path, value, origin{source: source})
	}
	return ly, problems
}

// suggestPath is didYouMean over whole paths, and over last keys for who writes --set batch=64.
func suggestPath(path string, paths []string) string {
	if s := didYouMean(path, paths); s != "" {
		return s
	}
	if s := synonyms[strings.ToLower(path)]; s != "" {
		return fmt.Sprintf(" - did you mean %q?", s)
	}
	last := path[strings.LastIndexByte(path, '.')+1:]
	for _, p := range paths {
		if p == last || strings.HasSuffix(p, "."+last) {
			return fmt.Sprintf(" - did you mean %q?", p)
		}
	}
	var lasts []string
	for _, p := range paths {
		lasts = append(lasts, p[strings.LastIndexByte(p, '.')+1:])
	}
	if n := nearest(last, lasts); n != "" {
		return suggestPath(n, paths)
	}
	return ""
}

// parseText reads a value from the command line or the environment: text as it stands, everything else as in YAML; a list
// may leave out its brackets.
func parseText(text string, f *schemaField) (any, error) {
	if f.kind == stringField {
		return text, nil
	}
	text = strings.TrimSpace(text)
	if f.kind == intListField && !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		return nil, fmt.Errorf("takes %s, not %s", f.kind, quoteKey(text))
	}
	return scalarValue(doc.Content[0], f)
}

// validate asks each section and puts its findings where the value was set.
func (l *loaded) validate() []problem {
	var problems []problem
	for _, e := range sectionErrors(&l.Config) {
		problems = append(problems, l.problemAt(e))
	}
	return problems
}

// problemAt gives a section's finding the place where the value was set. A finding about a whole section stands where
// the first of its keys was set.
func (l *loaded) problemAt(e sectionError) problem {
	o, ok := l.origins[e.path]
	if f := configSchema().find(e.path); !ok && f != nil {
		for _, leaf := range f.leaves() {
			if o = l.origins[leaf.path]; o.source != "default" {
				break
			}
		}
	}
	p := problem{source: o.source, at: o.at, msg: e.path + ": " + e.msg}
	if o.source == "" || o.source == "default" {
		p.source = "default"
		if l.Path != "" {
			p.source = l.Path
		}
	}
	if e.hint != "" {
		p.msg += " (" + e.hint + ")"
	}
	return p
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
