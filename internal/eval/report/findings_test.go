package report

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// of is the outcome of one run, measured on 10,000 test and 50,000 training images.
func of(model string, depth int, kind string, train, test float64) Outcome {
	return Outcome{Model: model, Depth: depth, Kind: kind, Runs: 1, Train: train, Test: test, TestBest: test, TrainImages: 50_000, TestImages: 10_000}
}

func TestFindingsFollowTheFigures(t *testing.T) {
	const plain, residual = KindPlain, KindResidual
	for name, c := range map[string]struct {
		outcomes []Outcome
		want     []string
	}{
		"the paper's": {[]Outcome{of("plain20", 20, plain, 10, 12), of("plain56", 56, plain, 14, 15), of("resnet20", 20, residual, 9, 11.5), of("resnet56", 56, residual, 7, 10)}, []string{
			// 2 √(14·86/50000 + 10·90/50000), and so on
			"plain56 ends with a training error 4.00 points above plain20's (14.00% and 10.00%, noise 0.41): the degradation problem.",
			"resnet56 ends with a training error 2.00 points below resnet20's (7.00% and 9.00%, noise 0.34): the deeper residual network is the better one.",
			"resnet56 ends with a test error 1.50 points below resnet20's (10.00% and 11.50%, noise 0.88): the deeper residual network is the better one.",
			"At 56 layers the plain network's test error is 5.00 points above the residual one's (15.00% and 10.00%, noise 0.93).",
		}},
		"the opposite": {[]Outcome{of("plain20", 20, plain, 10, 12), of("plain56", 56, plain, 9, 11), of("resnet20", 20, residual, 9, 11), of("resnet56", 56, residual, 12, 13)}, []string{
			"plain56 ends with a training error 1.00 points below plain20's (9.00% and 10.00%, noise 0.37): no degradation problem.",
			"resnet56 ends with a training error 3.00 points above resnet20's (12.00% and 9.00%, noise 0.39): the deeper residual network is the worse one.",
			"resnet56 ends with a test error 2.00 points above resnet20's (13.00% and 11.00%, noise 0.92): the deeper residual network is the worse one.",
			"At 56 layers the plain network's test error is 2.00 points below the residual one's (11.00% and 13.00%, noise 0.92).",
		}},
		"within the noise": {[]Outcome{of("plain20", 20, plain, 10, 12), of("plain56", 56, plain, 10.3, 12), of("resnet20", 20, residual, 9, 11), of("resnet56", 56, residual, 8.7, 11.4)}, []string{
			"The training errors of plain56 and plain20 do not differ: 10.30% and 10.00% (0.30 points, noise 0.38). The degradation problem is not shown.",
			"The training errors of resnet56 and resnet20 do not differ: 8.70% and 9.00% (0.30 points, noise 0.36). That the deeper residual network is better is not shown.",
			"The test errors of resnet56 and resnet20 do not differ: 11.40% and 11.00% (0.40 points, noise 0.89). That the deeper residual network is better is not shown.",
			"At 56 layers the test errors of the plain and the residual network do not differ: 12.00% and 11.40% (0.60 points, noise 0.91).",
		}},
		"over-fitting": {[]Outcome{of("resnet110", 110, residual, 0.2, 6.4), of("resnet1202", 1202, residual, 0.1, 7.9)}, []string{
			"resnet1202 ends with a training error 0.10 points below resnet110's (0.10% and 0.20%, noise 0.05): the deeper residual network is the better one.",
			"resnet1202 ends with a test error 1.50 points above resnet110's (7.90% and 6.40%, noise 0.73): the deeper residual network is the worse one.",
			"resnet1202 fits the training images no worse than resnet110 and the test images worse: over-fitting.",
		}},
		"worse altogether": {[]Outcome{of("resnet110", 110, residual, 1, 6.4), of("resnet1202", 1202, residual, 2, 7.9)}, []string{
			"resnet1202 ends with a training error 1.00 points above resnet110's (2.00% and 1.00%, noise 0.15): the deeper residual network is the worse one.",
			"resnet1202 ends with a test error 1.50 points above resnet110's (7.90% and 6.40%, noise 0.73): the deeper residual network is the worse one.",
		}},
		// The shallowest and the deepest of a kind count, in whatever order; kinds are compared at
		// the largest depth that both have.
		"three depths": {[]Outcome{of("plain56", 56, plain, 14, 15), of("plain20", 20, plain, 10, 12), of("plain32", 32, plain, 50, 50), of("resnet32", 32, residual, 7, 10), of("resnet44", 44, residual, 50, 50), of("resnet110", 110, residual, 7, 10)}, []string{
			"plain56 ends with a training error 4.00 points above plain20's (14.00% and 10.00%, noise 0.41): the degradation problem.",
			"The training errors of resnet110 and resnet32 do not differ: 7.00% and 7.00% (0.00 points, noise 0.32). That the deeper residual network is better is not shown.",
			"The test errors of resnet110 and resnet32 do not differ: 10.00% and 10.00% (0.00 points, noise 0.85). That the deeper residual network is better is not shown.",
			"At 32 layers the plain network's test error is 40.00 points above the residual one's (50.00% and 10.00%, noise 1.17).",
		}},
		"without numbers of images": {[]Outcome{{Model: "plain20", Kind: plain, Depth: 20, Runs: 1, Train: 10}, of("plain56", 56, plain, 40, 15)}, []string{
			"The training errors of plain56 and plain20 are 40.00% and 10.00%; whether they differ is not known, because the number of images is not. The degradation problem is not shown.",
		}},
		"variants of one depth":     {[]Outcome{of("plain18", 18, plain, 10, 12), of("plain18b", 18, plain, 50, 50), of("resnet34", 34, residual, 9, 10), of("resnet34a", 34, residual, 20, 20)}, nil},
		"one plain network":         {[]Outcome{of("plain20", 20, plain, 10, 12)}, nil},
		"networks of neither kind":  {[]Outcome{of("a", 0, "", 10, 12), of("b", 0, "", 20, 22)}, nil},
		"no depth in common":        {[]Outcome{of("plain20", 20, plain, 10, 12), of("resnet56", 56, residual, 10, 12)}, nil},
		"diverged":                  {[]Outcome{{Model: "plain110", Kind: plain, Depth: 110, Diverged: 1}, of("plain20", 20, plain, 10, 12)}, []string{"plain110: the loss of one run did not stay finite."}},
		"unfinished":                {[]Outcome{{Model: "plain110", Unfinished: 2}}, []string{"plain110: 2 runs are not finished and left out of what follows."}},
		"one unfinished, some lost": {[]Outcome{{Model: "a", Unfinished: 1, Diverged: 3}}, []string{"a: the loss of 3 runs did not stay finite.", "a: one run is not finished and left out of what follows."}},
	} {
		if d := cmp.Diff(c.want, Findings(c.outcomes)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestSpreadOverSeedsDecidesWhatDiffers(t *testing.T) {
	a := Outcome{Model: "resnet20", Depth: 20, Kind: KindResidual, Runs: 3, Train: 9, TrainStd: 1, Test: 11, TestStd: 1, TrainImages: 50_000, TestImages: 10_000}
	b := Outcome{Model: "resnet56", Depth: 56, Kind: KindResidual, Runs: 3, Train: 8, TrainStd: 1, Test: 8, TestStd: 1, TrainImages: 50_000, TestImages: 10_000}
	// 2 √(1/3 + 1/3) = 1.63
	want := []string{
		"The training errors of resnet56 and resnet20 do not differ: 8.00% and 9.00% (1.00 points, noise 1.63). That the deeper residual network is better is not shown.",
		"resnet56 ends with a test error 3.00 points below resnet20's (8.00% and 11.00%, noise 1.63): the deeper residual network is the better one.",
	}
	if d := cmp.Diff(want, Findings([]Outcome{a, b})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTheNoteSaysWhatTheNoiseDoesNotKnow(t *testing.T) {
	const unknown = "it is not known how far another seed would take it"
	if note := noiseNote([]Outcome{{Runs: 3}, {Runs: 0}}); strings.Contains(note, unknown) || !strings.Contains(note, "two standard errors") {
		t.Error(note)
	}
	if note := noiseNote([]Outcome{{Runs: 3}, {Runs: 1}}); !strings.Contains(note, unknown) {
		t.Error(note)
	}
}

func TestOutcomeJoinsTheLastErrorsOfRuns(t *testing.T) {
	h := func(train, test, trainEval float64) History {
		return History{
			{Step: 5, Epoch: ptr(0.5), TrainError: ptr(90), TestError: ptr(90), TrainEvalError: ptr(80)},
			{Step: 10, Epoch: ptr(1), TrainError: ptr(train), TestError: ptr(test), TrainEvalError: ptr(trainEval)},
		}
	}
	net := Net{Model: "resnet20", Kind: KindResidual, Depth: 20, Params: 7, Dataset: "cifar10", TestImages: 10_000, Batch: 8, Iterations: 10, ImagesPerSecond: 100}
	other, stopped, lost := net, net, net
	other.TestImages, other.TrainImages, other.ImagesPerSecond = 9_000, 60, 0
	stopped.Unfinished, lost.Diverged = true, true
	got := newOutcome([]Compared{
		{Run{History: h(10, 12, 9)}, net},
		{Run{History: h(12, 16, 10)}, other},
		{Run{}, net},
		{Run{History: History{{Step: 5, TrainError: ptr(1)}}}, net},
		{Run{History: h(1, 1, 1)}, stopped},
		{Run{History: h(1, 1, 1)}, lost},
	})
	// Half of the 80 images that 10 updates of 8 in one epoch make, and of 60.
	want := Outcome{
		Model: "resnet20", Kind: KindResidual, Depth: 20, Params: 7, Dataset: "cifar10", Iterations: 10, Batch: 8, Runs: 2, Train: 11, TrainStd: math.Sqrt2,
		TrainEval: ptr(9.5), Test: 14, TestStd: math.Sqrt(8), TestBest: 12, ImagesPerSecond: 100, Paper: ptr(8.75), Diverged: 1, Unfinished: 3, TrainImages: 30, TestImages: 9_000,
	}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// The paper's figure is of 10,000 test images.
	if o := newOutcome([]Compared{{Run{History: h(10, 12, 9)}, other}}); o.Paper != nil || o.TrainStd != 0 || o.TestStd != 0 {
		t.Errorf("one run on 9,000 images: %+v", o)
	}
	// Where one run did not measure the training set, the mean is of none.
	half := h(12, 16, 10)
	half[1].TrainEvalError = nil
	if o := newOutcome([]Compared{{Run{History: h(10, 12, 9)}, net}, {Run{History: half}, net}}); o.TrainEval != nil {
		t.Errorf("the error of the training set as it stands: %v", *o.TrainEval)
	}
	// Without a test split it is the validation's.
	net.ValImages = 500
	o := newOutcome([]Compared{{Run{History: History{{Step: 1, TrainError: ptr(5), ValError: ptr(7)}}}, net}})
	if o.Test != 7 || o.TestImages != 500 || o.Split != "validation" || o.remark() != "test error of the validation split" {
		t.Errorf("validation alone: %+v, %q", o, o.remark())
	}
}

func TestTrainingErrorsAreOfTheImagesSeenSinceTheRowBefore(t *testing.T) {
	row := func(step int, epoch, train *float64) Measurement {
		return Measurement{Step: step, Epoch: epoch, TrainError: train}
	}
	for name, c := range map[string]struct {
		h    History
		n    Net
		want int
	}{
		"a whole epoch":            {History{row(70, ptr(1), ptr(9)), row(140, ptr(2), ptr(8))}, Net{Batch: 64, TrainImages: 4500}, 4500},
		"half of one":              {History{row(70, ptr(1), ptr(9)), row(105, ptr(1.5), ptr(8))}, Net{Batch: 64, TrainImages: 4500}, 2250},
		"several are those of one": {History{row(210, ptr(3), ptr(9))}, Net{Batch: 64, TrainImages: 4500}, 4500},
		"by the updates":           {History{row(70, ptr(1), ptr(9)), row(105, ptr(1.5), ptr(8))}, Net{Batch: 64}, 2240},
		"without epochs":           {History{row(70, nil, ptr(9)), row(105, nil, ptr(8))}, Net{Batch: 64}, 2240},
		"a first row of no error":  {History{row(0, ptr(0), nil), row(10, ptr(0.5), ptr(8))}, Net{Batch: 8}, 80},
		"a last row of no error":   {History{row(10, ptr(0.5), ptr(8)), row(20, ptr(1), nil)}, Net{Batch: 8}, 80},
		"no training error":        {History{row(10, ptr(0.5), nil)}, Net{Batch: 8}, 0},
		"nothing":                  {nil, Net{Batch: 8}, 0},
		"no batch":                 {History{row(10, ptr(0.5), ptr(8))}, Net{}, 0},
		"speech of unknown size":   {History{row(10, ptr(0.5), ptr(8))}, Net{Batch: 8, Dataset: "fsdd"}, 0},
		"speech":                   {History{row(10, ptr(0.5), ptr(8))}, Net{Batch: 8, Dataset: "fsdd", TrainImages: 500}, 250},
	} {
		if got := c.h.trainImages(c.n); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestRemarksAndTheOrderOfNetworks(t *testing.T) {
	for want, o := range map[string]Outcome{
		"": {Runs: 1}, "1 unfinished": {Unfinished: 1}, "1 diverged": {Diverged: 1}, "2 diverged, 3 unfinished": {Diverged: 2, Unfinished: 3},
		"1 unfinished, test error of the validation split": {Runs: 1, Unfinished: 1, Split: partVal},
	} {
		if got := o.remark(); got != want {
			t.Errorf("remark %q, want %q", got, want)
		}
	}
	// Plain before residual, shallow before deep; otherwise in the order given.
	var runs []Compared
	for _, n := range []Net{{Model: "c", Kind: KindResidual, Depth: 20}, {Model: "z"}, {Model: "b", Kind: KindResidual, Depth: 8}, {Model: "a"}, {Model: "d", Kind: KindPlain, Depth: 56}, {Model: "c"}} {
		runs = append(runs, Compared{Net: n})
	}
	var models []string
	for _, o := range outcomes(runs) {
		models = append(models, o.Model)
	}
	if got := strings.Join(models, " "); got != "z a d b c" {
		t.Errorf("networks %s, want z a d b c", got)
	}
}
