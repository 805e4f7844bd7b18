package blocks

import (
	"fmt"
	"strconv"
	"strings"

	"resnet/internal/text"
)

// suggest ends a message about a name that is not in the table: what it may be a misspelling of,
// what is wrong with its depth, or all names.
func suggest(name string) string {
	meant := func(name string) string { return text.DidYouMean(name, []string{name}) }
	lower := strings.ToLower(strings.TrimSpace(name))
	squeezed := strings.NewReplacer("-", "", "_", "", " ", "").Replace(lower)
	for _, candidate := range []string{lower, squeezed} {
		if _, ok := lookup(candidate); ok && candidate != name {
			return meant(candidate)
		}
	}
	for _, residual := range []bool{true, false} {
		prefix := familyPrefix(residual)
		short := strings.TrimPrefix(prefix, "cifar-")
		depth, err := strconv.Atoi(strings.TrimPrefix(strings.TrimPrefix(squeezed, "cifar"), short))
		if !strings.Contains(squeezed, short) || err != nil {
			continue
		}
		if wrong := checkDepth(depth); wrong != "" {
			return " (depth " + wrong + ")"
		}
		return meant(prefix + strconv.Itoa(depth))
	}
	for _, row := range Names() { // "resnext50" is the beginning of one
		if rest, ok := strings.CutPrefix(row, lower); ok && len(lower) > 2 && rest != "" && (rest[0] < '0' || rest[0] > '9') {
			return meant(row)
		}
	}
	if s := text.DidYouMean(lower, Names()); s != "" {
		return s
	}
	return fmt.Sprintf(" (one of %s)", strings.Join(Names(), ", "))
}
