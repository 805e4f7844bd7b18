package weights

import (
	"fmt"
	"strconv"
)

// Values of a pickle are nil, bool, int64, float64, string, []any (a tuple), *pyList, *pyDict,
// pyGlobal, what the functions that describe tensors make (storageRef, torchTensor), and *pyOpaque
// for all else.
type (
	pyGlobal string // "module.name"
	pyList   struct{ items []any }
	pyDict   struct {
		keys   []any // in order of insertion
		values map[any]any
	}
	pyMark struct{}
	// pyOpaque is an object of a class that is not known here, or what a function that is not known
	// here would return. It is data: its name, the attributes that BUILD would have set, and the
	// items that would have been put in it.
	pyOpaque struct {
		class string
		state any
		items *pyDict
	}
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
	case *pyOpaque:
		return v.class
	}
	return "something else"
}

func (d *pyDict) get(key string) any { return d.values[key] }

// set adds a member. A name that is there already is refused: readers disagree on which one counts.
// A member under what is no plain value is left out, since no tensor has such a name.
func (d *pyDict) set(key, value any) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		return nil
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
