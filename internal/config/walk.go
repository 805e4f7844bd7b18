package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

// Place is where something stands in a file; lines and columns count from one. The zero place has
// no position.
type Place struct{ Line, Col int }

// Problem is one thing wrong with a configuration.
type Problem struct {
	Source string // file, "--set train.batch", or an environment variable
	At     Place
	Msg    string
}

func (p Problem) String() string {
	if p.At.Line > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", p.Source, p.At.Line, p.At.Col, p.Msg)
	}
	return p.Source + ": " + p.Msg
}

// Error is every problem of a configuration. It is a usage error: exit status 2.
type Error struct{ Problems []Problem }

const maxProblemsShown = 50

func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == maxProblemsShown {
			fmt.Fprintf(&b, "\nand %d more", len(e.Problems)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// origin says where a value comes from.
type origin struct {
	source string // "default", the file, "RESNET_TRAIN_BATCH", "--set train.batch=64"
	at     Place
}

// layer is the values of one source, by path, and the origin of each.
type layer struct {
	values  map[string]any
	origins map[string]origin
	notes   []string // what was read in another way than it is written
}

func newLayer() layer { return layer{values: map[string]any{}, origins: map[string]origin{}} }

// current is the path that a key has now; a key that had another name leaves a note.
func (ly *layer) current(path string, o origin) string {
	now, ok := renamed[path]
	if !ok {
		return path
	}
	ly.notes = append(ly.notes, fmt.Sprintf("%s: %s is called %s now", o, path, now))
	return now
}

func (ly layer) set(path string, value any, o origin) { ly.values[path], ly.origins[path] = value, o }

// walker checks a YAML tree against the schema.
type walker struct {
	source   string
	layer    layer
	problems []Problem
}

// renamed are keys that had another name, by their old path.
var renamed = map[string]string{"train.optimizer.decay": "train.optimizer.decay_parameters"}

// Current is the name that a key has now.
func Current(path string) string {
	if now, ok := renamed[path]; ok {
		return now
	}
	return path
}

// join is the path of a key in a section; "" is the root.
func join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}

func (w *walker) report(n *yaml.Node, format string, args ...any) {
	if len(w.problems) > 1000 { // a megabyte of unknown keys is one mistake, not a hundred thousand
		return
	}
	w.problems = append(w.problems, Problem{w.source, Place{n.Line, n.Column}, fmt.Sprintf(format, args...)})
}

// parseYAML reads an experiment: values of the right types by path, and every problem found. It
// never expands aliases wholesale and descends only where the schema does, so a file cannot make it
// work longer than its own length.
func parseYAML(source string, data []byte, root *field) (layer, []Problem) {
	w := &walker{source: source, layer: newLayer()}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		w.problems = append(w.problems, Problem{source, invalidUTF8(data), "not UTF-8 text; save the file as UTF-8"})
		return w.layer, w.problems
	}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) { // an empty file is all defaults
			w.problems = append(w.problems, syntaxProblem(source, data, err))
		}
		return w.layer, w.problems
	}
	if len(doc.Content) == 1 {
		w.section(doc.Content[0], root)
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		w.report(&second, "a second YAML document; an experiment is one document")
	} else if !errors.Is(err, io.EOF) {
		w.problems = append(w.problems, syntaxProblem(source, data, err))
	}
	sort.SliceStable(w.problems, func(i, j int) bool {
		a, b := w.problems[i].At, w.problems[j].At
		return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
	})
	return w.layer, w.problems
}

// resolve follows an alias; the anchor's node is shared, never copied.
func resolve(n *yaml.Node) *yaml.Node {
	for range 8 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			return n
		}
		n = n.Alias
	}
	return n
}

func (w *walker) section(n *yaml.Node, f *field) {
	at := n
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return // "train:" with every line below commented out
	}
	if n.Kind != yaml.MappingNode {
		name := f.path
		if name == "" {
			name = "an experiment"
		}
		w.report(at, "%s is a section with the keys %s, not %s", name, strings.Join(f.keys(), ", "), describe(n))
		return
	}
	seen := map[string]Place{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			w.report(key, "a key has to be a word, not %s", describe(key))
			continue
		}
		name := key.Value
		if key.ShortTag() == "!!merge" {
			w.report(key, "merge keys (<<) are not supported; write the keys out")
			continue
		}
		if now := w.layer.current(join(f.path, name), origin{w.source, Place{key.Line, key.Column}}); now != join(f.path, name) {
			name = now[strings.LastIndexByte(now, '.')+1:]
		}
		if first, ok := seen[name]; ok {
			w.report(key, "duplicate key %s; it stands on line %d already", quoteKey(name), first.Line)
			continue
		}
		seen[name] = Place{key.Line, key.Column}
		child := f.child(name)
		if child == nil {
			w.report(key, "unknown key %s%s", quoteKey(name), w.hint(name, f))
			continue
		}
		if child.kind == sectionField {
			w.section(value, child)
			continue
		}
		if child.path == normalizeKey && resolve(value).Kind == yaml.MappingNode {
			w.section(value, &field{path: child.path, kind: sectionField, sub: []*field{f.child("mean"), f.child("std")}})
			w.layer.set(child.path, datasets.NormalizeGiven, origin{w.source, Place{value.Line, value.Column}})
			continue
		}
		v, err := scalarValue(value, child)
		if err != nil {
			w.report(value, "%s: %v", child.path, err)
			continue
		}
		w.layer.set(child.path, v, origin{w.source, Place{value.Line, value.Column}})
	}
}

