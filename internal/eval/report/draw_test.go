package report

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/plotter"
)

func TestAboutTenPointsOfACurveHaveAMarkerAndItsLastOne(t *testing.T) {
	var xys plotter.XYs
	for i := range 26 {
		xys = append(xys, plotter.XY{X: float64(i), Y: float64(40 - i)})
	}
	at := func(points plotter.XYs) (list []float64) {
		for _, p := range points {
			list = append(list, p.X)
		}
		return list
	}
	// Every second one, counted from the end; those above the axis have none.
	if d := cmp.Diff([]float64{11, 13, 15, 17, 19, 21, 23, 25}, at(spread(xys, 30))); d != "" {
		t.Errorf("26 points (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]float64{0, 1, 2}, at(spread(xys[:3], 40))); d != "" {
		t.Errorf("3 points (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]float64{2}, at(spread(xys[:3], 1))); d != "" {
		t.Errorf("all above the axis: the last (-want +got):\n%s", d)
	}
}

func TestLongNamesAreCut(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		want string
	}{{"résnet20", 8, "résnet20"}, {"résnet110", 8, "résnet1…"}, {"", 3, ""}} {
		if got := shorten(c.name, c.n); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.name, c.n, got, c.want)
		}
	}
}

// pathEnd finds where the test error's line of the first series ends.
var pathEnd = regexp.MustCompile(`<path d="M[0-9.]+,[0-9.]+L([0-9.]+),[0-9.]+" style="fill:none;stroke:#0072B2;stroke-width:1.6"`)

// TestUnitOfIterations: from 20,000 on it is the paper's, "iter. (1e4)".
func TestUnitOfIterations(t *testing.T) {
	for _, c := range []struct {
		last int
		want string
	}{
		{19_999, "iterations 0 5000 10000 15000 error (%) 0 5 10 15 20 x test error"},
		{20_000, "iterations (1e4) 0 0.5 1 1.5 2 error (%) 0 5 10 15 20 x test error"},
		{64_000, "iterations (1e4) 0 2 4 6 error (%) 0 5 10 15 20 x test error"},
	} {
		svg := svgOf(t, []Series{{Name: "x", Test: []Point{{c.last / 2, 20}, {c.last, 10}}}}, DrawOptions{})
		if got := strings.Join(svgTexts(t, svg)[1:], " "); got != c.want {
			t.Errorf("%d: %q, want %q", c.last, got, c.want)
		}
		// Whatever the unit, the curve ends where the axis does, but for the width of a label.
		end, err := strconv.ParseFloat(pathEnd.FindStringSubmatch(svg)[1], 64)
		if err != nil || math.Abs(end-464.6) > 0.5 {
			t.Errorf("%d: the curve ends at %v points, %v", c.last, end, err)
		}
	}
}
