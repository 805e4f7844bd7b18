package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"resnet/internal/text"
)

// ChartOptions say what the terminal can show.
type ChartOptions struct {
	Width  int  // columns of the terminal; 0 means 80
	Height int  // lines of the drawing area; 0 means 15
	Color  bool // colour the curves: not when NO_COLOR is set or the output is no terminal
	ASCII  bool // no braille and no other signs beyond ASCII
}

// Chart draws the test errors of several runs with characters, a marker at what was measured and
// lines between. Runs differ by marker, with Color by colour as well. It fails with ErrNoCurve when
// no test error was measured.
func Chart(w io.Writer, series []Series, o ChartOptions) error {
	series = finiteSeries(series)
	for i := range series {
		series[i].Train = nil
	}
	ax, err := fitAxes(series)
	if err != nil {
		return err
	}
	c := newCanvas(o, ax)
	for i, s := range series {
		c.curve(i, s.Test)
	}
	for i, s := range series {
		c.marks(i, s.Test)
	}
	out := bufio.NewWriter(w)
	c.write(out)
	c.legend(out, series)
	return out.Flush()
}

// Signs of the curves. The lengths differ from the palette's as those of shapes do.
var (
	unicodeMarks = []rune("●▲■○✕△□+")
	asciiMarks   = []rune("ox#*+%@&")
	// ansiColors are of the terminal's own eight, which its user may have adapted: blue, yellow,
	// green, magenta, cyan, red, and none.
	ansiColors = []string{"34", "33", "32", "35", "36", "31", "0"}
)

// margin holds the numbers of the y axis and the axis itself, in columns.
const margin = 7

// brailleDots are the bits of a braille character's dots, by column and row.
var brailleDots = [2][4]rune{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}

// canvas is a grid of characters; a cell of a line has 2×4 dots.
type canvas struct {
	o          ChartOptions
	ax         axes
	cols, rows int
	dots       []rune // braille bits of a cell
	mark       []rune // or a sign, 0 for none
	owner      []int  // the series that a cell belongs to
}

func newCanvas(o ChartOptions, ax axes) *canvas {
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Height <= 0 {
		o.Height = 15
	}
	c := &canvas{o: o, ax: ax, cols: min(max(o.Width-margin-1, 10), 500), rows: min(max(o.Height, 4), 200)}
	n := c.cols * c.rows
	c.dots, c.mark, c.owner = make([]rune, n), make([]rune, n), make([]int, n)
	return c
}

// place is where an error lies on the grid of dots; y counts from the top and may lie above it.
func (c *canvas) place(p Point) (x, y float64) {
	return float64(p.Step) / c.ax.xMax * float64(2*c.cols-1), (1 - p.Error/c.ax.yMax) * float64(4*c.rows-1)
}

// curve draws the lines between the points, one dot for each column and as many as it takes where
// they are steep.
func (c *canvas) curve(owner int, points []Point) {
	for i := 1; i < len(points); i++ {
		x0, y0 := c.place(points[i-1])
		x1, y1 := c.place(points[i])
		steps := int(math.Min(4096, math.Ceil(math.Max(x1-x0, math.Abs(y1-y0)))))
		for s := 0; s <= steps; s++ {
			f := float64(s) / float64(max(steps, 1))
			c.dot(owner, x0+f*(x1-x0), y0+f*(y1-y0))
		}
	}
}

func (c *canvas) dot(owner int, x, y float64) {
	col, row := int(math.Round(x)), int(math.Round(y))
	if col < 0 || row < 0 || col >= 2*c.cols || row >= 4*c.rows {
		return
	}
	cell := row/4*c.cols + col/2
	if c.dots[cell] == 0 {
		c.owner[cell] = owner
	}
	c.dots[cell] |= brailleDots[col%2][row%4]
}

// marks puts the signs of a curve at its points, no two within five columns, the last one always.
func (c *canvas) marks(owner int, points []Point) {
	before := math.MaxInt
	for i := len(points) - 1; i >= 0; i-- {
		x, y := c.place(points[i])
		col, row := int(math.Round(x))/2, int(math.Round(y))/4
		if y < 0 || row >= c.rows || col >= c.cols || col > before-6 {
			continue
		}
		before = col
		cell := row*c.cols + col
		c.mark[cell], c.owner[cell] = c.sign(owner), owner
	}
}

func (c *canvas) sign(i int) rune {
	if c.o.ASCII {
		return asciiMarks[i%len(asciiMarks)]
	}
	return unicodeMarks[i%len(unicodeMarks)]
}

func (c *canvas) colored(owner int, s string) string {
	if !c.o.Color {
		return s
	}
	return "\x1b[" + ansiColors[owner%len(ansiColors)] + "m" + s + "\x1b[0m"
}

// write draws the axes and the cells.
func (c *canvas) write(out *bufio.Writer) {
	axis, tick, corner, line := "│", "┤", "└", "─"
	if c.o.ASCII {
		axis, tick, corner, line = "|", "+", "+", "-"
	}
	labels := c.yLabels()
	fmt.Fprintf(out, "%*s\n", margin-1, "error %")
	for row := range c.rows {
		var b strings.Builder
		for col := range c.cols {
			cell := row*c.cols + col
			switch {
			case c.mark[cell] != 0:
				b.WriteString(c.colored(c.owner[cell], string(c.mark[cell])))
			case c.dots[cell] == 0:
				b.WriteByte(' ')
			case c.o.ASCII:
				b.WriteString(c.colored(c.owner[cell], "."))
			default:
				b.WriteString(c.colored(c.owner[cell], string(0x2800+c.dots[cell])))
			}
		}
		edge := axis
		if labels[row] != "" {
			edge = tick
		}
		fmt.Fprintf(out, "%*s %s%s\n", margin-2, labels[row], edge, strings.TrimRight(b.String(), " "))
	}
	fmt.Fprintf(out, "%*s %s%s\n", margin-2, "", corner, strings.Repeat(line, c.cols))
	right := text.Grouped(int64(c.ax.xMax)) + " iterations"
	fmt.Fprintf(out, "%*s%s%s\n", margin-1, "", "0", strings.Repeat(" ", max(1, c.cols-len(right)))+right)
}

// yLabels gives the rows that stand for a multiple of a nice step their number.
func (c *canvas) yLabels() []string {
	labels := make([]string, c.rows)
	step := niceStep(c.ax.yMax, max(2, c.rows/2))
	for i := 0; float64(i)*step <= c.ax.yMax*(1+1e-9); i++ {
		_, y := c.place(Point{Error: float64(i) * step})
		row := min(max(int(math.Round(y))/4, 0), c.rows-1)
		labels[row] = tickText(float64(i) * step)
	}
	return labels
}

// legend names the curves with the errors at their ends.
func (c *canvas) legend(out *bufio.Writer, series []Series) {
	width := 0
	for _, s := range series {
		width = max(width, utf8.RuneCountInString(s.Name))
	}
	width = min(width, max(8, c.cols+margin+1-42))
	for i, s := range series {
		text := "not measured"
		if e, ok := last(s.Test); ok {
			text = fmt.Sprintf("%6.2f %% %s error at the end", e, cmp.Or(s.Split, partTest))
		}
		name := shorten(s.Name, width)
		if c.o.ASCII {
			name = strings.ReplaceAll(name, "…", "~")
		}
		fmt.Fprintf(out, "  %s %-*s  %s\n", c.colored(i, string(c.sign(i))), width, name, text)
	}
}
