package report

import (
	"math"
	"strings"
	"testing"
)

func one(model string, depth int, residual bool, train, test float64) Outcome {
	kind := KindPlain
	if residual {
		kind = KindResidual
	}
	return Outcome{Model: model, Depth: depth, Kind: kind, Runs: 1, Train: train, Test: test, TestBest: test}
}

func TestFindingsFollowTheFigures(t *testing.T) {
	all := func(o ...Outcome) string { return strings.Join(Findings(o), "\n") }
	for _, c := range []struct {
		name       string
		got        string
		want, dont []string
	}{
		{"the paper's", all(one("plain20", 20, false, 10, 12), one("plain56", 56, false, 14, 15), one("resnet20", 20, true, 9, 11), one("resnet56", 56, true, 7, 10)),
			[]string{"plain56 ends with a training error 4.00 points above plain20's", "degradation problem", "resnet56 ends with a training error 2.00 points below resnet20's",
				"resnet56 ends with a test error 1.00 points below resnet20's", "At 56 layers the plain network's test error is 5.00 points above"}, []string{"ot reproduced", "over-fitting"}},
		{"the opposite", all(one("plain20", 20, false, 10, 12), one("plain56", 56, false, 9, 11), one("resnet20", 20, true, 9, 11), one("resnet56", 56, true, 12, 13)),
			[]string{"degradation problem is not reproduced: plain56 ends with a training error 1.00 points below plain20's", "Not reproduced that the deeper residual network has the lower training error: resnet56 ends 3.00 points above", "2.00 points below the residual one's"},
			[]string{"over-fitting"}},
		{"plain networks in a tie", all(one("plain20", 20, false, 10, 12), one("plain56", 56, false, 10.5, 12)),
			[]string{"not reproduced: the training errors of plain56 and plain20 end too close to tell apart, with 10.50% and 10.00%"}, nil},
		{"a tie", all(one("resnet20", 20, true, 9, 11), one("resnet56", 56, true, 8.5, 10)), []string{"too close to tell apart", "test error 1.00 points below"}, nil},
		{"over-fitting", all(one("resnet110", 110, true, 0.2, 6.4), one("resnet1202", 1202, true, 0.1, 7.9)), []string{"over-fitting"}, nil},
		{"diverged", all(Outcome{Model: "plain110", Depth: 110, Diverged: 1}), []string{"plain110: the loss of one run did not stay finite"}, nil},
		{"unfinished", all(Outcome{Model: "plain110", Depth: 110, Unfinished: 2}), []string{"plain110: 2 runs are not finished"}, nil},
	} {
		for _, s := range c.want {
			if !strings.Contains(c.got, s) {
				t.Errorf("%s: no %q in:\n%s", c.name, s, c.got)
			}
		}
		for _, s := range c.dont {
			if strings.Contains(c.got, s) {
				t.Errorf("%s: %q in:\n%s", c.name, s, c.got)
			}
		}
	}
}

func TestSpreadOverSeedsDecidesWhatDiffers(t *testing.T) {
	a := Outcome{Model: "resnet20", Depth: 20, Kind: KindResidual, Runs: 3, Train: 9, TrainStd: 1, Test: 11, TestStd: 1}
	b := Outcome{Model: "resnet56", Depth: 56, Kind: KindResidual, Runs: 3, Train: 8, TrainStd: 1, Test: 8, TestStd: 1}
	text := strings.Join(Findings([]Outcome{a, b}), "\n")
	if !strings.Contains(text, "lower training error: resnet56 and resnet20 end too close to tell apart") || !strings.Contains(text, "test error 3.00 points below") {
		t.Errorf("two standard errors are 1.63 points; got:\n%s", text)
	}
}

func TestOutcomeJoinsTheLastErrorsOfRuns(t *testing.T) {
	v := func(f float64) *float64 { return &f }
	h := func(train, test float64) History {
		return History{{Step: 1, TrainError: v(90), TestError: v(90)}, {Step: 2, TrainError: v(train), TestError: v(test)}}
	}
	net := Net{Model: "resnet20", Kind: KindResidual, Depth: 20, Params: 7}
	o := newOutcome([]Compared{{Run{History: h(10, 12)}, net}, {Run{History: h(12, 16)}, net}, {Run{}, net}})
	if o.Runs != 2 || o.Train != 11 || o.Test != 14 || o.TestBest != 12 || o.Unfinished != 1 || math.Abs(o.TestStd-math.Sqrt(8)) > 1e-12 {
		t.Errorf("got %+v", o)
	}
}
