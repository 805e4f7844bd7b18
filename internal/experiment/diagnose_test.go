package experiment

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
)

// predicted are the predictions that eval writes of a run's test images.
func predicted(t *testing.T, run string) []eval.Prediction {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.jsonl")
	if _, err := Measure(t.Context(), &Environment{}, []string{run}, MeasureOptions{Split: datasets.Test, View: oneView, Threads: 1, Predictions: file}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []eval.Prediction
	for in := bufio.NewScanner(bytes.NewReader(b)); in.Scan(); {
		var p eval.Prediction
		if err := json.Unmarshal(in.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// softmax as in a textbook.
func softmax(logits []float32) []float64 {
	p := make([]float64, len(logits))
	var sum float64
	for c, z := range logits {
		p[c] = math.Exp(float64(z))
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
	return p
}

func TestADiagnosisIsThatOfThePredictions(t *testing.T) {
	run := t.TempDir()
	if _, err := start(t, run, photoConfig(photos(t)), nil); err != nil {
		t.Fatal(err)
	}
	env := &Environment{}
	files, err := ReportRun(t.Context(), env, run, DiagnoseOptions{Threads: 1})
	if err != nil || len(files) != 4 {
		t.Fatalf("%v (%v)", files, err)
	}
	d, err := report.ReadDiagnosis(run)
	if err != nil {
		t.Fatal(err)
	}
	net, err := OpenModel(env, run)
	if err != nil {
		t.Fatal(err)
	}
	bias := net.Params.Get(net.Spec.Head() + ".bias").Data
	all := predicted(t, run)
	if d.Images != len(all) || d.Of != 6 || d.Split != "test" || d.Step != net.Step || !slices.Equal(d.Classes, []string{"ant", "cat", "eel"}) || d.NoMaps != "" {
		t.Errorf("%d of %d images of %s, step %d, classes %v, maps %q", d.Images, d.Of, d.Split, d.Step, d.Classes, d.NoMaps)
	}
	confusion := map[eval.Mixup]int{}
	var ece, loss float64
	wrong := 0
	bins := map[int][3]float64{} // images, confidence, right
	for _, p := range all {
		probabilities := softmax(p.Logits)
		confusion[eval.Mixup{Label: p.Label, Predicted: p.Top5[0].Class}]++
		loss -= math.Log(probabilities[p.Label]) / 6
		b := bins[int(math.Ceil(15*p.Top5[0].Probability))]
		b[0]++
		b[1] += p.Top5[0].Probability
		if p.Top5[0].Class == p.Label {
			b[2]++
		} else {
			wrong++
		}
		bins[int(math.Ceil(15*p.Top5[0].Probability))] = b
	}
	for _, b := range bins {
		ece += math.Abs(b[1]-b[2]) / 6
	}
	if wrong == 0 {
		t.Fatal("nothing is wrong: the test shows nothing")
	}
	got := map[eval.Mixup]int{}
	for _, m := range d.Confusion {
		got[eval.Mixup{Label: m.Label, Predicted: m.Predicted}] = m.N
	}
	if diff := cmp.Diff(confusion, got); diff != "" {
		t.Errorf("confusion (-want +got):\n%s", diff)
	}
	if math.Abs(d.Calibration.ECE-ece) > 1e-9 || math.Abs(d.Loss-loss) > 1e-6 || math.Abs(d.Top1Error-100*float64(wrong)/6) > 1e-9 {
		t.Errorf("ECE %v, loss %v, error %v; want %v, %v, %v", d.Calibration.ECE, d.Loss, d.Top1Error, ece, loss, 100*float64(wrong)/6)
	}
	// The worst are the wrong ones, by falling loss.
	slices.SortStableFunc(all, func(a, b eval.Prediction) int {
		return -cmpFloat(-math.Log(softmax(a.Logits)[a.Label]), -math.Log(softmax(b.Logits)[b.Label]))
	})
	all = slices.DeleteFunc(all, func(p eval.Prediction) bool { return p.Top5[0].Class == p.Label })
	if len(d.Worst) != len(all) {
		t.Fatalf("%d worst images, want %d", len(d.Worst), len(all))
	}
	for i, w := range d.Worst {
		p := all[i]
		probabilities := softmax(p.Logits)
		if w.ID != p.ID || w.Label != p.Label || w.Top[0].Class != p.Top5[0].Class || math.Abs(w.Probability-probabilities[p.Label]) > 1e-5 {
			t.Errorf("worst image %d: %s of class %d, %v; want %s of class %d, %v", i, w.ID, w.Label, w.Probability, p.ID, p.Label, probabilities[p.Label])
		}
		// The mean of a class's map and its bias are its logit.
		for _, m := range w.Maps {
			sum := float64(bias[m.Class])
			for _, v := range m.Values {
				sum += float64(v) / float64(len(m.Values))
			}
			if want := float64(p.Logits[m.Class]); math.Abs(sum-want) > 1e-4*(1+math.Abs(want)) {
				t.Errorf("%s, class %d: its map adds up to %v, and its logit is %v", w.ID, m.Class, sum, want)
			}
		}
		if len(w.Maps) != 2 || w.Maps[0].Class != p.Top5[0].Class || w.Maps[1].Class != p.Label {
			t.Errorf("maps of %v", w.Maps)
		}
		view, err := png.Decode(bytes.NewReader(w.View))
		if err != nil || view.Bounds().Dx() != 8 {
			t.Fatalf("view %v (%v)", view, err)
		}
		// What photo has painted.
		if r, _, b, _ := view.At(5, 3).RGBA(); b>>8 != 8*3+5 || r>>8 == 0 && !strings.HasPrefix(w.ID, "test/ant") {
			t.Errorf("%s: pixel 5, 3 is %d, %d", w.ID, r>>8, b>>8)
		}
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestADiagnosisIsKeptForItsCheckpoint(t *testing.T) {
	run, in := t.TempDir(), photoConfig(photos(t))
	if _, err := start(t, run, in, nil); err != nil {
		t.Fatal(err)
	}
	var said []string
	env := &Environment{Say: func(line string) { said = append(said, line) }}
	read := func(o DiagnoseOptions) (*report.Diagnosis, string) {
		t.Helper()
		o.Threads = 1
		if _, err := ReportRun(t.Context(), env, run, o); err != nil {
			t.Fatal(err)
		}
		d, err := report.ReadDiagnosis(run)
		if err != nil || d == nil {
			t.Fatalf("%v (%v)", d, err)
		}
		page, err := os.ReadFile(filepath.Join(run, report.ReportFile))
		if err != nil {
			t.Fatal(err)
		}
		return d, string(page)
	}
	if d, page := read(DiagnoseOptions{Images: 3}); d.Images != 3 || d.Of != 6 || d.Limit != 3 || !strings.Contains(page, "3 of the 6, drawn evenly from the classes") {
		t.Errorf("%d of %d images", d.Images, d.Of)
	} else if counts := d.ClassReport().Classes; counts[0].N != 1 || counts[1].N != 1 || counts[2].N != 1 {
		t.Errorf("of the classes %v", counts)
	}
	// What is there is taken unless more is asked for. The mark is not measured.
	mark := func() {
		t.Helper()
		d, _ := report.ReadDiagnosis(run)
		d.Loss = 77
		if err := report.WriteDiagnosis(run, d); err != nil {
			t.Fatal(err)
		}
	}
	mark()
	for _, c := range []struct {
		o    DiagnoseOptions
		kept bool
	}{{DiagnoseOptions{}, true}, {DiagnoseOptions{Images: 3, Split: datasets.Test}, true}, {DiagnoseOptions{Images: -1}, false}, {DiagnoseOptions{Images: 6}, false}} {
		if d, page := read(c.o); (d.Loss == 77) != c.kept || strings.Contains(page, "loss 77.0000") != c.kept {
			t.Errorf("%+v: loss %v", c.o, d.Loss)
		}
	}
	mark()
	if d, _ := read(DiagnoseOptions{Images: -1}); d.Loss != 77 {
		t.Error("all images are measured twice")
	}
	// Not where it is damaged, or of another checkpoint.
	if err := os.WriteFile(filepath.Join(run, report.DiagnosticsFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if d, _ := read(DiagnoseOptions{}); d.Images != 6 || len(said) == 0 || !strings.Contains(said[len(said)-1], report.DiagnosticsFile) {
		t.Errorf("said %q", said)
	}
	d, _ := report.ReadDiagnosis(run)
	d.SHA256, d.Loss = strings.Repeat("0", 64), 77
	if err := report.WriteDiagnosis(run, d); err != nil {
		t.Fatal(err)
	}
	if d, _ := read(DiagnoseOptions{}); d.Loss == 77 {
		t.Error("the diagnosis of another checkpoint is shown")
	}
}

func TestWithoutItsDataARunHasAPageAllTheSame(t *testing.T) {
	run, data := t.TempDir(), photos(t)
	if _, err := start(t, run, photoConfig(data), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	files, err := ReportRun(t.Context(), &Environment{}, run, DiagnoseOptions{Threads: 1})
	if err == nil || len(files) != 3 {
		t.Errorf("%v (%v)", files, err)
	}
	page, _ := os.ReadFile(filepath.Join(run, report.ReportFile))
	if !strings.Contains(string(page), "resnet runs report") || !strings.Contains(string(page), `id="figure-error"`) {
		t.Error("the page has no curves, or does not say how it gets a diagnosis")
	}
	// Stopped, the page comes without.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said []string
	if err := WriteReport(ctx, &Environment{Say: func(line string) { said = append(said, line) }}, run, 1); err != nil || len(said) != 1 || !strings.Contains(said[0], "not diagnosed") {
		t.Errorf("said %q (%v)", said, err)
	}
	if _, err := ReportRun(t.Context(), &Environment{}, t.TempDir(), DiagnoseOptions{}); err == nil {
		t.Error("an empty folder has a page")
	}
}

func TestAPageSaysWhatDiffersFromThePreset(t *testing.T) {
	l, err := config.Load(config.Input{File: "cifar20", Sets: []string{"train.seed=3", "train.optimizer.momentum=0.8", "data.dir=elsewhere"}})
	if err != nil {
		t.Fatal(err)
	}
	name, changes := nearestPreset(&l.Config)
	want := []report.Change{{Key: "train.optimizer.momentum", Preset: "0.9", Here: "0.8"}, {Key: "train.seed", Preset: "1", Here: "3"}}
	if name != "cifar20" || !slices.Equal(changes, want) {
		t.Errorf("%s: %v, want %v", name, changes, want)
	}
}

func TestTheWorstAreThoseOfTheGreatestLoss(t *testing.T) {
	w := &worstOf{most: 2}
	for i, loss := range []float64{1, 3, 2, 3, 0.5} {
		// log(1 + e^z) is the loss of class 0 beside a class of logit z.
		z := float32(math.Log(math.Exp(loss) - 1))
		if err := w.observe(eval.Image{Index: i, Logits: []float32{0, z}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.list) != 2 || w.list[0].index != 1 || w.list[1].index != 3 || math.Abs(w.list[1].loss-3) > 1e-6 {
		t.Errorf("%+v, want images 1 and 3", w.list)
	}
}
