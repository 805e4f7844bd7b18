package main

import (
	"strings"
	"testing"
)

func TestQuickstartSaysWhatTheFiguresShow(t *testing.T) {
	cases := map[string]struct {
		plainTrain, plainTest, residualTrain, residualTest float64
		want, not                                          string
	}{
		"degradation":        {50, 50, 30, 32, "plain network's test error is 18.0 points higher", "neither"},
		"degradation, train": {50, 50, 30, 32, "So is its training error, by 20.0 points", "neither"},
		"the other way":      {20, 22, 30, 32, "residual network's test error is 10.0 points higher", "harder to train"},
		"within noise":       {30, 32.5, 30.2, 32, "neither network is better", "harder to train"},
		"overfitting":        {10, 50, 30, 32, "In training the residual network's error is 20.0 points higher", "harder to train"},
	}
	for name, c := range cases {
		v := compareNets(&contestant{TrainError: c.plainTrain, TestError: c.plainTest, Params: 1},
			&contestant{TrainError: c.residualTrain, TestError: c.residualTest, Params: 1}, 1000)
		if text := v.text(); !strings.Contains(text, c.want) || strings.Contains(text, c.not) {
			t.Errorf("%s: %q; want %q and not %q", name, text, c.want, c.not)
		}
	}
}

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
