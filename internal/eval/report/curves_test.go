package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var twoRuns = []Series{
	{Name: "plain", Train: []Point{{78, 70}, {156, 52}, {234, 41}}, Test: []Point{{78, 62}, {156, 50}, {234, 44}}},
	{Name: "residual", Train: []Point{{78, 50}, {156, 30}, {234, 23}}, Test: []Point{{78, 41}, {156, 28}, {234, 24}}},
}

func svgOf(t *testing.T, series []Series, o DrawOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := DrawSVG(&b, series, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// svgTexts is what a drawing says, and an error when it is no XML.
func svgTexts(t *testing.T, svg string) []string {
	t.Helper()
	var texts []string
	d := xml.NewDecoder(strings.NewReader(svg))
	in := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatalf("the drawing is no XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			in = e.Name.Local
		case xml.EndElement:
			in = ""
		case xml.CharData:
			if in == "text" || in == "title" {
				texts = append(texts, string(e))
			}
		}
	}
}

func TestTwoRenderingsHaveTheSameBytes(t *testing.T) {
	draw := func() (svg, png string) {
		dir := t.TempDir()
		if err := DrawFiles(dir, twoRuns, DrawOptions{Title: "a title"}); err != nil {
			t.Fatal(err)
		}
		read := func(name string) string {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		return read(CurvesSVG), read(CurvesPNG)
	}
	svg1, png1 := draw()
	svg2, png2 := draw()
	if svg1 != svg2 {
		t.Error("curves.svg differs")
	}
	if png1 != png2 {
		t.Error("curves.png differs")
	}
	if _, err := png.Decode(strings.NewReader(png1)); err != nil {
		t.Errorf("curves.png: %v", err)
	}
}

func TestDrawingSaysWhatItShows(t *testing.T) {
	svg := svgOf(t, twoRuns, DrawOptions{Title: "Degradation"})
	got := svgTexts(t, svg)
	want := []string{
		"Degradation", "Degradation", "iterations", "0", "50", "100", "150", "200", "error (%)", "0", "20", "40", "60", "80",
		"plain", "residual", "test error", "training error",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("texts (-want +got):\n%s", d)
	}
	// Training errors are dashed, test errors are not, and each run has a colour of its own: a line
	// each and one in the legend.
	for _, c := range palette[:2] {
		hex := "stroke:#" + strings.ToUpper(hexColor(c.R)+hexColor(c.G)+hexColor(c.B))
		dashed, solid := 0, 0
		for _, line := range strings.Split(svg, "<path") {
			if !strings.Contains(line, hex) {
				continue
			}
			if strings.Contains(line, "stroke-dasharray") {
				dashed++
			} else {
				solid++
			}
		}
		if dashed != 1 || solid < 2 {
			t.Errorf("%s: %d dashed lines and %d solid ones, want 1, and 2 or more", hex, dashed, solid)
		}
	}
}

func hexColor(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

func TestLongRunsCountIterationsAsThePaperDoes(t *testing.T) {
	svg := svgOf(t, []Series{{Name: "x", Test: []Point{{1000, 40}, {64_000, 8}}}}, DrawOptions{})
	if !strings.Contains(svg, "iterations (1e4)") || strings.Contains(svg, "training error") {
		t.Errorf("texts %q", svgTexts(t, svg))
	}
}

func TestNamesAreEscapedInDrawings(t *testing.T) {
	series := []Series{{Name: "<script>&\x1b\x00", Test: []Point{{1, 2}}}}
	svg := svgOf(t, series, DrawOptions{Title: "</title><script>"})
	if strings.Contains(svg, "<script") || strings.ContainsAny(svg, "\x1b\x00") {
		t.Error("markup or control characters came through")
	}
	if texts := strings.Join(svgTexts(t, svg), "\n"); !strings.Contains(texts, `<script>&\x1b\x00`) {
		t.Errorf("texts %q", texts)
	}
}

func TestNothingToDrawIsAnError(t *testing.T) {
	for _, series := range [][]Series{nil, {{Name: "x"}}, {{Name: "x", Test: []Point{{1, math.NaN()}}}}} {
		dir := t.TempDir()
		if err := DrawFiles(dir, series, DrawOptions{}); !errors.Is(err, ErrNoCurve) {
			t.Errorf("%v: error %v, want ErrNoCurve", series, err)
		}
		if files, _ := os.ReadDir(dir); len(files) > 0 {
			t.Errorf("%v: wrote %v", series, files)
		}
		if err := Chart(io.Discard, series, ChartOptions{}); !errors.Is(err, ErrNoCurve) {
			t.Errorf("%v: chart: error %v, want ErrNoCurve", series, err)
		}
	}
}

func TestStrangeSeriesAreDrawn(t *testing.T) {
	var many []Series
	for range 20 {
		many = append(many, Series{Name: strings.Repeat("name ", 100), Test: []Point{{3, 1}, {9, 2}}})
	}
	for name, series := range map[string][]Series{
		"one point":        {{Name: "x", Test: []Point{{0, 0}}}},
		"training alone":   {{Name: "x", Train: []Point{{1, 5}, {2, 4}}}},
		"errors above 100": {{Name: "x", Test: []Point{{1, 1e300}, {2, 1e300}}}},
		"negative errors":  {{Name: "x", Test: []Point{{1, -5}, {2, -4}}}},
		"many names":       many,
	} {
		if err := DrawFiles(t.TempDir(), series, DrawOptions{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAxesShowTheEndsApart(t *testing.T) {
	for _, c := range []struct {
		points     []Point
		xMax, yMax float64
	}{
		{[]Point{{1, 90}, {64_000, 8}}, 64_000, 20},  // the start is cut off
		{[]Point{{1, 90}, {64_000, 13}}, 64_000, 30}, // twice the end, rounded up
		{[]Point{{1, 62}, {300, 44}}, 300, 80},       // the start fits
		{[]Point{{1, 90}, {300, 90}}, 300, 100},      // never above 100
		{[]Point{{1, 98}, {300, 98}}, 300, 100},      // where 102.9 would be 120
		{[]Point{{1, 28}, {300, 14}}, 300, 30},       // 5 % of room above the start
		{[]Point{{1, 12}, {300, 5}}, 300, 15},        // 12.6, in steps of 5
		{[]Point{{1, 4}, {300, 2}}, 300, 5},          // no longer than the curve
		{[]Point{{0, 0}}, 1, 1},                      // a perfect start
	} {
		ax, err := fitAxes([]Series{{Test: c.points}})
		if err != nil || ax.xMax != c.xMax || math.Abs(ax.yMax-c.yMax) > 1e-9 {
			t.Errorf("%v: axes %+v, %v; want %v and %v", c.points, ax, err, c.xMax, c.yMax)
		}
	}
}
