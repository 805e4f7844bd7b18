package report

import (
	"bytes"
	"errors"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/eval"
)

// testView is a view of a side, in grey: of the number of its pixel.
func testView(t *testing.T, side int) []byte {
	t.Helper()
	v := View{Channels: 1, Side: side, Pix: make([]byte, side*side)}
	for i := range v.Pix {
		v.Pix[i] = byte(i)
	}
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// testDiagnosis is of two classes and four images, three right, with names that are no markup.
func testDiagnosis(t *testing.T) *Diagnosis {
	t.Helper()
	c := eval.NewCalibrator(4, 2)
	for i, im := range []eval.Image{
		{Label: 0, Logits: []float32{2, 0}},
		{Label: 0, Logits: []float32{3, 0}},
		{Label: 0, Logits: []float32{0, 1}},
		{Label: 1, Logits: []float32{0, 2}},
	} {
		im.Index = i
		if err := c.Observe(im); err != nil {
			t.Fatal(err)
		}
	}
	calibration, err := c.Calibration()
	if err != nil {
		t.Fatal(err)
	}
	return &Diagnosis{
		Format: 1, Step: 1200, Data: "<b>data</b>", Split: "val", Images: 4, Of: 9, Top1Error: 25, Loss: 0.5, Classes: []string{"<i>shirt</i>", "coat"},
		Confusion:   []eval.Mixup{{Label: 0, Predicted: 0, N: 2}, {Label: 0, Predicted: 1, N: 1}, {Label: 1, Predicted: 1, N: 1}},
		Calibration: calibration,
		Worst: []WorstImage{{
			Index: 2, ID: "<script>alert(1)</script>.png", Label: 0, Probability: 0.0002, Loss: 1.3, Top: []eval.Guess{{Class: 1, Probability: 0.731}},
			View: testView(t, 4), Maps: []ActivationMap{{Class: 1, Side: 2, Values: []float32{1, 0, -1, 0.5}}, {Class: 0, Side: 1, Values: []float32{-1}}},
		}},
	}
}

func TestAPageSaysWhatADiagnosisHolds(t *testing.T) {
	var b strings.Builder
	d := testDiagnosis(t)
	if err := (Report{Title: "t", Diagnosis: d}).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"The checkpoint of step 1,200 on the validation images of &lt;b&gt;data&lt;/b&gt;: 4 of the 9, drawn evenly from the classes, are measured. Top-1 error 25.00%, loss 0.5000.",
		`<td>&lt;i&gt;shirt&lt;/i&gt;</td><td class="number">3</td><td class="number">1</td><td class="number bar" style="--share: 33.3%">33.33</td><td>coat, 1×</td>`,
		`title="&lt;i&gt;shirt&lt;/i&gt; (0) taken for coat (1): 1 of 3">1</td>`,
		"<strong>taken for coat, 73.1%</strong><br>is &lt;i&gt;shirt&lt;/i&gt;, 0.02%<br>",
		"&lt;script&gt;alert(1)&lt;/script&gt;.png",
		`id="figure-calibration"`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not have %s", want)
		}
	}
	if n := strings.Count(b.String(), `class="over" src="data:image/png;base64,`); n != 2 {
		t.Errorf("%d activation maps, want 2", n)
	}
}

