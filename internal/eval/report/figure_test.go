package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDepthIsWidthAndKindIsThePanel(t *testing.T) {
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
	if plain.Color != res.Color || plain.Marker != res.Marker || plain.Color == deep.Color || deep.Width <= plain.Width {
		t.Errorf("plain20 %+v, plain56 %+v, resnet20 %+v: one look for each depth, and the deeper one wider", plain, deep, res)
	}
	if seed2.Color != res.Color || seed2.Group != res.Group {
		t.Errorf("seeds of one network look different: %+v, %+v", res, seed2)
	}
	if train := find(1, "resnet56-seed1 training"); !train.Dashed || train.Points[3] != [2]float64{400, 10.5} {
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
