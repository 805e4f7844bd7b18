package weights

import (
	"slices"
	"strconv"
	"strings"

	"resnet/internal/pickle"
)

// Bounds of the search for tensors in a pickle: training scripts put a state dict two or three
// dictionaries deep.
const (
	maxSetDepth    = 4
	maxSets        = 64
	maxSetVisits   = 1 << 18
	maxModuleDepth = 24
)

// namedTensor is a tensor of a state dict.
type namedTensor struct {
	name string
	torchTensor
}

// torchSet is a dictionary of tensors by name, or the module of a whole network that was saved.
type torchSet struct {
	// Of the dictionaries that it stands in, with points between; "" is the file itself.
	key     string
	tensors []namedTensor
	opaque  map[string]string // what is an object of another class, by its name
}

// torchSets finds the sets of a pickle's value.
func torchSets(v any) []torchSet {
	w := setWalk{seen: map[any]bool{}}
	w.walk("", v, 0)
	return w.sets
}

type setWalk struct {
	sets   []torchSet
	seen   map[any]bool // dictionaries and objects, by identity: they may hold themselves
	visits int
}

// enter reports whether a dictionary or object is to be looked into.
func (w *setWalk) enter(v any) bool {
	if w.seen[v] || len(w.sets) == maxSets {
		return false
	}
	w.seen[v] = true
	return true
}

func (w *setWalk) walk(key string, v any, depth int) {
	if w.visits++; depth > maxSetDepth || w.visits > maxSetVisits {
		return
	}
	switch v := v.(type) {
	case *pickle.Dict:
		if !w.enter(v) {
			return
		}
		if set := setOf(key, v); len(set.tensors) > 0 || len(set.opaque) > 0 && depth > 0 {
			w.sets = append(w.sets, set)
		}
		w.members(key, v, depth)
	case *pickle.Opaque:
		if !w.enter(v) {
			return
		}
		set := torchSet{key: key, opaque: map[string]string{}}
		if w.module(&set, "", v, 0); len(set.tensors) > 0 {
			w.sets = append(w.sets, set)
			return
		}
		if v.Items != nil {
			w.walk(key, v.Items, depth)
		}
		if d, ok := v.State.(*pickle.Dict); ok {
			w.walk(key, d, depth+1)
		}
	case []any: // of a tuple or list, the first level alone: others share their parts
		w.sequence(v, depth)
	case *pickle.List:
		w.sequence(v.Items, depth)
	}
}

func (w *setWalk) members(key string, d *pickle.Dict, depth int) {
	for _, k := range d.Keys {
		name, ok := k.(string)
		if n, isNumber := k.(int64); isNumber { // as of epochs
			name, ok = strconv.FormatInt(n, 10), true
		}
		if ok {
			if key != "" {
				name = key + "." + name
			}
			switch x := d.Values[k].(type) {
			case *pickle.Dict, *pickle.Opaque:
				w.walk(name, x, depth+1)
			}
		}
	}
}

func (w *setWalk) sequence(items []any, depth int) {
	if depth > 0 {
		return
	}
	for i, x := range items[:min(len(items), maxSets)] {
		w.walk(strconv.Itoa(i), x, 1)
	}
}

// setOf are the tensors of one dictionary.
func setOf(key string, d *pickle.Dict) torchSet {
	set := torchSet{key: key, opaque: map[string]string{}}
	for _, k := range d.Keys {
		name, isText := k.(string)
		if !isText {
			continue
		}
		switch x := d.Values[k].(type) {
		case torchTensor:
			set.tensors = append(set.tensors, namedTensor{name, x})
		case *pickle.Opaque:
			set.opaque[name] = x.Class
		}
	}
	return set
}

// module adds the tensors of a module that was saved whole, with torch.save(model) or as
// TorchScript: its attributes say them, and nothing of its code is needed.
func (w *setWalk) module(set *torchSet, prefix string, o *pickle.Opaque, depth int) {
	state, ok := o.State.(*pickle.Dict)
	if w.visits++; !ok || depth > maxModuleDepth || w.visits > maxSetVisits {
		return
	}
	parts := []*pickle.Dict{state} // TorchScript
	if modules, ok := state.Get("_modules").(*pickle.Dict); ok {
		parameters, _ := state.Get("_parameters").(*pickle.Dict)
		buffers, _ := state.Get("_buffers").(*pickle.Dict)
		parts = []*pickle.Dict{parameters, buffers, modules}
	} else if _, isModule := state.Get("training").(bool); !isModule {
		return
	}
	for _, d := range slices.DeleteFunc(parts, func(d *pickle.Dict) bool { return d == nil }) {
		for _, k := range d.Keys {
			name, isText := k.(string)
			if !isText {
				continue
			}
			switch x := d.Values[k].(type) {
			case torchTensor:
				if w.visits++; w.visits > maxSetVisits {
					return
				}
				set.tensors = append(set.tensors, namedTensor{prefix + name, x})
			case *pickle.Opaque:
				w.module(set, prefix+name+".", x, depth+1)
			}
		}
	}
}

// plainKeys are those under which training scripts put the weights that they train, beside which
// averages of them may be.
var plainKeys = []string{"state_dict", "model", "net", "model_state_dict", "network", "model_state", "weights", "params", "module", ""}

// averaged are parts of keys of weights that are not those that were trained.
var averaged = []string{"ema", "swa", "average", "avg", "teacher", "momentum", "target", "shadow", "polyak", "lookahead", "slow"}

// PlainSet is the index of the set that a training script calls the model, among those of the keys:
// state_dict, model, net and so on, or the only one whose key does not name an average. -1 is none.
func PlainSet(keys []string) int {
	for _, plain := range plainKeys {
		if i := slices.Index(keys, plain); i >= 0 {
			return i
		}
	}
	found := -1
	for i, key := range keys {
		if slices.ContainsFunc(averaged, func(part string) bool { return strings.Contains(strings.ToLower(key), part) }) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}
