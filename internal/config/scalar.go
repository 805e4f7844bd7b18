package config

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scalarValue reads the value of a leaf. What YAML leaves to guessing (3.0 as an int, yes as a
// bool) is refused with the spelling that is meant.
func scalarValue(n *yaml.Node, f *field) (any, error) {
	n = resolve(n)
	if f.kind == intListField {
		return intList(n, f)
	}
	if f.numbers {
		return numberText(n)
	}
	if n.Kind != yaml.ScalarNode {
		return nil, fmt.Errorf("takes %s, not %s", f.kind, describe(n))
	}
	tag := n.ShortTag()
	if tag == "!!null" {
		return nil, errors.New("has no value; leave the key out to take its default")
	}
	switch f.kind {
	case stringField:
		if tag != "!!str" {
			return nil, fmt.Errorf("takes text, not %s; write it in quotes", describe(n))
		}
		return n.Value, nil
	case boolField:
		if tag != "!!bool" {
			return nil, fmt.Errorf("takes true or false, not %s", describe(n))
		}
		var v bool
		if decodeScalar(n, &v) != nil {
			return nil, fmt.Errorf("takes true or false, not %s", describe(n))
		}
		return v, nil
	case floatField:
		var v float64
		if tag != "!!float" && tag != "!!int" || decodeScalar(n, &v) != nil {
			return nil, fmt.Errorf("takes a number, not %s", describe(n))
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("takes a finite number, not %s", describe(n))
		}
		return v, nil
	}
	return intValue(n, f)
}

// numberText is a number, a list of numbers, or a text of numbers with commas, as such a text.
func numberText(n *yaml.Node) (any, error) {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	var parts []string
	for _, item := range list {
		item = resolve(item)
		if tag := item.ShortTag(); item.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" && (tag != "!!str" || n.Kind == yaml.SequenceNode) {
			return nil, fmt.Errorf("takes a list of numbers such as [0.5, 0.25], not %s", describe(item))
		}
		parts = append(parts, item.Value)
	}
	return strings.Join(parts, ", "), nil
}

func intList(n *yaml.Node, f *field) (any, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("takes a list of whole numbers such as [1, 2], not %s", describe(n))
	}
	list := make([]int, 0, min(len(n.Content), 1024))
	for i, item := range n.Content {
		v, err := intValue(resolve(item), &field{kind: intField, bits: f.bits})
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		list = append(list, v.(int))
	}
	return list, nil
}

func intValue(n *yaml.Node, f *field) (any, error) {
	wrong := fmt.Errorf("takes %s, not %s", f.kind, describe(n))
	if n.Kind != yaml.ScalarNode {
		return nil, wrong
	}
	if n.ShortTag() == "!!float" {
		var v float64
		if decodeScalar(n, &v) == nil && v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return nil, fmt.Errorf("%w; write %d", wrong, int64(v))
		}
		return nil, wrong
	}
	if n.ShortTag() != "!!int" {
		return nil, wrong
	}
	if f.kind == uintField {
		var v uint64
		if decodeScalar(n, &v) != nil {
			return nil, wrong
		}
		return v, nil
	}
	var v int
	if decodeScalar(n, &v) != nil {
		return nil, wrong
	}
	return v, nil
}

func decodeScalar(n *yaml.Node, v any) error { return n.Decode(v) }
