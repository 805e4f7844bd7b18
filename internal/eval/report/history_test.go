package report

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var metricsFile = filepath.Join("..", "..", "..", "testdata", "eval", "metrics.csv")

func ptr(x float64) *float64 { return &x }

const header = "step,epoch,rate,train_loss,train_error,val_loss,val_error,val_top5,test_loss,test_error,test_top5\n"

func TestHistoryHoldsWhatWasMeasured(t *testing.T) {
	h, err := ReadHistory(metricsFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(h) != 4 {
		t.Fatalf("%d rows, want 4", len(h))
	}
	want := Measurement{Step: 156, Epoch: ptr(2), Rate: ptr(0.1), TrainLoss: ptr(0.9), TrainError: ptr(33.5), TestLoss: ptr(0.8), TestError: ptr(28.5), TestTop5: ptr(2)}
	if d := cmp.Diff(want, h[2]); d != "" {
		t.Errorf("row 3 (-want +got):\n%s", d)
	}
	series := Series{
		Name:  "run",
		Train: []Point{{78, 55.12}, {156, 33.5}, {234, 25}},
		Test:  []Point{{0, 90.1}, {78, 42}, {156, 28.5}, {234, 24.25}},
	}
	if d := cmp.Diff(series, h.Series("run")); d != "" {
		t.Errorf("series (-want +got):\n%s", d)
	}
}

func TestCurvesWithoutTestErrorsShowTheValidation(t *testing.T) {
	h, err := parseHistory(strings.NewReader(header+"5,1,0.1,1,50,1,40,4,,,\n6,1,0.1,1,NaN,1,+Inf,4,,,\n"), "m.csv")
	if err != nil {
		t.Fatal(err)
	}
	want := Series{Name: "x", Train: []Point{{5, 50}}, Test: []Point{{5, 40}}, Split: "validation"}
	if d := cmp.Diff(want, h.Series("x")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestUnknownColumnsAndAnUnfinishedLineAreLeftOut(t *testing.T) {
	h, err := parseHistory(strings.NewReader("step,new,test_error\r\n1,abc,5\r\n2,,4\r\n3,,"), "m.csv")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(History{{Step: 1, TestError: ptr(5)}, {Step: 2, TestError: ptr(4)}}, h); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestBadHistoriesNameFileLineAndColumn(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "m.csv:1",
		"a,b\n":                               "m.csv:1",
		header + "x,1,,,,,,,,,\n":             "m.csv:2: not a table of metrics: column step",
		header + "-1,1,,,,,,,,,\n":            "column step",
		header + "1,1,,,,,,,,abc,\n":          "column test_error",
		header + "1,1\n":                      "2 fields, want 11",
		header + "2,,,,,,,,,,\n2,,,,,,,,,,\n": "m.csv:3: not a table of metrics: step 2 after step 2",
		header + strings.Repeat("9", 1<<17):   "longer than",
	} {
		_, err := parseHistory(strings.NewReader(text), "m.csv")
		if !errors.Is(err, ErrHistory) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%.40q: error %v, want ErrHistory with %q", text, err, want)
		}
	}
	if _, err := ReadHistory("missing.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// TestEachColumnIsShownUnderItsTitle has a value of its own for every column.
func TestEachColumnIsShownUnderItsTitle(t *testing.T) {
	text := "step,epoch,rate,train_loss,train_error,val_loss,val_error,val_top5,test_loss,test_error,test_top5,train_eval_loss,train_eval_error\n" +
		"1000,1.25,0.01,1.23456,2.345,3.45678,4.567,5.678,6.78901,7.891,8.912,9.12345,10.234\n2000,2.5,1e-05,,,,,,,,,,\n"
	h, err := parseHistory(strings.NewReader(text), "m.csv")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range h.Columns() {
		got[c.Title] = strings.Join(c.Cells, " ")
		if !c.Number {
			t.Errorf("%s is no number", c.Title)
		}
	}
	want := map[string]string{
		"iteration": "1,000 2,000", "epoch": "1.2 2.5", "rate": "0.01 1e-05", "training loss": "1.2346 ", "training error %": "2.35 ",
		"validation loss": "3.4568 ", "validation error %": "4.57 ", "validation top-5 %": "5.68 ", "test loss": "6.7890 ", "test error %": "7.89 ", "test top-5 %": "8.91 ",
		"training set loss": "9.1235 ", "training set error %": "10.23 ",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if cols := h[1:].Columns(); len(cols) != 3 || cols[2].Title != "rate" {
		t.Errorf("of what was never measured there are columns: %+v", cols)
	}
}

func FuzzHistory(f *testing.F) {
	f.Add(header + "1,1,0.1,1,50,,,,1,40,4\n")
	f.Add(header + "1,1,nan,,,,,,1e999,inf,\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHistory(strings.NewReader(text), "m.csv")
		if err != nil {
			return
		}
		s := h.Series(text)
		for _, p := range append(s.Train, s.Test...) {
			if !finite(p.Error) || p.Step < 0 {
				t.Errorf("point %v", p)
			}
		}
		var b strings.Builder
		if err := Chart(&b, []Series{s}, ChartOptions{}); err != nil && !errors.Is(err, ErrNoCurve) {
			t.Error(err)
		}
	})
}
