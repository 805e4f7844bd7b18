package experiment

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"resnet/internal/config"
	"resnet/internal/eval/report"
	"resnet/internal/train"
)

// shown keeps what was published.
type shown map[string][]func() any

func (s shown) Publish(event string, value func() any) { s[event] = append(s[event], value) }

func TestALivePageIsThatOfTheRunFolder(t *testing.T) {
	l, err := config.Load(photoConfig(photos(t)))
	if err != nil {
		t.Fatal(err)
	}
	env := &Environment{}
	x, err := New(t.Context(), env, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	training := &Training{Experiment: x, Dir: t.TempDir(), Watcher: quiet{}}
	page := NewLivePage(training)
	written := func() string {
		t.Helper()
		var b strings.Builder
		if err := page.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if p := written(); !strings.Contains(p, `data-live="events"`) || !strings.Contains(p, "connect-src 'self'") || !strings.Contains(p, "cifar-resnet8 on folder") {
		t.Error("the page of a training that has measured nothing does not grow")
	}
	to := shown{}
	page.To(to)
	if _, err := training.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(to["progress"]) != 6 || len(to["figures"]) != 2 {
		t.Fatalf("%d steps and %d evaluations, want 6 and 2", len(to["progress"]), len(to["figures"]))
	}
	p, ok := to["progress"][4]().(liveProgress)
	if !ok || p.Step != 5 || p.Total != 6 || p.Loss <= 0 || p.Rate != l.Train.Schedule.Rate || !strings.HasPrefix(p.Text, "step 5 of 6, epoch ") {
		t.Errorf("%+v", p)
	}
	run, _, err := readRun(training.Dir)
	if err != nil {
		t.Fatal(err)
	}
	figures, _ := to["figures"][1]().([]report.Figure)
	if len(figures) != 4 {
		t.Fatalf("%d figures", len(figures))
	}
	for _, line := range figures[0].Panels[0].Lines {
		if line.Name == "test" && (len(line.Points) != 2 || line.Points[1] != [2]float64{6, *run.History[1].TestError}) {
			t.Errorf("test errors %v of %+v", line.Points, run.History)
		}
	}
	if _, err := json.Marshal(figures); err != nil {
		t.Error(err)
	}
	if err := WriteReport(t.Context(), env, training.Dir, 1); err != nil {
		t.Fatal(err)
	}
	page.Finished()
	if p := written(); strings.Contains(p, "data-live=") || !strings.Contains(p, "Top-1 error ") || !strings.Contains(p, "What it gets wrong") || !strings.Contains(p, `class="matrix"`) {
		t.Error("the last page is not that of the run")
	}
}

func TestAStepThatIsNotFiniteIsPublished(t *testing.T) {
	to := shown{}
	l, err := config.Load(photoConfig(photos(t)))
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(t.Context(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	page := NewLivePage(&Training{Experiment: x, Watcher: quiet{}})
	page.To(to)
	zero := 0.0
	page.Step(train.Progress{Step: 1, Total: 2, MeanLoss: 1 / zero, MeanError: zero / zero, ETA: time.Minute})
	if b, err := json.Marshal(to["progress"][0]()); err != nil || !strings.Contains(string(b), "left 1m") {
		t.Errorf("%s (%v)", b, err)
	}
}
