package config

import (
	"bytes"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Encode writes every key of cfg as YAML that Load reads back, with comment(path of the key) at
// the end of its line.
func Encode(cfg *Config, comment func(path string) string) []byte {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(yamlNode(schema(), cfg, comment)); err != nil {
		panic("config: " + err.Error()) // a tree made of scalars and maps always encodes
	}
	return b.Bytes()
}

func yamlNode(f *field, cfg *Config, comment func(path string) string) *yaml.Node {
	if f.kind != sectionField {
		n := valueNode(f.get(cfg))
		if comment != nil {
			n.LineComment = comment(f.path)
		}
		return n
	}
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, c := range f.sub {
		key := &yaml.Node{Kind: yaml.ScalarNode, Value: c.key}
		n.Content = append(n.Content, key, yamlNode(c, cfg, comment))
	}
	return n
}

func valueNode(v any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch v := v.(type) {
	case string:
		n.SetString(v)
		n.Style = yaml.DoubleQuotedStyle
		if plainWord(v) {
			n.Style = 0
		}
	case []int:
		n = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, i := range v {
			n.Content = append(n.Content, valueNode(i))
		}
	case float64:
		n.Value = strconv.FormatFloat(v, 'g', -1, 64)
	default:
		n.Value = fmt.Sprint(v)
	}
	return n
}

// plainWord reports whether text needs no quotes; whatever YAML might take for something else gets
// them.
func plainWord(s string) bool {
	if s == "" || s[0] < 'a' && (s[0] < 'A' || s[0] > 'Z') {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	var n yaml.Node
	return yaml.Unmarshal([]byte(s), &n) == nil && len(n.Content) == 1 && n.Content[0].ShortTag() == "!!str"
}

// valuesOf is cfg as nested maps, for JSON.
func valuesOf(f *field, cfg *Config) any {
	if f.kind != sectionField {
		v := f.get(cfg)
		if list, ok := v.([]int); ok && list == nil {
			return []int{}
		}
		return v
	}
	m := map[string]any{}
	for _, c := range f.sub {
		m[c.key] = valuesOf(c, cfg)
	}
	return m
}

// JSONSchema describes the configuration to editors (JSON Schema, draft 2020-12).
func JSONSchema() map[string]any {
	def := Default()
	m := schemaNode(schema(), &def)
	m["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	m["title"] = "An experiment of resnet"
	return m
}

func schemaNode(f *field, def *Config) map[string]any {
	m := map[string]any{}
	if f.doc != "" {
		m["description"] = f.doc
	}
	if f.kind != sectionField {
		m["default"] = valuesOf(f, def)
	}
	switch f.kind {
	case sectionField:
		props := map[string]any{}
		for _, c := range f.sub {
			props[c.key] = schemaNode(c, def)
		}
		m["type"], m["properties"], m["additionalProperties"] = "object", props, false
	case stringField:
		m["type"] = "string"
	case boolField:
		m["type"] = "boolean"
	case intField:
		m["type"] = "integer"
	case uintField:
		m["type"], m["minimum"] = "integer", 0
	case floatField:
		m["type"] = "number"
	case intListField:
		m["type"], m["items"] = "array", map[string]any{"type": "integer"}
	}
	return m
}

// valueText is a value as it stands in a configuration; an empty text is empty.
func valueText(v any) string {
	if v == "" {
		return ""
	}
	b, err := yaml.Marshal(valueNode(v))
	if err != nil {
		panic("config: " + err.Error()) // a scalar or a list of them always encodes
	}
	return string(bytes.TrimSpace(b))
}