// normalizeKey takes a choice, or the mean and the deviation themselves.
const normalizeKey = "data.normalize"

// synonyms are what other trainers call our keys.
var synonyms = map[string]string{
	"learning_rate": "train.schedule.rate", "lr": "train.schedule.rate", "batch_size": "train.batch", "arch": "model.name",
	"architecture": "model.name", "dataset": "data.name", "padding": "data.augment.pad", "steps": "train.iterations",
	"max_iter": "train.iterations", "num_classes": "model.classes", "wd": "train.optimizer.weight_decay",
	"milestones": "train.schedule.drop.at", "gamma": "train.schedule.drop.factor", "num_workers": "data.workers",
	"learning-rate": "train.schedule.rate", "base_lr": "train.schedule.rate", "initial_lr": "train.schedule.rate", "init_lr": "train.schedule.rate", "lr0": "train.schedule.rate",
	"min_lr": "train.schedule.cosine.min", "eta_min": "train.schedule.cosine.min", "bs": "train.batch", "batchsize": "train.batch", "batch-size": "train.batch",
	"train_batch_size": "train.batch", "num_epochs": "train.epochs", "max_epochs": "train.epochs", "n_epochs": "train.epochs", "num_train_epochs": "train.epochs",
	"max_steps": "train.iterations", "weight-decay": "train.optimizer.weight_decay", "wdecay": "train.optimizer.weight_decay", "l2": "train.optimizer.weight_decay",
	"opt": "train.optimizer.name", "lr_scheduler": "train.schedule", "scheduler": "train.schedule", "pretrained": "model.weights", "checkpoint": "model.weights",
	"backbone": "model.name", "network": "model.name", "n_classes": "model.classes", "nb_classes": "model.classes", "img_size": "data.size", "image_size": "data.size",
	"imgsz": "data.size", "crop_size": "data.size", "resize_size": "data.resize", "data_dir": "data.dir", "data_path": "data.dir", "data_root": "data.dir", "root": "data.dir",
	"val_split": "data.validation", "val_fraction": "data.validation", "valid_pct": "data.validation", "hflip": "data.augment.flip", "random_state": "train.seed",
}

// hint suggests a key of the same section, or the place of a key of another one.
func (w *walker) hint(name string, f *field) string {
	if len(w.problems) > 100 {
		return ""
	}
	// A word that is known goes before one that looks like it: lr is no loss.
	if path := synonyms[strings.ToLower(name)]; path != "" {
		return fmt.Sprintf(" - did you mean %s?", path)
	}
	for _, leaf := range schema().leaves() {
		if leaf.key == strings.ToLower(name) {
			return fmt.Sprintf(" - did you mean %s?", leaf.path)
		}
	}
	if n := text.Nearest(name, f.keys()); n != "" {
		return fmt.Sprintf(" - did you mean %q?", n)
	}
	return ""
}

func quoteKey(s string) string {
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	return strconv.Quote(s)
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return "nothing"
		}
		return quoteKey(n.Value)
	}
	return "an alias"
}

func invalidUTF8(data []byte) Place {
	line, col := 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size <= 1 {
			break
		}
		if col++; r == '\n' {
			line, col = line+1, 1
		}
		data = data[size:]
	}
	return Place{line, col}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

// syntaxProblem gives the parser's complaint a position, and the commonest one, a tab, its name.
func syntaxProblem(source string, data []byte, err error) Problem {
	for i, line := range strings.Split(string(data), "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if t := strings.IndexByte(indent, '\t'); t >= 0 && len(indent) < len(line) {
			return Problem{source, Place{i + 1, t + 1}, "a tab indents this line; YAML takes spaces only"}
		}
	}
	p := Problem{source, Place{1, 1}, strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, convErr := strconv.Atoi(m[1]); convErr == nil {
			p.At.Line = n
		}
		p.Msg = m[2]
	}
	return p
}
