package eval

import (
	"strings"
	"testing"
)

func TestColumnsThatSayNothingAreLeftOut(t *testing.T) {
	cols := WithoutEmpty([]Column{{Title: "a", Cells: []string{"x", ""}}, {Title: "b", Cells: []string{"-", ""}}, {Title: "c", Cells: []string{"-", "0"}}, {Title: "d"}})
	var titles []string
	for _, c := range cols {
		titles = append(titles, c.Title)
	}
	// Without any line, a title stays.
	if got := strings.Join(titles, " "); got != "a c d" {
		t.Errorf("left are %s, want a c d", got)
	}
}
