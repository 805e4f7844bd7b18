package compare

import (
	"errors"
	"testing"

	"resnet/configs"
	"resnet/internal/blocks"
)

// TestStudiesAreWhatThePaperShows: the networks of each figure and table, by rows that exist and
// presets that are embedded.
func TestStudiesAreWhatThePaperShows(t *testing.T) {
	// Runs, and plain ones among them.
	want := map[string][2]int{"fig6": {11, 5}, "table2": {4, 2}, "table6": {10, 0}}
	for _, name := range Studies() {
		s, err := PaperStudy(name)
		if err != nil {
			t.Fatal(err)
		}
		plain := 0
		seen := map[string]bool{}
		for _, n := range s.Nets {
			spec, err := blocks.Lookup(n.Row)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if (spec.Shortcut == blocks.None) == n.Residual {
				t.Errorf("%s: %s: residual %v", name, n.Row, n.Residual)
			}
			if _, err := configs.Find(n.Preset); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !n.Residual {
				plain++
			}
			if seen[n.Name()] || n.Seed == 0 {
				t.Errorf("%s: %s twice, or without a seed", name, n.Name())
			}
			seen[n.Name()] = true
		}
		if got := [2]int{len(s.Nets), plain}; got != want[name] {
			t.Errorf("%s: %v runs and plain ones, want %v", name, got, want[name])
		}
	}
	if s, _ := PaperStudy("table6"); s.Nets[8].Name() != "resnet110-seed5" {
		t.Errorf("the ninth run of table6 is %s, want the fifth of 110 layers", s.Nets[8].Name())
	}
	if _, err := PaperStudy("fig7"); !errors.Is(err, ErrPlan) {
		t.Error(err)
	}
}
