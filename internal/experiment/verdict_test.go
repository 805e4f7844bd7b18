package experiment

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
		v := compareNets(&Entrant{TrainError: c.plainTrain, TestError: c.plainTest, Params: 1},
			&Entrant{TrainError: c.residualTrain, TestError: c.residualTest, Params: 1}, 1000)
		if text := v.Text(); !strings.Contains(text, c.want) || strings.Contains(text, c.not) {
			t.Errorf("%s: %q; want %q and not %q", name, text, c.want, c.not)
		}
	}
}
