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
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12), cmpopts.IgnoreUnexported(Outcome{})); d != "" {
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
