package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDepthIsTheColourAndKindThePanel(t *testing.T) {
	figures := NewComparison("", "", fixedRuns()).Figures()
	if len(figures) != 3 || figures[0].ID != "error" || figures[1].ID != "loss" || figures[2].ID != "responses" {
		t.Fatalf("%d figures", len(figures))
	}
	f := figures[0]
	if len(f.Panels) != 2 || f.Panels[0].Title != "plain networks" || f.Panels[1].Title != "residual networks" {
		t.Fatalf("panels %+v", f.Panels)
	}
	find := func(panel int, name string) Line {
		for _, l := range f.Panels[panel].Lines {
			if l.Name == name {
				return l
			}
		}
		t.Fatalf("no line %q", name)
		return Line{}
	}
	plain, deep := find(0, "plain20-seed1 test"), find(0, "plain56-seed1 test")
	res, seed2 := find(1, "resnet20-seed1 test"), find(1, "resnet20-seed2 test")
	if plain.Color != res.Color || plain.Marker != res.Marker || plain.Color == deep.Color || plain.Marker == deep.Marker || deep.Width != plain.Width {
		t.Errorf("plain20 %+v, plain56 %+v, resnet20 %+v: one look for each depth, and one width", plain, deep, res)
	}
	if seed2.Color != res.Color || seed2.Group != res.Group {
		t.Errorf("seeds of one network look different: %+v, %+v", res, seed2)
	}
	if train := find(1, "resnet56-seed1 training"); !train.Dashed || train.Width >= deep.Width || train.Points[3] != [2]float64{400, 10.5} {
		t.Errorf("training error %+v", train)
	}
	// Networks that are not plain and residual share one panel, each with a colour.
	mixed := fixedRuns()[:2]
	mixed[0].Net = Net{Model: "a"}
	mixed[1].Net = Net{Model: "b"}
	f = NewComparison("", "", mixed).Figures()[0]
	if len(f.Panels) != 1 || f.Panels[0].Lines[0].Color == f.Panels[0].Lines[2].Color {
		t.Errorf("two unknown networks: %+v", f.Panels)
	}
}

func TestADepthHasItsLookWhateverTheOrderOfRuns(t *testing.T) {
	runs := fixedRuns()
	slices.Reverse(runs)
	for _, panel := range NewComparison("", "", runs).Figures()[0].Panels {
		for _, l := range panel.Lines {
			want := map[string]int{"plain20": 0, "resnet20": 0, "plain56": 1, "resnet56": 1}[l.Group]
			if l.Color != want || l.Marker != want {
				t.Errorf("%s: colour %d, marker %d, want %d: the shallow ones come first", l.Name, l.Color, l.Marker, want)
			}
		}
	}
}

func TestFiguresAreOfWhatWasMeasured(t *testing.T) {
	h := History{
		{Step: 10, TrainError: ptr(4), ValError: ptr(5), TrainLoss: ptr(0.3), ValLoss: ptr(0.9), TestLoss: ptr(9)},
		{Step: 20, TrainLoss: ptr(0.03), ValLoss: ptr(0.05)},
	}
	figures := NewComparison("", "", []Compared{{Run{Name: "r", History: h}, Net{Model: "m"}}}).Figures()
	var got []string
	for _, f := range figures {
		got = append(got, fmt.Sprintf("%s to %.4g", f.ID, f.YMax))
		for _, l := range f.Panels[0].Lines {
			got = append(got, fmt.Sprintf("%s %v", l.Part, l.Points[0][1]))
		}
	}
	// 5.25 in steps of 1; the loss's axis ends at 0.2, and the start of the curves is cut off.
	want := []string{"error to 6", "training 4", "validation 5", "loss to 0.2", "training 0.3", "validation 0.9"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(figures) > 0 && !strings.Contains(figures[0].Note, "validation error of one view") {
		t.Error(figures[0].Note)
	}
	h = h[:1]
	h[0].TrainLoss, h[0].ValLoss = nil, nil
	if figures := NewComparison("", "", []Compared{{Run{Name: "r", History: h}, Net{Model: "m"}}}).Figures(); len(figures) != 1 {
		t.Errorf("%d figures, want that of errors alone", len(figures))
	}
}

func TestThreeKindsShareOnePanel(t *testing.T) {
	runs := fixedRuns()[:2]
	other := runs[0]
	other.Net = Net{Model: "vgg16", Depth: 16}
	if f := NewComparison("", "", append(runs, other)).Figures()[0]; len(f.Panels) != 1 || len(f.Panels[0].Lines) != 6 {
		t.Errorf("%d panels, want one with the lines of three networks", len(f.Panels))
	}
}

func TestNiceStepsDivideARange(t *testing.T) {
	for _, c := range []struct {
		span float64
		n    int
		want float64
	}{{84, 6, 20}, {60, 6, 10}, {61, 6, 20}, {5.25, 6, 1}, {12.6, 6, 5}, {0.2, 6, 0.05}, {400, 7, 100}, {0, 6, 1}} {
		if got := niceStep(c.span, c.n); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v in %d parts: %v, want %v", c.span, c.n, got, c.want)
		}
	}
}

