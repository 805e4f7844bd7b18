package experiment

import (
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/eval"
)

func TestClassesHaveTheNamesThatPeopleKnow(t *testing.T) {
	for _, c := range []struct {
		dataset       string
		classes, want []string
	}{
		{"folder", []string{"n01440764", "ant", "n99999999"}, []string{"tench", "ant", "n99999999"}},
		{"fashion-sample", []string{"a", "b"}, []string{"a", "b"}},
		{"unknown", nil, []string{"", ""}},
	} {
		m := &Model{Model: &eval.Model{Dataset: c.dataset, Classes: c.classes, Spec: blocks.Spec{Classes: max(2, len(c.classes))}}}
		if got := m.ShownNames(); !slices.Equal(got, c.want) {
			t.Errorf("%s, %v: %v, want %v", c.dataset, c.classes, got, c.want)
		}
	}
	m := &Model{Model: &eval.Model{Dataset: "cifar10", Spec: blocks.Spec{Classes: 10}}}
	if got := m.ShownNames(); len(got) != 10 || got[3] != "cat" {
		t.Errorf("a checkpoint without names, of cifar10: %v", got)
	}
}
