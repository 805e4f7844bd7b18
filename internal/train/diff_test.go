package train

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiffConfigListsEveryDifference(t *testing.T) {
	old := map[string]any{
		"model": map[string]any{"name": "resnet20"},
		"train": map[string]any{"batch": 128, "seed": 1, "schedule": map[string]any{"rate": 0.1, "drop": map[string]any{"at": []any{1, 2}}}},
		"data":  map[string]any{"dir": "/a", "gone": true, "empty": ""},
	}
	new := map[string]any{
		"model": map[any]any{"name": "resnet32"},
		"train": map[string]any{"batch": 128.0, "seed": uint64(1), "schedule": map[string]any{"rate": 0.1, "drop": map[string]any{"at": []int{1, 3}}}},
		"data":  map[string]any{"dir": "/b", "new": 1},
	}
	want := []Change{
		{"data.dir", "/a", "/b", Always},
		{"data.empty", "", "(absent)", Never},
		{"data.gone", "true", "(absent)", Never},
		{"data.new", "(absent)", "1", Never},
		{"model.name", "resnet20", "resnet32", Never},
		{"train.schedule.drop.at", "[1 2]", "[1 3]", OnRequest},
	}
	if d := cmp.Diff(want, DiffConfig(old, new)); d != "" {
		t.Error(d)
	}
}

func TestResumingWithAnotherConfigurationIsRefusedWithTheDifferences(t *testing.T) {
	cfg := func(batch, iterations, keep int) map[string]any {
		return map[string]any{"train.batch": batch, "train.iterations": iterations, "train.checkpoint.keep": keep}
	}
	old := cfg(128, 64000, 3)
	for _, c := range []struct {
		name   string
		new    map[string]any
		allow  bool
		passed int
		want   []string // of the error; none means nil
	}{
		{"same", cfg(128, 64000, 3), false, 0, nil},
		{"harmless", cfg(128, 64000, 5), false, 1, nil},
		{"longer, not asked for", cfg(128, 90000, 5), false, 1, []string{"\n  train.iterations: 64000 -> 90000", "--allow-config-change"}},
		{"longer, asked for", cfg(128, 90000, 5), true, 2, nil},
		{"batch, even when asked for", cfg(64, 90000, 3), true, 1, []string{"\n  train.batch: 128 -> 64", "start a new run"}},
	} {
		passed, err := CheckResume(old, c.new, c.allow)
		if len(passed) != c.passed {
			t.Errorf("%s: let %v pass", c.name, passed)
		}
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", c.name, err, w)
			}
		}
		var e *ConfigChangedError
		if err != nil && (!errors.As(err, &e) || len(e.Refused) != 1) {
			t.Errorf("%s: %#v", c.name, err)
		}
	}
}

func TestWhatWouldChangeTheCursorOrTheModelIsNeverAllowed(t *testing.T) {
	for _, key := range []string{"model.name", "model.shortcut", "data.name", "data.validation", "data.augment.pad", "train.seed", "train.batch", "train.accumulate", "train.optimizer.momentum", "something.new"} {
		if safety(key) != Never {
			t.Errorf("%s is %v", key, safety(key))
		}
	}
	for key, want := range map[string]Safety{"train.checkpoint.every": Always, "eval.batch": Always, "train.schedule.warmup.until.window": OnRequest, "train.precision": OnRequest} {
		if got := safety(key); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
}