func TestClassesAreSortedByTheirError(t *testing.T) {
	m := eval.Metrics{Confusion: [][]int{{9, 1, 0, 0}, {0, 0, 0, 0}, {2, 3, 5, 0}, {0, 0, 1, 0}}}
	c := m.Classes(nil)
	var got []string
	for _, l := range classLines(&c) {
		got = append(got, l.Name+": "+l.Error+", "+l.Taken)
	}
	want := []string{"3: 100.00, 2, 1×", "2: 50.00, 1, 3×", "0: 10.00, 1, 1×", "1: -, "}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTwentyClassesAreAMatrixAndMoreAreAMap(t *testing.T) {
	for n, matrix := range map[int]bool{20: true, 21: false} {
		d := testDiagnosis(t)
		d.Worst, d.Classes, d.Confusion = nil, make([]string, n), nil
		for label := range n {
			d.Confusion = append(d.Confusion, eval.Mixup{Label: label, Predicted: (label + 1) % n, N: label + 1})
		}
		var b strings.Builder
		if err := (Report{Title: "t", Diagnosis: d}).WriteHTML(&b); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		if strings.Contains(page, `class="matrix"`) != matrix || strings.Contains(page, `id="confusion-map"`) == matrix {
			t.Errorf("%d classes: a matrix is wanted: %v", n, matrix)
		}
		if mixup := strings.Contains(page, "21 × 20 (20) taken for 0 (0)"); mixup == matrix {
			t.Errorf("%d classes: the most frequent mix-up is said: %v", n, mixup)
		}
		if more := strings.Contains(page, "The other 1 classes"); more == matrix {
			t.Errorf("%d classes: the table folds: %v", n, more)
		}
	}
}

func TestAConfusionMapHasAPixelForEachPair(t *testing.T) {
	m := eval.Metrics{Confusion: [][]int{{3, 1}, {0, 0}}}
	img := confusionMap(m.Classes(nil))
	for _, c := range []struct {
		x, y int
		want color.NRGBA
	}{
		{0, 0, color.NRGBA{0x2B, 0x8C, 0xC4, uint8(math.Round(255 * (0.3 + 0.7*0.8660254)))}},
		// x is the prediction
		{1, 0, color.NRGBA{0xE6, 0x72, 0x14, uint8(math.Round(255 * (0.3 + 0.7*0.5)))}},
		{0, 1, color.NRGBA{}},
	} {
		if got := img.NRGBAAt(c.x, c.y); got != c.want {
			t.Errorf("%d, %d: %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

func TestTheCalibrationCurveIsOfTheBinsThatHaveImages(t *testing.T) {
	d := testDiagnosis(t)
	f := d.calibrationFigure()
	sigmoid := func(z float64) float64 { return 100 / (1 + math.Exp(-z)) }
	// Logits 2 apart twice (0.8808, one bin), 3 (0.9526) and 1 (0.7311, wrong).
	want := [][2]float64{{sigmoid(1), 0}, {sigmoid(2), 100}, {sigmoid(3), 100}}
	got := f.Panels[0].Lines[1].Points
	if len(got) != len(want) {
		t.Fatalf("points %v, want %v", got, want)
	}
	for i := range got {
		if math.Abs(got[i][0]-want[i][0]) > 1e-9 || got[i][1] != want[i][1] {
			t.Errorf("point %d: %v, want %v", i, got[i], want[i])
		}
	}
	ece := (2*(1-sigmoid(2)/100) + (1 - sigmoid(3)/100) + sigmoid(1)/100) / 4
	if math.Abs(d.Calibration.ECE-ece) > 1e-9 {
		t.Errorf("expected calibration error %v, want %v", d.Calibration.ECE, ece)
	}
}

func TestADiagnosisIsReadAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	if d, err := ReadDiagnosis(dir); d != nil || err != nil {
		t.Errorf("an empty folder: %v (%v)", d, err)
	}
	want := testDiagnosis(t)
	if err := WriteDiagnosis(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadDiagnosis(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestADiagnosisThatNoPageCouldBeMadeOfIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Diagnosis){
		"another version":        func(d *Diagnosis) { d.Format = 2 },
		"no image":               func(d *Diagnosis) { d.Images = 0 },
		"more images than":       func(d *Diagnosis) { d.Of = 1 },
		"a class of none":        func(d *Diagnosis) { d.Confusion[0].Predicted = 2 },
		"a negative class":       func(d *Diagnosis) { d.Confusion[0].Label = -1 },
		"a negative count":       func(d *Diagnosis) { d.Confusion[0].N = -1 },
		"a count past 32 bits":   func(d *Diagnosis) { d.Confusion[0].N = 1 << 31 },
		"too many classes":       func(d *Diagnosis) { d.Classes = make([]string, 5000) },
		"a label of none":        func(d *Diagnosis) { d.Worst[0].Label = 7 },
		"no guess":               func(d *Diagnosis) { d.Worst[0].Top = nil },
		"a guess of none":        func(d *Diagnosis) { d.Worst[0].Top[0].Class = 9 },
		"no view":                func(d *Diagnosis) { d.Worst[0].View = []byte("GIF89a") },
		"a map of another shape": func(d *Diagnosis) { d.Worst[0].Maps[0].Side = 3 },
		"a map of a class":       func(d *Diagnosis) { d.Worst[0].Maps[1].Class = 2 },
		"bins":                   func(d *Diagnosis) { d.Calibration.Bins = make([]eval.CalibrationBin, 2000) },
		"a temperature alone":    func(d *Diagnosis) { d.Calibration.Scaled = nil },
		"worst images":           func(d *Diagnosis) { d.Worst = slices.Repeat(d.Worst, 1001) },
	} {
		t.Run(name, func(t *testing.T) {
			d := testDiagnosis(t)
			spoil(d)
			var b bytes.Buffer
			if err := eval.WriteJSON(&b, d); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, DiagnosticsFile), b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadDiagnosis(dir); !errors.Is(err, ErrDiagnostics) || !strings.Contains(err.Error(), DiagnosticsFile) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestADiagnosisIsWrittenWholeOrNotAtAll(t *testing.T) {
	atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{DiagnosticsFile}, Write: func(fsys atomicfile.FS, dir string, version int) error {
		d := testDiagnosis(t)
		d.Step = int64(version)
		return folder{fsys, dir}.diagnosis(d)
	}})
}

func TestAViewIsKeptAsItIsSeen(t *testing.T) {
	small, err := png.Decode(bytes.NewReader(testView(t, 8)))
	if err != nil || small.Bounds().Dx() != 8 {
		t.Fatalf("%v", err)
	}
	if r, _, _, _ := small.At(3, 2).RGBA(); r>>8 != 19 {
		t.Errorf("pixel 3, 2 is %d, want 19", r>>8)
	}
	if large, err := jpeg.Decode(bytes.NewReader(testView(t, 96))); err != nil || large.Bounds().Dx() != 96 {
		t.Errorf("%v", err)
	}
}

// FuzzDiagnosis: a page can be made of whatever is read.
func FuzzDiagnosis(f *testing.F) {
	f.Add([]byte(`{"format": 1, "images": 1, "of": 1, "classes": ["a"], "confusion": [{"label": 0, "predicted": 0, "n": 1}]}`))
	f.Add([]byte(`{"format": 1, "images": 1, "of": 1, "calibration": {"temperature": 2}}`))
	f.Add([]byte(`{"format": 1, "images": 1, "of": 1, "classes": ["a"], "confusion": [{"label": 0, "predicted": 0, "n": 4611686018427387904}]}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		d, err := parseDiagnosis(b)
		if err != nil {
			return
		}
		var page strings.Builder
		_ = (Report{Title: "t", Diagnosis: d}).WriteHTML(&page) // it must not panic
	})
}
