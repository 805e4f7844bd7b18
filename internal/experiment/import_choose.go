package experiment

import (
	"fmt"
	"slices"
	"strings"

	"resnet/internal/config"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// quotedKeys lists the keys of sets.
func quotedKeys(sets []weights.Set) string {
	var keys []string
	for _, s := range sets[:min(len(sets), maxListed)] {
		keys = append(keys, keyName(s.Key))
	}
	return strings.Join(keys, ", ")
}

// keyName is a key as --weights-key takes it.
func keyName(key string) string {
	if key == "" {
		return "."
	}
	return text.Printable(key)
}

// chooseSet keeps the places of one set: the one that training scripts call the model, where
// several hold a network.
func chooseSet(path string, places []place) (chosen []place, others []string, err error) {
	var keys []string
	for _, p := range places {
		if !slices.Contains(keys, p.set.Key) {
			keys = append(keys, p.set.Key)
		}
	}
	i := weights.PlainSet(keys)
	if len(keys) == 1 {
		i = 0
	}
	if i < 0 {
		var b strings.Builder
		for _, key := range keys {
			fmt.Fprintf(&b, "\n  --weights-key %s", keyName(key))
		}
		return nil, nil, config.Usagef("%s: it holds %d sets of weights, and none is called the model; choose with --weights-key:%s", path, len(keys), b.String())
	}
	key := keys[i]
	chosen = slices.DeleteFunc(places, func(p place) bool { return p.set.Key != key })
	return chosen, slices.Delete(keys, i, i+1), nil
}

// choosePrefix is the one place of a set: a network with a classifier before one without, and the
// first of those with the same values.
func choosePrefix(path string, places []place) (at place, same []place, err error) {
	headed := slices.DeleteFunc(slices.Clone(places), func(p place) bool { return p.found[0].Head == "" })
	if len(headed) > 0 {
		places = headed
	}
	for _, p := range places[1:] {
		equal, err := places[0].equals(p)
		if err != nil {
			return at, nil, err
		}
		if !equal {
			var b strings.Builder
			for _, p := range places {
				fmt.Fprintf(&b, "\n  --prefix %-24s %s", p.shownPrefix(), p.found[0].Spec.Name)
			}
			return at, nil, config.Usagef("%s: it holds %d networks; choose with --prefix:%s", path, len(places), b.String())
		}
		same = append(same, p)
	}
	return places[0], same, nil
}

// shownPrefix is the prefix as the file has it, and as --prefix takes it.
func (p place) shownPrefix() string {
	first := p.found[0].Spec.FirstConv() + ".weight"
	theirs := p.set.theirs[p.prefix+first]
	if cut, ok := strings.CutSuffix(theirs, first); ok && cut != "" {
		return text.Printable(cut)
	}
	if p.prefix != "" {
		return text.Printable(p.prefix)
	}
	return "."
}
