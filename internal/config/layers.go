package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"resnet/internal/text"
)

// clearChoices adds the empty value of the keys that this layer's own keys put out of force.
func (ly *layer) clearChoices(root *field) {
	var empty Config
	for _, path := range sortedKeys(ly.values) {
		for _, other := range choices[path] {
			if _, set := ly.values[other]; !set {
				ly.values[other] = root.find(other).get(&empty)
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
func envLayer(environ []string, root *field) (layer, []Problem) {
	byName := map[string]*field{}
	for _, f := range root.leaves() {
		byName[envName(f.path)] = f
	}
	ly := newLayer()
	var problems []Problem
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if value == "" || !isSectionVariable(name, root) { // an empty variable is as good as none
			continue
		}
		for old := range renamed {
			if name == envName(old) {
				name = envName(ly.current(old, origin{source: name}))
			}
		}
		f := byName[name]
		if f == nil {
			problems = append(problems, Problem{Source: name, Msg: "no configuration key has this name" + text.DidYouMean(name, sortedKeys(byName))})
			continue
		}
		v, err := parseText(value, f)
		if err != nil {
			problems = append(problems, Problem{Source: name, Msg: err.Error()})
			continue
		}
		ly.set(f.path, v, origin{source: name})
	}
	return ly, problems
}

func isSectionVariable(name string, root *field) bool {
	for _, s := range root.sub {
		if strings.HasPrefix(name, envName(s.path)+"_") {
			return true
		}
	}
	return false
}

// setLayer reads the --set flags; the last one of a key wins.
func setLayer(sets []string, root *field) (layer, []Problem) {
	ly := newLayer()
	var problems []Problem
	var paths []string
	for _, f := range root.leaves() {
		paths = append(paths, f.path)
	}
	for _, kv := range sets {
		path, value, ok := strings.Cut(kv, "=")
		path = strings.TrimSpace(path)
		source := "--set " + kv
		path = ly.current(path, origin{source: source})
		f := root.find(path)
		switch {
		case !ok:
			problems = append(problems, Problem{Source: source, Msg: "has to be key=value, such as --set train.batch=64"})
			continue
		case f == nil:
			problems = append(problems, Problem{Source: source, Msg: fmt.Sprintf("unknown key %s%s", quoteKey(path), suggestPath(path, paths))})
			continue
		case f.kind == sectionField:
			problems = append(problems, Problem{Source: source, Msg: fmt.Sprintf("%s is a section; set one of its keys, such as %s", path, f.leaves()[0].path)})
			continue
		}
		v, err := parseText(value, f)
		if err != nil {
			problems = append(problems, Problem{Source: source, Msg: err.Error()})
			continue
		}
		ly.set(path, v, origin{source: source})
	}
	return ly, problems
}

// suggestPath is what other trainers call a key, or the key of the same last word in another
// section, for who writes --set batch=64; else text.DidYouMean over whole paths, and over last
// words.
func suggestPath(path string, paths []string) string {
	last := path[strings.LastIndexByte(path, '.')+1:]
	if s := synonyms[strings.ToLower(last)]; s != "" {
		return fmt.Sprintf(" - did you mean %q?", s)
	}
	for _, p := range paths {
		if p == last || strings.HasSuffix(p, "."+last) {
			return fmt.Sprintf(" - did you mean %q?", p)
		}
	}
	if s := text.DidYouMean(path, paths); s != "" {
		return s
	}
	var lasts []string
	for _, p := range paths {
		lasts = append(lasts, p[strings.LastIndexByte(p, '.')+1:])
	}
	if n := text.Nearest(last, lasts); n != "" {
		return suggestPath(n, paths)
	}
	return ""
}

// parseText reads a value from the command line or the environment: text as it stands, everything
// else as in YAML; a list may leave out its brackets.
func parseText(text string, f *field) (any, error) {
	if f.kind == stringField { // numbers too: they are read where the channels are known
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
