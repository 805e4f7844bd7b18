package config

import (
	"slices"
	"strings"
	"testing"
)

func TestAKeyThatHadAnotherNameIsReadWithANote(t *testing.T) {
	const note = "train.optimizer.decay is called train.optimizer.decay_parameters now"
	for name, in := range map[string]struct {
		text, place string
		env, sets   []string
	}{
		"file":        {"train:\n  optimizer: {decay: weights}\n", "x.yaml:2: ", nil, nil},
		"environment": {"", "RESNET_TRAIN_OPTIMIZER_DECAY: ", []string{"RESNET_TRAIN_OPTIMIZER_DECAY=weights"}, nil},
		"flag":        {"", "--set train.optimizer.decay=weights: ", nil, []string{"train.optimizer.decay=weights"}},
	} {
		l, problems := load(t, in.text, in.env, in.sets...)
		if problems != nil || l.Train.Optimizer.Decay != "weights" {
			t.Errorf("%s: %v (%v)", name, l, problems)
			continue
		}
		if !slices.ContainsFunc(l.Notes, func(n string) bool { return strings.HasSuffix(n, in.place+note) }) || len(l.Notes) != 1 {
			t.Errorf("%s: notes %q, want %q", name, l.Notes, in.place+note)
		}
		if l, _ := load(t, in.text, in.env, append(in.sets, "train.optimizer.decay_parameters=all")...); l == nil || l.Train.Optimizer.Decay != "all" {
			t.Errorf("%s: the new name does not win over the old one", name)
		}
	}
	if _, problems := load(t, "train: {optimizer: {decay: all, decay_parameters: all}}\n", nil); len(problems) != 1 || !strings.Contains(problems[0].Msg, "duplicate key") {
		t.Errorf("both names: %v", problems)
	}
}
