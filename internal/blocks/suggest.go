package blocks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// suggest is the remedy for a name that is not in the table, or "".
func suggest(name string) string {
	lower := strings.ToLower(strings.TrimSpace(name))
	squeezed := strings.NewReplacer("-", "", "_", "", " ", "").Replace(lower)
	for _, candidate := range []string{lower, squeezed} {
		if _, ok := lookup(candidate); ok && candidate != name {
			return fmt.Sprintf("did you mean %s?", candidate)
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
			return "depth " + wrong
		}
		return fmt.Sprintf("did you mean %s%d?", prefix, depth)
	}
	return nearest(lower, Names())
}

// nearest offers the candidate closest to what was typed, or lists all when none is close.
func nearest(typed string, candidates []string) string {
	best, least := "", len(typed)/2+1
	for _, c := range candidates {
		if d := distance(typed, c); d < least {
			best, least = c, d
		}
	}
	if best == "" {
		return "one of " + strings.Join(candidates, ", ")
	}
	return fmt.Sprintf("did you mean %s?", best)
}

// distance is the number of insertions, deletions and substitutions between a and b (Levenshtein
// 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{row[j] + 1, row[j+1] + 1, change})
		}
	}
	return row[len(b)]
}
