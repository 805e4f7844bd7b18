package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fixedLesson has a value of its own in every place.
func fixedLesson() Lesson {
	shortcut, branch := 71.25, 31.5
	c := NewComparison("title", "", fixedRuns())
	figures := c.Figures()
	return Lesson{
		Command: "resnet lesson measure <here>", Version: "v1<2", Kernels: "avx9", Seed: 17, Data: "some-data",
		Depth:    []Taught{{Network: "plain8", Layers: 8, Parameters: 75_002, TrainError: 12.5, TestError: 13.5}},
		Deep:     []Taught{{Network: "plain56", Layers: 56, Parameters: 852_730, TrainError: 64.25, TestError: 61.75}},
		Findings: []string{"Plain <networks> degrade."}, Lesions: []string{"worse for 3 of 9 blocks."},
		Figures: []Figure{
			figures[0], figures[2],
			NewGradientFigure([]Strengths{{"plain56", true, []float64{250, 0, 0.5}}, {"resnet56", false, []float64{1.5, 2, 12}}}, []Strengths{{"resnet56", false, []float64{3, 4, 5}}}),
		},
		Starts:  []Start{{Network: "plain56-nobn", First: 0.0000984, Last: 0.152, Least: 0.0000983, Most: 0.375}},
		Dropped: []Lesion{{Block: "layer1.0", Shortcut: &shortcut, Branch: &branch}},
		Whole:   Whole{Residual: 16.9, Plain: 21.4},
		Normalisation: []Taught{
			{BatchNorm: true, Rate: 0.1, TrainError: 18.125, TestError: 17.625}, {Rate: 0.1, Diverged: true},
		},
		Blocks: []string{`<svg class="net"></svg>`},
	}
}

// cells are the texts of a table's rows.
func cells(t *testing.T, page, id string) (rows [][]string) {
	t.Helper()
	_, table, ok := strings.Cut(page, `<table id="`+id+`">`)
	if !ok {
		t.Fatalf("no table %s", id)
	}
	table, _, _ = strings.Cut(table, "</table>")
	_, table, _ = strings.Cut(table, "<tbody>")
	for _, row := range strings.Split(table, "<tr>")[1:] {
		var list []string
		for _, c := range regexp.MustCompile(`<td[^>]*>(.*?)</td>`).FindAllStringSubmatch(row, -1) {
			list = append(list, c[1])
		}
		rows = append(rows, list)
	}
	return rows
}

func TestALessonShowsItsFiguresAndEscapesTexts(t *testing.T) {
	var b bytes.Buffer
	if err := WriteLesson(&b, fixedLesson(), nil); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for id, want := range map[string][][]string{
		"depth":         {{"plain8", "8", "75,002", "12.50", "13.50"}},
		"deep":          {{"plain56", "56", "852,730", "64.25", "61.75"}},
		"starts":        {{"plain56-nobn", "no", "9.84e-05", "0.152", "9.83e-05", "0.375"}},
		"dropped-table": {{"layer1.0", "71.25", "31.50", ""}},
		"norm":          {{"yes", "0.1", "18.12", "17.62"}, {"no", "0.1", "diverged", ""}},
	} {
		if got := cells(t, page, id); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	for _, want := range []string{"resnet lesson measure &lt;here&gt;", "v1&lt;2", "seed 17", "Plain &lt;networks&gt; degrade.", "worse for 3 of 9 blocks.", "resnet20 16.90, plain20 21.40", `<svg class="net"></svg>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<here>") || strings.Contains(page, `id="runs"`) {
		t.Error("a text is not escaped, or a file has a visitor's trainings")
	}
	for _, loads := range regexp.MustCompile(`(?:src|href|url)\s*[=(]\s*"?([^#"\s>)]+)`).FindAllStringSubmatch(page, -1) {
		t.Errorf("the page leads elsewhere: %s", loads[0])
	}
}

// TestALessonSurvivesItsFile: what is read is what was measured.
func TestALessonSurvivesItsFile(t *testing.T) {
	l := fixedLesson()
	data, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeLesson(data, "x")
	if err != nil {
		t.Fatal(err)
	}
	again.Blocks = l.Blocks
	var a, b bytes.Buffer
	if err := WriteLesson(&a, l, nil); err != nil {
		t.Fatal(err)
	}
	if err := WriteLesson(&b, again, nil); err != nil || a.String() != b.String() {
		t.Errorf("another page (%v)", err)
	}
	for what, change := range map[string]func(*Lesson){
		"no figure":    func(l *Lesson) { l.Figures = l.Figures[:2] },
		"an empty one": func(l *Lesson) { l.Figures[1].Panels = nil },
		"a line without points": func(l *Lesson) {
			f := NewGradientFigure([]Strengths{{Network: "a", Values: []float64{1}}}, nil)
			f.Panels[0].Lines = append(f.Panels[0].Lines, Line{})
			l.Figures[2] = f
		},
		"no networks": func(l *Lesson) { l.Deep = nil },
	} {
		bad := fixedLesson()
		change(&bad)
		data, _ := json.Marshal(bad)
		if _, err := DecodeLesson(data, "some/file"); err == nil || !strings.HasPrefix(err.Error(), "some/file: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := DecodeLesson([]byte("{"), "some/file"); err == nil {
		t.Error("no JSON")
	}
}

// TestGradientsAreDrawnBetweenPowersOfTen: 0 has no place on such an axis.
func TestGradientsAreDrawnBetweenPowersOfTen(t *testing.T) {
	f := fixedLesson().Figures[2]
	if !f.Log || f.YMin != 0.1 || f.YMax != 1000 || f.XMax != 3 {
		t.Errorf("from %v to %v, %v layers, log %v", f.YMin, f.YMax, f.XMax, f.Log)
	}
	if got := f.Panels[0].Lines[0].Points; !slices.Equal(got, [][2]float64{{1, 250}, {3, 0.5}}) {
		t.Errorf("points %v", got)
	}
	var b bytes.Buffer
	if err := DrawFigureSVG(&b, f, DrawOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{">0.1<", ">1<", ">10<", ">100<", ">1000<", "norm of the gradient, log"} {
		if !strings.Contains(b.String(), label) {
			t.Errorf("the axis lacks %s", label)
		}
	}
}

// TestAVisitorsTrainingsAreListed, the links escaped.
func TestAVisitorsTrainingsAreListed(t *testing.T) {
	c := NewComparison("own", "", fixedRuns()[:2])
	e := 33.25
	var b bytes.Buffer
	err := WriteLesson(&b, fixedLesson(), &Visited{
		Folder: "runs", Comparison: &c, Other: "/own",
		Runs: []VisitedRun{{Run: "runs/a&b", Network: "n<1", Data: "d", State: "finished", Step: 1234, TrainError: &e, Link: "/report?run=runs%2Fa%26b"}, {Run: "runs/c"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	page := b.String()
	want := [][]string{{`<a href="/report?run=runs%2Fa%26b">runs/a&amp;b</a>`, "n&lt;1", "d", "finished", "1,234", "33.25", ""}, {"runs/c", "", "", "", "0", "", ""}}
	if got := cells(t, page, "runs"); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%q", got)
	}
	for _, want := range []string{`id="figure-own-error"`, `id="figure-own-responses"`, `<a href="/own">Yours</a>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
