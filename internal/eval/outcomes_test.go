package eval

import (
	"strings"
	"testing"
)

func TestOutcomesAsMarkdown(t *testing.T) {
	var b strings.Builder
	err := writeOutcomes(&b, []Outcome{
		{Model: "plain20", Depth: 20, Params: 269722, Runs: 1, Train: 17.125, Test: 18.86, TestBest: 18.86},
		{Model: "<script>|", Depth: 56, Params: 853018, Runs: 2, Train: 10, TrainStd: 0.5, Test: 12, TestStd: 0.25, TestBest: 11.75},
		{Model: "plain110", Depth: 110, Params: 1727962, Diverged: 1},
	}, []string{"A <b>finding</b>."})
	if err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{
		"| plain20 | 20 | 269,722 | 1 | 17.12 | 18.86 | 18.86 |\n", "| 56 | 853,018 | 2 | 10.00 ± 0.50 | 12.00 ± 0.25 | 11.75 |\n",
		"| plain110 | 110 | 1,727,962 | 0 |  |  |  |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "<script>") || strings.Contains(got, "<b>") || strings.Count(got, "|\n") != 5 {
		t.Errorf("markup of a name is left as it is:\n%s", got)
	}
}
