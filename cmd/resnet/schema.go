package main

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

// schemaField is one key of the configuration: a node of a tree with the shape of Config.
type schemaField struct {
	key  string // "rate"
	path string // "train.schedule.rate"; empty for the root
	doc  string
	kind fieldKind
	bits int // of integers
	sub  []*schemaField
}

// configSchema derives the tree from the struct tags of Config: there is no second list of keys to
// keep in step.
func configSchema() *schemaField {
	root := &schemaField{kind: sectionField}
	root.sub = structFields(reflect.TypeFor[Config](), "")
	return root
}

func structFields(t reflect.Type, prefix string) []*schemaField {
	var fields []*schemaField
	for i := range t.NumField() {
		sf := t.Field(i)
		key := sf.Tag.Get("mapstructure")
		if key == "" || key == "-" {
			continue
		}
		f := &schemaField{key: key, path: prefix + key, doc: sf.Tag.Get("doc")}
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
			panic("config: no schema for the type of " + f.path) // a programming error: the tests build the schema
		}
		fields = append(fields, f)
	}
	return fields
}

// child returns the key of a section, or nil.
func (f *schemaField) child(key string) *schemaField {
	for _, c := range f.sub {
		if c.key == key {
			return c
		}
	}
	return nil
}

// find returns the field at a dotted path, or nil.
func (f *schemaField) find(path string) *schemaField {
	for _, key := range strings.Split(path, ".") {
		if f = f.child(key); f == nil {
			return nil
		}
	}
	return f
}

// keys lists the keys of a section.
func (f *schemaField) keys() []string {
	var keys []string
	for _, c := range f.sub {
		keys = append(keys, c.key)
	}
	return keys
}

// leaves lists the fields that hold a value, in the order of the struct.
func (f *schemaField) leaves() []*schemaField {
	if f.kind != sectionField {
		return []*schemaField{f}
	}
	var leaves []*schemaField
	for _, c := range f.sub {
		leaves = append(leaves, c.leaves()...)
	}
	return leaves
}

// get returns the value of a leaf in cfg.
func (f *schemaField) get(cfg *Config) any {
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
