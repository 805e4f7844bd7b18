package report

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func chartOf(t *testing.T, series []Series, o ChartOptions) string {
	t.Helper()
	var b strings.Builder
	if err := Chart(&b, series, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestChartInASCII(t *testing.T) {
	got := chartOf(t, twoRuns, ChartOptions{Width: 48, Height: 9, ASCII: true})
	want := `error %
   80 +
      |
   60 +             o.........
      |                      ....o............
   40 +             x.....                   .o
      |                   .......x.....
   20 +                                .......x
      |
    0 +
      +----------------------------------------
      0                          234 iterations
  o plain      44.00 % test error at the end
  x residual   24.00 % test error at the end
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s\n%s", d, got)
	}
}

func TestChartInBraille(t *testing.T) {
	steep := []Series{{Name: "up", Test: []Point{{0, 0}, {2, 80}, {30, 70}}}, {Name: "down", Test: []Point{{0, 80}, {30, 0}}}}
	got := chartOf(t, steep, ChartOptions{Width: 18, Height: 6})
	want := `error %
  100 ┤
      │▲⡒⠒⠒⠢⠤⠤⠤⣀●
      │⢸⠈⠑⢄
   50 ┤⢸   ⠑⢄
      │⡇     ⠑⢄
    0 ┤⡇       ⠑▲
      └──────────
      0 30 iterations
  ● up     70.00 % test error at the end
  ▲ down    0.00 % test error at the end
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s\n%s", d, got)
	}
	if got := chartOf(t, steep, ChartOptions{}); strings.Count(got, "\n") != 1+15+2+2 {
		t.Errorf("no height: %d lines, want 15 besides the axes and the legend:\n%s", strings.Count(got, "\n"), got)
	}
}

// TestMarkersKeepApart: 61 measurements on 72 columns have one marker in six.
func TestMarkersKeepApart(t *testing.T) {
	s := Series{Name: "x"}
	for i := range 61 {
		s.Test = append(s.Test, Point{10 * i, 50})
	}
	got := chartOf(t, []Series{s}, ChartOptions{ASCII: true})
	row := strings.Split(got, "\n")[1+2]
	if want := "   50 +...o......o.....o.....o.....o.....o......o.....o.....o.....o.....o.....o"; row != want {
		t.Errorf("got %q, want %q\n%s", row, want, got)
	}
}

func TestWhatIsAboveTheAxisHasNoMarker(t *testing.T) {
	// To 20 %.
	got := chartOf(t, []Series{{Name: "x", Test: []Point{{0, 21}, {30, 10}}}}, ChartOptions{Width: 30, ASCII: true})
	if rows := strings.Split(got, "\n"); strings.Contains(rows[1], "o") || strings.Count(got, "o") != 5 {
		t.Errorf("a start of 21 %%, and %d signs o, want that of the end and those of words:\n%s", strings.Count(got, "o"), got)
	}
}

func TestTheFirstLineThroughACellGivesItsColour(t *testing.T) {
	both := []Series{{Name: "a", Test: []Point{{0, 50}, {30, 50}}}, {Name: "b", Test: []Point{{0, 51}, {30, 51}}}}
	got := chartOf(t, both, ChartOptions{Width: 30, Height: 4, Color: true})
	// 22 columns, two of them with a marker of the second, which is drawn over that of the first;
	// and a sign each in the legend.
	if first, second := strings.Count(got, "\x1b[34m"), strings.Count(got, "\x1b[33m"); first != 21 || second != 3 {
		t.Errorf("%d cells of the first, %d of the second, want 21 and 3:\n%s", first, second, got)
	}
}

func TestChartKeepsToItsWidthAndColours(t *testing.T) {
	long := []Series{{Name: strings.Repeat("a very long name ", 9), Test: twoRuns[0].Test}, {Name: "b\x1b[2J", Test: twoRuns[1].Test}}
	for _, o := range []ChartOptions{{Width: 60}, {Width: 60, ASCII: true}, {}} {
		text := chartOf(t, long, o)
		width := o.Width
		if width == 0 {
			width = 80
		}
		for _, line := range strings.Split(text, "\n") {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("%+v: a line of %d columns: %q", o, n, line)
			}
		}
		if strings.Contains(text, "\x1b") {
			t.Errorf("%+v: escape characters without Color:\n%q", o, text)
		}
		if o.ASCII {
			for _, r := range text {
				if r > 0x7e {
					t.Errorf("%U in ASCII", r)
				}
			}
		}
	}
	if text := chartOf(t, long, ChartOptions{Color: true}); !strings.Contains(text, "\x1b[34m●\x1b[0m") || strings.Contains(text, "\x1b[2J") {
		t.Errorf("colours:\n%q", text)
	}
}

func TestChartShowsEveryRunInItsLegend(t *testing.T) {
	if err := Chart(io.Discard, []Series{{Name: "x", Train: []Point{{1, 50}}}}, ChartOptions{}); !errors.Is(err, ErrNoCurve) {
		t.Errorf("training errors alone: %v, want ErrNoCurve", err)
	}
	held := chartOf(t, []Series{{Name: "x", Split: "validation", Train: []Point{{1, 99}}, Test: []Point{{1, 50}}}}, ChartOptions{ASCII: true})
	if !strings.Contains(held, "50.00 % validation error at the end") || !strings.Contains(held, "60 +") || strings.Contains(held, "80 +") {
		t.Errorf("validation error of 50 %%, on an axis of its own:\n%s", held)
	}
	series := append([]Series{{Name: "not yet", Train: []Point{{1, 50}}}}, twoRuns...)
	text := chartOf(t, series, ChartOptions{})
	for _, want := range []string{"not measured", "▲ plain", "■ residual"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
}
