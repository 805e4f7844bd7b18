package main

import (
	"strings"
	"testing"
)

func TestWrapKeepsWordsAndWidth(t *testing.T) {
	text := "one two three four five six seven"
	got := wrap(text, 9)
	if strings.ReplaceAll(got, "\n", " ") != text {
		t.Errorf("words changed: %q", got)
	}
	for line := range strings.Lines(got) {
		if len(strings.TrimSuffix(line, "\n")) > 9 {
			t.Errorf("line %q is too long", line)
		}
	}
}

func TestProgressNeverFillsMoreThanItsRoom(t *testing.T) {
	parts := []string{"résnet20", "epoch 0.08", "loss 2.462"}
	for room, want := range map[int]string{30: "résnet20 epoch 0.08 loss 2.462", 29: "résnet20 epoch 0.08", 8: "résnet20", 7: "", 0: "", -5: ""} {
		if got := fit(parts, room); got != want {
			t.Errorf("%d columns: %q, want %q", room, got, want)
		}
	}
}
