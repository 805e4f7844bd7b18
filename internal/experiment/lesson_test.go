package experiment

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"resnet/docs/lesson"
	"resnet/internal/datasets"
	"resnet/internal/eval/report"
	"resnet/internal/train"
)

var writeLesson = flag.Bool("lesson", false, "write docs/lesson/index.html")

// styleAndScript are the parts of the page that change with those of other pages.
var styleAndScript = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|sha256-[^']*`)

// TestTheCommittedLessonIsOfItsFigures: docs/lesson/index.html is what the program makes of
// measured.json. `make lesson` writes both; after a change of the text -lesson is enough.
func TestTheCommittedLessonIsOfItsFigures(t *testing.T) {
	l, err := report.DecodeLesson(lesson.Measured, "measured.json")
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := WriteLesson(&page, l, nil); err != nil {
		t.Fatal(err)
	}
	const file = "../../docs/lesson/index.html"
	if *writeLesson {
		if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(styleAndScript.ReplaceAll(page.Bytes(), nil)) != string(styleAndScript.ReplaceAll(committed, nil)) {
		t.Error("docs/lesson/index.html is not the page of docs/lesson/measured.json: go test ./internal/experiment -run TheCommittedLesson -lesson")
	}
}

// TestALessonIsMeasuredOnItsNetworks holds every figure to another way to it: the runs' own
// metrics, `eval`, and gradients measured alone.
func TestALessonIsMeasuredOnItsNetworks(t *testing.T) {
	if testing.Short() {
		t.Skip("ten trainings")
	}
	out := filepath.Join(t.TempDir(), "my lesson")
	env := &Environment{Version: "v9"}
	o := LessonOptions{Out: out, Seed: 3, Sets: []string{"data.limit=64", "train.schedule.drop.at_epochs=[]", "train.iterations=2", "eval.every=2"}}
	plan, err := NewLessonPlan(t.Context(), env, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range plan.Comparisons() {
		if err := c.TrainAll(t.Context(), train.NewControl(), func(*ComparedRun) Watcher { return quiet{} }); err != nil {
			t.Fatal(err)
		}
	}
	l, err := plan.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "resnet lesson measure --out '" + out + "' --seed 3 --set 'data.limit=64' --set 'train.schedule.drop.at_epochs=[]' --set 'train.iterations=2' --set 'eval.every=2'"; l.Command != want {
		t.Errorf("command %s, want %s", l.Command, want)
	}
	again, err := ReadLesson(out)
	if err != nil || again.Whole != l.Whole || !slices.Equal(again.Deep, l.Deep) {
		t.Errorf("read again: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, LessonPage)); err != nil {
		t.Error(err)
	}
	var names []string
	for _, n := range slices.Concat(l.Depth, l.Deep) {
		names = append(names, n.Network)
	}
	if want := []string{"plain8", "resnet8", "plain20", "resnet20", "plain56", "resnet56"}; !slices.Equal(names, want) {
		t.Errorf("networks %v", names)
	}
	var settings []report.Taught
	for _, n := range l.Normalisation {
		settings = append(settings, report.Taught{BatchNorm: n.BatchNorm, Rate: n.Rate})
	}
	if want := []report.Taught{{BatchNorm: true, Rate: 0.1}, {BatchNorm: true, Rate: 0.01}, {Rate: 0.1}, {Rate: 0.01}}; !slices.Equal(settings, want) {
		t.Errorf("settings %+v", settings)
	}
	whole, err := Measure(t.Context(), env, []string{filepath.Join(out, "depth", "resnet20-seed3")}, MeasureOptions{Split: datasets.Test, View: oneView, Without: "shortcut"})
	if err != nil {
		t.Fatal(err)
	}
	if rows := whole.Table().Rows; rows[0].Top1Error != l.Whole.Residual || rows[0].Top1Error != l.Depth[3].TestError || rows[4].Top1Error != *l.Dropped[3].Shortcut {
		t.Errorf("whole %v, the lesson has %v and %v; without the shortcut of %s %v, the lesson has %v", rows[0].Top1Error, l.Whole.Residual, l.Depth[3].TestError, l.Dropped[3].Block, rows[4].Top1Error, *l.Dropped[3].Shortcut)
	}
	if d := l.Dropped[3]; d.Block != "layer2.0" || d.Plain != nil || l.Dropped[4].Plain == nil {
		t.Errorf("layer2.0 changes the shape: %+v", d)
	}
	gradients := l.Figures[slices.IndexFunc(l.Figures, func(f report.Figure) bool { return f.ID == "gradients" })]
	for i, n := range []string{"plain56", "resnet56"} {
		line := gradients.Panels[0].Lines[i]
		first, s := line.Points[0][1], l.Starts[i]
		if line.Name != n || len(line.Points) != 56 || s.First != first || math.Abs(line.Points[54][1]-s.Last) > 0 {
			t.Errorf("%s: %d layers, first %v; at the start %+v", line.Name, len(line.Points), first, s)
		}
		if end := gradients.Panels[1].Lines[i].Points[0][1]; end == first {
			t.Errorf("%s: the training has not changed the gradient", n)
		}
	}
}

// TestAVisitSeesTheTrainingsOfAFolder, compares them, and gives the reports of no other files.
func TestAVisitSeesTheTrainingsOfAFolder(t *testing.T) {
	if v := Visit(filepath.Join(t.TempDir(), "none"), nil); v.Runs != nil || v.Problem != "" {
		t.Errorf("of no folder: %+v", v)
	}
	const dir = "../../testdata/runs/fig6"
	v := Visit(dir, func(run string) string { return "at " + run })
	if len(v.Runs) != 11 || v.Comparison == nil || len(v.Comparison.Runs) != visitedCurves {
		t.Fatalf("%d runs, %v", len(v.Runs), v.Problem)
	}
	i := slices.IndexFunc(v.Runs, func(r report.VisitedRun) bool { return r.Run == dir+"/resnet20" })
	if e := v.Runs[i].TestError; e == nil || *e != 8.75 {
		t.Errorf("resnet20: %v", e)
	}
	own := t.TempDir()
	if err := os.CopyFS(filepath.Join(own, "a"), os.DirFS(dir+"/resnet20")); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(own, "a")
	if v := Visit(own, func(run string) string { return "at " + run }); v.Runs[0].Link != "" {
		t.Errorf("a link to no report: %+v", v.Runs)
	}
	for name, content := range map[string]string{"a/report.html": "the report", "report.html": "another"} {
		if err := os.WriteFile(filepath.Join(own, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if v := Visit(own, func(run string) string { return "at " + run }); v.Runs[0].Link != "at "+run {
		t.Errorf("%+v", v.Runs)
	}
	if page, ok := VisitedReport(own, run); !ok || string(page) != "the report" {
		t.Errorf("%q %v", page, ok)
	}
	for _, other := range []string{own, run + "/", run + "/../a", "", "/etc"} {
		if page, ok := VisitedReport(own, other); ok {
			t.Errorf("%s: %q", other, page)
		}
	}
	if _, err := ReadLesson(own); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no lesson: %v", err)
	}
	if err := os.WriteFile(filepath.Join(own, LessonFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLesson(own); err == nil || !strings.Contains(err.Error(), LessonFile) {
		t.Errorf("half a lesson: %v", err)
	}
}
