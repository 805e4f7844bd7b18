package config

import (
	"reflect"
	"strings"
)

// fieldKind is what a key of the configuration may hold.
type fieldKind uint8

const (
	sectionField fieldKind = iota
	stringField
	boolField
	intField
	uintField
	floatField
	intListField
)

// String is the word that messages and the JSON schema are built from.
func (k fieldKind) String() string {
	return [...]string{"a section", "text", "true or false", "a whole number", "a whole number, not negative", "a number", "a list of whole numbers"}[k]
}

// field is one key of the configuration: a node of a tree with the shape of Config.
type field struct {
	key  string // "rate"
	path string // "train.schedule.rate"; empty for the root
	doc  string
	kind fieldKind
	bits int // of integers
	// numbers says that a text is a list of numbers, which may be written as one.
	numbers bool
	sub     []*field
}

// schema derives the tree from the struct tags of Config: there is no second list of keys to
// keep in step.
func schema() *field {
	root := &field{kind: sectionField}
	root.sub = structFields(reflect.TypeFor[Config](), "")
	return root
}

func structFields(t reflect.Type, prefix string) []*field {
	var fields []*field
	for i := range t.NumField() {
		sf := t.Field(i)
		key := sf.Tag.Get("mapstructure")
		if key == "" || key == "-" {
			continue
		}
		f := &field{key: key, path: prefix + key, doc: sf.Tag.Get("doc"), numbers: sf.Tag.Get("numbers") != ""}
		switch sf.Type.Kind() {
		case reflect.Struct:
			f.sub = structFields(sf.Type, f.path+".")
		case reflect.String:
			f.kind = stringField
		case reflect.Bool:
			f.kind = boolField
		case reflect.Int, reflect.Int32, reflect.Int64:
			f.kind, f.bits = intField, sf.Type.Bits()
		case reflect.Uint, reflect.Uint32, reflect.Uint64:
			f.kind, f.bits = uintField, sf.Type.Bits()
		case reflect.Float32, reflect.Float64:
			f.kind = floatField
		case reflect.Slice:
			f.kind, f.bits = intListField, sf.Type.Elem().Bits()
		default:
			// A programming error: the tests build the schema.
			panic("config: no schema for the type of " + f.path)
		}
		fields = append(fields, f)
	}
	return fields
}

// child returns the key of a section, or nil.
func (f *field) child(key string) *field {
	for _, c := range f.sub {
		if c.key == key {
			return c
		}
	}
	return nil
}

// find returns the field at a dotted path, or nil.
func (f *field) find(path string) *field {
	for _, key := range strings.Split(path, ".") {
		if f = f.child(key); f == nil {
			return nil
		}
	}
	return f
}

// keys lists the keys of a section.
func (f *field) keys() []string {
	var keys []string
	for _, c := range f.sub {
		keys = append(keys, c.key)
	}
	return keys
}

// leaves lists the fields that hold a value, in the order of the struct.
func (f *field) leaves() []*field {
	if f.kind != sectionField {
		return []*field{f}
	}
	var leaves []*field
	for _, c := range f.sub {
		leaves = append(leaves, c.leaves()...)
	}
	return leaves
}

// get returns the value of a leaf in cfg.
func (f *field) get(cfg *Config) any {
	v := reflect.ValueOf(cfg).Elem()
	for _, key := range strings.Split(f.path, ".") {
		t := v.Type()
		for i := range t.NumField() {
			if t.Field(i).Tag.Get("mapstructure") == key {
				v = v.Field(i)
				break
			}
		}
	}
	return v.Interface()
}

// Key is a key of the configuration that holds a value.
type Key struct {
	Path    string // "train.schedule.rate"
	Doc     string
	Kind    string // "a number"
	Default string // as in YAML; empty for a text without one
}

// Keys lists every key that holds a value, in the order in which a configuration is written.
func Keys() []Key {
	var keys []Key
	defaults := Default()
	for _, f := range schema().leaves() {
		keys = append(keys, Key{f.path, f.doc, f.kind.String(), valueText(f.get(&defaults))})
	}
	return keys
}

// Doc says what a key means; "" where there is no such key.
func Doc(path string) string {
	if f := schema().find(path); f != nil {
		return f.doc
	}
	return ""
}

// Values is a configuration as nested maps, for JSON, for comparing and for digests.
func Values(cfg *Config) map[string]any {
	m, _ := valuesOf(schema(), cfg).(map[string]any)
	return m
}
