package main

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

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

// envLayer reads the variables of the sections. A variable that begins like a section's but names
// no key is a problem, as a misspelt key in a file is; other RESNET_ variables (RESNET_CPU) are not
// configuration.
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

// parseText reads a value from the command line or the environment: text as it stands, everything
// else as in YAML; a list may leave out its brackets.
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