// TestTheFigureIsThePapers: three panels, 110 layers in two of them, the plain network that is
// above 60 % not displayed, and the paper's errors beside runs of the paper's length.
func TestTheFigureIsThePapers(t *testing.T) {
	var runs []Compared
	for _, o := range figure6() {
		n := Net{Model: o.Model, Family: o.Family, Kind: o.Kind, Depth: o.Depth, Dataset: o.Dataset, TrainImages: 50_000, TestImages: 10_000, Iterations: 64_000, Batch: 128}
		if o.Depth == 32 {
			n.Iterations = 32_000 // not the paper's
		}
		h := History{{Step: 32_000, Epoch: ptr(82), TrainError: ptr(2 * o.Train), TestError: ptr(2 * o.Test)}, {Step: 64_000, Epoch: ptr(164), TrainError: ptr(o.Train), TestError: ptr(o.Test)}}
		runs = append(runs, Compared{Run{Name: o.Model + "-seed1", History: h}, n})
	}
	f := NewComparison("", "", runs).Figures()[0]
	type panel struct {
		Title         string
		Groups, Marks []string
	}
	var got []panel
	for _, p := range f.Panels {
		g := panel{Title: p.Title}
		for _, l := range p.Lines {
			if !l.Dashed {
				g.Groups = append(g.Groups, l.Group)
			}
			if l.Dashed != (l.Part == partTrain) || (l.Width == testWidth) == l.Dashed {
				t.Errorf("%s: dashed %v, width %v", l.Name, l.Dashed, l.Width)
			}
		}
		for _, m := range p.Marks {
			g.Marks = append(g.Marks, m.Name)
		}
		got = append(got, g)
	}
	want := []panel{
		{"plain networks", []string{"plain20", "plain32", "plain44", "plain56"}, nil},
		{"residual networks", []string{"resnet20", "resnet32", "resnet44", "resnet56", "resnet110"}, []string{
			"resnet20 in the paper: 8.75%", "resnet44 in the paper: 7.17%", "resnet56 in the paper: 6.97%", "resnet110 in the paper: 6.43%",
		}},
		{"residual, 110 layers and more", []string{"resnet110", "resnet1202"}, []string{"resnet110 in the paper: 6.43%", "resnet1202 in the paper: 7.93%"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// Twice plain56's 14 %; with plain110 it would be the whole 100.
	if f.YMax != 30 || f.Hidden != "Not displayed, as in the paper's Fig. 6: plain110 (training 65.00%, test 62.00%)." || !strings.HasSuffix(f.Note, "Ticks at the right edge: the paper's test errors.") {
		t.Errorf("axis to %v, hidden %q, note %q", f.YMax, f.Hidden, f.Note)
	}
	// Of a copy, whose folders say so, nothing of the paper's stands there.
	copies := slices.Clone(runs)
	for i := range copies {
		copies[i].Net.Dataset = "cifar10 (converted copy)"
	}
	c := NewComparison("", "", copies)
	for _, p := range c.Figures()[0].Panels {
		if p.Marks != nil {
			t.Errorf("%s of a copy: %v", p.Title, p.Marks)
		}
	}
	if slices.ContainsFunc(c.Outcomes, func(o Outcome) bool { return o.Paper != nil }) || len(c.Claims) != 4 {
		t.Errorf("of a copy: %+v, %d claims", c.Outcomes, len(c.Claims))
	}
	const note = "cifar10 (converted copy): its files are not the published ones, so errors on it compare with others on the same copy, and the paper's do not stand beside them."
	if !slices.Contains(c.Notes, note) {
		t.Errorf("notes of a copy: %q", c.Notes)
	}
	copies[0].Net.Dataset, copies[0].Net.Unverified = "cifar10", true
	copies = copies[:1]
	copies[0].Net.Model, copies[0].Net.Kind = "resnet20", KindResidual
	c = NewComparison("", "", copies)
	if last := c.Notes[len(c.Notes)-1]; c.Outcomes[0].Paper == nil || !strings.Contains(last, "does not record whether it had those") {
		t.Errorf("of files that are not known: %+v, %q", c.Outcomes[0], c.Notes)
	}
	// Where plain networks are all bad, none is hidden.
	for i := range runs {
		if runs[i].Net.Kind == KindPlain {
			runs[i].History[1].TrainError = ptr(61)
		}
	}
	if f := NewComparison("", "", runs).Figures()[0]; len(f.Panels[0].Lines) != 10 || f.Hidden != "" {
		t.Errorf("%d lines of plain networks, hidden %q", len(f.Panels[0].Lines), f.Hidden)
	}
}
