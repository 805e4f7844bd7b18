package pickle

import (
	"fmt"
	"strconv"
)

// Values of a pickle are nil, bool, int64, float64, string, []any (a tuple), *List, *Dict,
// Global, what Call and Persistent make, and *Opaque for all else.
type (
	// Global is the name of a class or function: "module.name".
	Global string
	// List is a list or a set.
	List struct{ Items []any }
	// Dict is a dictionary; Keys are in the order of insertion.
	Dict struct {
		Keys   []any
		Values map[any]any
	}
	// Object is a value of Call that has attributes.
	Object interface {
		Kind() string // for messages: "a tensor"
		// Build is given what BUILD would have set.
		Build(state any) error
	}
	mark struct{}
	// Opaque is an object of a class that is not known here, or what a function that is not known
	// here would return. It is data: its name, the attributes that BUILD would have set, and the
	// items that would have been put in it.
	Opaque struct {
		Class string
		State any
		Items *Dict
	}
)

// Describe names the kind of a value for a message. The value itself may be a graph without end,
// and is not printed.
func Describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int64, float64:
		return fmt.Sprint(v)
	case string:
		return strconv.Quote(v[:min(len(v), 64)])
	case []any:
		return "a tuple"
	case *List:
		return "a list"
	case *Dict:
		return "a dictionary"
	case Global:
		return string(v)
	case Object:
		return v.Kind()
	case *Opaque:
		return v.Class
	}
	return "something else"
}

// Get is the value under a name, or nil.
func (d *Dict) Get(key string) any { return d.Values[key] }

// Set adds a member. A name that is there already is refused: readers disagree on which one counts.
// A member under what is no plain value is left out, since no tensor has such a name.
func (d *Dict) Set(key, value any) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		return nil
	}
	if _, ok := d.Values[key]; ok {
		return fmt.Errorf("duplicate key %s", Describe(key))
	}
	if d.Values == nil {
		d.Values = map[any]any{}
	}
	d.Keys = append(d.Keys, key)
	d.Values[key] = value
	return nil
}
