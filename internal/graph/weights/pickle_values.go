package weights

import (
	"fmt"
	"strconv"
)

// Values of a pickle are nil, bool, int64, float64, string, []any (a tuple), *pyList, *pyDict,
// pyGlobal, and what allowed globals make: storageRef, torchTensor.
type (
	pyGlobal string // "module.name"
	pyList   struct{ items []any }
	pyDict   struct {
		keys   []any // in order of insertion
		values map[any]any
	}
	pyMark struct{}
)

// describe names the kind of a value for a message. The value itself may be a graph without end,
// and is not printed.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int64, float64:
		return fmt.Sprint(v)
	case string:
		return strconv.Quote(v[:min(len(v), 64)])
	case []any:
		return "a tuple"
	case *pyList:
		return "a list"
	case *pyDict:
		return "a dictionary"
	case pyGlobal:
		return string(v)
	case torchTensor:
		return "a tensor"
	}
	return "something else"
}

func (d *pyDict) get(key string) any { return d.values[key] }

// set adds a member. A name that is there already is refused: readers disagree on which one counts.
func (d *pyDict) set(key, value any) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		return fmt.Errorf("a dictionary's key is no plain value")
	}
	if _, ok := d.values[key]; ok {
		return fmt.Errorf("duplicate key %s", describe(key))
	}
	if d.values == nil {
		d.values = map[any]any{}
	}
	d.keys = append(d.keys, key)
	d.values[key] = value
	return nil
}
