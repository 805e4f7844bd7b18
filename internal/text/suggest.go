package text

import (
	"fmt"
	"strings"
)

// Nearest returns the candidate that word is most likely a misspelling of, or "". Two thirds of the
// longer word have to agree.
func Nearest(word string, candidates []string) string {
	best, bestCost := "", 1<<30
	word = strings.ToLower(word)
	for _, c := range candidates {
		limit := max(len(word), len(c)) / 3
		limit = max(limit, 1)
		if d := len(word) - len(c); d > limit || -d > limit {
			continue
		}
		if cost := editDistance(word, strings.ToLower(c)); cost <= limit && cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best
}

// DidYouMean is Nearest as the end of a message: ` - did you mean "x"?`, or "".
func DidYouMean(word string, candidates []string) string {
	if n := Nearest(word, candidates); n != "" {
		return fmt.Sprintf(" - did you mean %q?", n)
	}
	return ""
}

// editDistance counts insertions, deletions, substitutions and swaps of neighbours (optimal string
// alignment).
func editDistance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
