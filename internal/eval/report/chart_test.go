package report

import (
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
	series := append([]Series{{Name: "not yet", Train: []Point{{1, 50}}}}, twoRuns...)
	text := chartOf(t, series, ChartOptions{})
	for _, want := range []string{"not measured", "▲ plain", "■ residual"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
}
