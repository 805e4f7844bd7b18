package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEverySuggestionIsAKey: what other trainers call a key leads to one that is there, or to a
// section.
func TestEverySuggestionIsAKey(t *testing.T) {
	for word, path := range synonyms {
		if schema().find(path) == nil {
			t.Errorf("%s suggests %s, which is no key", word, path)
		}
		if schema().find("train."+word) == nil && suggestPath("train."+word, []string{"x.y"}) == "" {
			t.Errorf("train.%s has no suggestion", word)
		}
	}
}

// TestAKnownWordGoesBeforeOneThatLooksLikeIt: train.lr is nearer to train.loss than to the rate.
func TestAKnownWordGoesBeforeOneThatLooksLikeIt(t *testing.T) {
	for path, want := range map[string]string{
		"train.lr": "train.schedule.rate", "train.weight_decay": "train.optimizer.weight_decay", "train.momentum": "train.optimizer.momentum", "trian.seed": "train.seed",
		"train.label_smooth": "train.label_smoothing", "optimizer.nesterov": "train.optimizer.nesterov",
	} {
		section, word, _ := strings.Cut(path, ".")
		_, problems := load(t, "", nil, path+"=1")
		if got := (&Error{problems}).Error(); !strings.HasSuffix(got, ` - did you mean "`+want+`"?`) {
			t.Errorf("--set: %s, want %s", got, want)
		}
		if section != "train" {
			continue
		}
		_, problems = load(t, "train: {"+word+": 1}", nil)
		if got := (&Error{problems}).Error(); !strings.Contains(got, " - did you mean ") || !strings.Contains(got, want[strings.LastIndexByte(want, '.')+1:]) {
			t.Errorf("in a file: %s, want %s", got, want)
		}
	}
}

// TestNormalisingByNumbers: as a mapping, as keys, and on the command line.
func TestNormalisingByNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		yaml string
		sets []string
		want string // mean, std, or part of the error
	}{
		"mapping":            {"data: {normalize: {mean: [0.5, 0.25, 1.0e-1], std: 0.2}}", nil, "0.5, 0.25, 1.0e-1|0.2"},
		"keys":               {"data: {normalize: given, mean: [0.5], std: '0.1, 0.2, 0.3'}", nil, "0.5|0.1, 0.2, 0.3"},
		"command line":       {"", []string{"data.normalize=given", "data.mean=0.5", "data.std=0.1,0.2,0.3"}, "0.5|0.1,0.2,0.3"},
		"words in a list":    {"data: {normalize: {mean: [a], std: 1}}", nil, "takes a list of numbers"},
		"without deviations": {"data: {normalize: {mean: [0.5]}}", nil, "given needs both"},
		"another key":        {"data: {normalize: {men: [0.5]}}", nil, `unknown key "men"`},
		"numbers alone":      {"data: {mean: 0.5}", nil, "data.mean and data.std are set"},
	} {
		file := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(file, []byte(c.yaml), 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := Load(Input{File: file, Sets: c.sets})
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
			continue
		}
		if got := l.Data.Mean + "|" + l.Data.Std; got != c.want || l.Data.Normalize != "given" {
			t.Errorf("%s: %s by %s, want %s", name, got, l.Data.Normalize, c.want)
		}
	}
}

// TestWhatKeysMeantBefore is weaker than the file.
func TestWhatKeysMeantBefore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(file, []byte("data: {name: folder, dir: x, validation_draw: stratified}"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := Load(Input{File: file, Before: []string{"data.orientation=stored", "data.validation_draw=uniform"}})
	if err != nil || l.Data.Orientation != "stored" || l.Data.Draw != "stratified" {
		t.Errorf("%q and %q, want stored and stratified (%v)", l.Data.Orientation, l.Data.Draw, err)
	}
}
