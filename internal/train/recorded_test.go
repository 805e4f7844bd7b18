package train

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestARecordHoldsWhatResultsDependOn(t *testing.T) {
	config := map[string]any{
		"threads": 4,
		"data":    map[string]any{"name": "folder", "dir": "/a", "labels": "/a/l.txt", "workers": 3, "validation": 500},
		"train": map[string]any{
			"seed": uint64(18446744073709551615), "on_save_error": "stop", "checkpoint": map[string]any{"every": 5, "keep": 3},
			"schedule": map[string]any{"rate": 0.00001, "drop": map[string]any{"at": []int{1, 2}}},
		},
	}
	want := map[string]string{
		"data.name": "folder", "data.validation": "500", "train.seed": "18446744073709551615", "train.schedule.rate": "1e-05", "train.schedule.drop.at": "[1 2]",
	}
	if d := cmp.Diff(want, Recorded(config)); d != "" {
		t.Error(d)
	}
}

func TestAConfigurationIsComparedWithWhatWasRecorded(t *testing.T) {
	config := func(seed int, rate float64, dir string) map[string]any {
		return map[string]any{"train": map[string]any{"seed": seed, "schedule": map[string]any{"rate": rate}}, "data": map[string]any{"dir": dir}}
	}
	recorded := Recorded(config(1, 0.1, "/a"))
	for _, c := range []struct {
		name  string
		now   map[string]any
		allow bool
		want  []string // changes that pass; nil means refused
	}{
		{"the same elsewhere", config(1, 0.1, "/b"), false, []string{}},
		{"another rate", config(1, 0.2, "/a"), false, nil},
		{"another rate, allowed", config(1, 0.2, "/a"), true, []string{"train.schedule.rate: 0.1 -> 0.2"}},
		{"another seed, allowed", config(2, 0.1, "/a"), true, nil},
	} {
		passed, err := CheckResume(WithRecorded(c.now, recorded), c.now, c.allow)
		if (err != nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		got := []string{}
		for _, p := range passed {
			got = append(got, p.String())
		}
		if err == nil && !cmp.Equal(got, c.want) {
			t.Errorf("%s: let %v pass, want %v", c.name, got, c.want)
		}
	}
	// A key that was recorded and does not exist any more is a difference.
	if _, err := CheckResume(WithRecorded(config(1, 0.1, "/a"), map[string]string{"train.gone": "1"}), config(1, 0.1, "/a"), true); err == nil {
		t.Error("a recorded key that is gone passes")
	}
}
