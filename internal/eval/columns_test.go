package eval

import (
	"strings"
	"testing"
)

func TestNumbersAreGroupedByThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1_000: "1,000", 1_727_962: "1,727,962", -100: "-100", -100_000: "-100,000", -1_000: "-1,000"} {
		if got := Grouped(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

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
