package compare

import (
	"fmt"
	"slices"
	"strings"

	"resnet/internal/text"
)

// sweepLimit is how many configurations a sweep may have; more are a slip of the pen.
const sweepLimit = 1000

// Sweep lists the trainings of every combination of values, seed by seed. Each element of vary is
// KEY=VALUE,VALUE,… . A value that holds a comma stands in brackets, as a list does in YAML:
// KEY=[1,2],[3]. It fails with ErrPlan, naming what is wrong.
func Sweep(vary []string, seeds []uint64) ([]Net, error) {
	if err := checkSeeds(seeds); err != nil {
		return nil, err
	}
	if len(vary) == 0 {
		return nil, fmt.Errorf("%w: nothing varies", ErrPlan)
	}
	combinations := [][]string{{}}
	var keys []string
	for _, v := range vary {
		key, list, ok := strings.Cut(v, "=")
		values := splitValues(list)
		key = strings.TrimSpace(key)
		switch {
		case !ok || key == "" || slices.Contains(values, ""):
			return nil, fmt.Errorf("%w: %q has to be KEY=VALUE,VALUE, such as train.schedule.rate=0.1,0.05", ErrPlan, v)
		case key == "train.seed":
			return nil, fmt.Errorf("%w: train.seed is no experiment of its own: name the seeds as seeds", ErrPlan)
		case slices.Contains(keys, key):
			return nil, fmt.Errorf("%w: %s varies twice", ErrPlan, key)
		case len(combinations)*len(values) > sweepLimit:
			return nil, fmt.Errorf("%w: more than %d configurations", ErrPlan, sweepLimit)
		}
		keys = append(keys, key)
		var next [][]string
		for _, c := range combinations {
			for i, value := range values {
				if slices.Contains(values[:i], value) {
					return nil, fmt.Errorf("%w: %s has the value %s twice", ErrPlan, key, value)
				}
				next = append(next, append(slices.Clone(c), key+"="+value))
			}
		}
		combinations = next
	}
	var nets []Net
	for _, s := range seeds {
		for _, c := range combinations {
			nets = append(nets, Net{Values: c, Seed: s})
		}
	}
	return nets, nil
}

// splitValues splits at the commas that are outside of brackets.
func splitValues(list string) []string {
	var values []string
	depth, start := 0, 0
	for i, r := range list {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		case ',':
			if depth == 0 {
				values, start = append(values, strings.TrimSpace(list[start:i])), i+1
			}
		}
	}
	return append(values, strings.TrimSpace(list[start:]))
}

// folderName is a configuration of a sweep as a folder's name: the short keys with their values,
// without what such a name cannot hold.
func folderName(values []string) string {
	var keys, list []string
	for _, v := range values {
		key, _, _ := strings.Cut(v, "=")
		keys = append(keys, key)
	}
	for i, key := range text.ShortKeys(keys) {
		_, value, _ := strings.Cut(values[i], "=")
		list = append(list, key+"="+strings.Map(folderRune, value))
	}
	return strings.Join(list, ",")
}

// folderRune keeps what every file system takes in a name.
func folderRune(r rune) rune {
	if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
		return '_'
	}
	return r
}
