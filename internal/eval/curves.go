package eval

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The files that DrawFiles writes.
const (
	CurvesSVG = "curves.svg"
	CurvesPNG = "curves.png"
)

// DrawOptions are the words of a drawing.
type DrawOptions struct {
	Title string // above the axes; "" for none
}

// size of a drawing; the PNG has 2 pixels a point.
const (
	drawWidth  = 560 * vg.Inch / 72
	drawHeight = 340 * vg.Inch / 72
	drawDPI    = 144
)

// DrawSVG draws the learning curves of several runs as the paper's Fig. 6 does: dashed lines for the training error, solid lines for
// the test error, a colour for each run. Runs differ by marker too, so the drawing can be read without colours. The same
// series give the same bytes. It fails with ErrNoCurve when there is no point.
func DrawSVG(w io.Writer, series []Series, o DrawOptions) error {
	c := vgsvg.New(drawWidth, drawHeight)
	if err := drawCurves(draw.New(c), series, o); err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(finishSVG(b.Bytes(), o))
	return err
}

// DrawPNG draws the same as DrawSVG in pixels.
func DrawPNG(w io.Writer, series []Series, o DrawOptions) error {
	c := vgimg.NewWith(vgimg.UseWH(drawWidth, drawHeight), vgimg.UseDPI(drawDPI), vgimg.UseBackgroundColor(color.White))
	if err := drawCurves(draw.New(c), series, o); err != nil {
		return err
	}
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// DrawFiles writes curves.svg and curves.png to a folder, each complete or not at all.
func DrawFiles(dir string, series []Series, o DrawOptions) error {
	if _, err := fitAxes(finiteSeries(series)); err != nil {
		return err
	}
	if err := writeFileAtomic(filepath.Join(dir, CurvesSVG), func(w io.Writer) error { return DrawSVG(w, series, o) }); err != nil {
		return err
	}
	return writeFileAtomic(filepath.Join(dir, CurvesPNG), func(w io.Writer) error { return DrawPNG(w, series, o) })
}

// finishSVG names fonts that stand in for the one the drawing was measured with, and a title for screen readers.
func finishSVG(svg []byte, o DrawOptions) []byte {
	svg = bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	title := Printable(o.Title)
	if title == "" {
		title = "Learning curves"
	}
	if start := bytes.Index(svg, []byte("<svg")); start >= 0 {
		if end := bytes.IndexByte(svg[start:], '>'); end >= 0 {
			end += start
			head := fmt.Sprintf(` role="img">%s<title>%s</title>`, "\n", html.EscapeString(title))
			svg = append(append(append([]byte{}, svg[:end]...), head...), svg[end+1:]...)
		}
	}
	return svg
}

// palette is Okabe and Ito's (2008), told apart with any kind of colour vision; its yellow is too light for thin lines.
var palette = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermilion
	{0x00, 0x9E, 0x73, 0xFF}, // green
	{0xCC, 0x79, 0xA7, 0xFF}, // purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0x00, 0x00, 0x00, 0xFF}, // black
}

// shapes has a length that shares no divisor with the palette's, so that their pairs repeat late.
var shapes = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, draw.RingGlyph{}, draw.CrossGlyph{},
	draw.TriangleGlyph{}, draw.SquareGlyph{}, draw.PlusGlyph{}}

var (
	gray      = color.RGBA{0x55, 0x55, 0x55, 0xFF}
	lightGray = color.RGBA{0xE4, 0xE4, 0xE4, 0xFF}
	dashes    = []vg.Length{vg.Points(4), vg.Points(2.5)}
)

const (
	testWidth  = 1.3 // points
	trainWidth = 0.8
)

func drawCurves(c draw.Canvas, series []Series, o DrawOptions) error {
	series = finiteSeries(series)
	ax, err := fitAxes(series)
	if err != nil {
		return err
	}
	p := plot.New()
	styleAxes(p, ax, Printable(o.Title))
	legend := newLegend(p)
	if err := addCurves(p, &legend, series, ax); err != nil {
		return err
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, ax.xMax/xUnit(ax), 0, ax.yMax

	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, 10, -10, 8, -8)
	box := legend.Rectangle(c)
	p.Draw(draw.Crop(c, 0, -(box.Size().X + 14), 0, 0))
	side := draw.Crop(c, c.Size().X-box.Size().X, 0, 0, -20)
	legend.Draw(side)
	return nil
}

// xUnit is 10,000 for runs as long as the paper's, which writes "iter. (1e4)", and 1 for shorter ones.
func xUnit(ax axes) float64 {
	if ax.xMax >= 20_000 {
		return 1e4
	}
	return 1
}

// sans sets a text's font.
func sans(s *text.Style, size vg.Length) {
	s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	s.Color = color.Black
}

func styleAxes(p *plot.Plot, ax axes, title string) {
	p.Title.Text = title
	p.Title.Padding = vg.Points(8)
	sans(&p.Title.TextStyle, 12)
	p.X.Label.Text = "iterations"
	if xUnit(ax) > 1 {
		p.X.Label.Text = "iterations (1e4)"
	}
	p.Y.Label.Text = "error (%)"
	p.X.Tick.Marker = ticks{6}
	p.Y.Tick.Marker = ticks{6}
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		sans(&a.Label.TextStyle, 11)
		sans(&a.Tick.Label, 10)
		a.Label.Padding = vg.Points(4)
		a.Padding = 0
		a.Tick.Length = vg.Points(4)
		a.Color, a.Tick.Color = gray, gray
	}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: lightGray, Width: vg.Points(0.5)}
	p.Add(grid)
}

// ticks marks an axis at multiples of a nice step, at most n parts.
type ticks struct{ n int }

func (t ticks) Ticks(low, high float64) []plot.Tick {
	step := niceStep(high-low, t.n)
	var list []plot.Tick
	for i := 0; float64(i)*step <= high+step*1e-6; i++ {
		v := float64(i) * step
		list = append(list, plot.Tick{Value: v, Label: tickText(v)})
	}
	return list
}

func newLegend(p *plot.Plot) plot.Legend {
	l := p.Legend
	l.Top, l.Left = true, true
	l.ThumbnailWidth = vg.Points(26)
	l.Padding = vg.Points(4)
	l.YPosition = draw.PosCenter
	sans(&l.TextStyle, 10)
	return l
}

// addCurves draws the training errors below the test errors and fills the legend.
func addCurves(p *plot.Plot, legend *plot.Legend, series []Series, ax axes) error {
	var train, test bool
	split := "test"
	lines := func(points []Point, style draw.LineStyle) (*plotter.Line, error) {
		xys := make(plotter.XYs, len(points))
		for i, pt := range points {
			xys[i].X, xys[i].Y = float64(pt.Step)/xUnit(ax), pt.Error
		}
		l, err := plotter.NewLine(xys)
		if err == nil {
			l.LineStyle = style
		}
		return l, err
	}
	for i, s := range series {
		if len(s.Train) == 0 {
			continue
		}
		l, err := lines(s.Train, draw.LineStyle{Color: palette[i%len(palette)], Width: vg.Points(trainWidth), Dashes: dashes})
		if err != nil {
			return err
		}
		train = true
		p.Add(l)
	}
	for i, s := range series {
		style := draw.LineStyle{Color: palette[i%len(palette)], Width: vg.Points(testWidth)}
		glyph := draw.GlyphStyle{Color: style.Color, Radius: vg.Points(2.4), Shape: shapes[i%len(shapes)]}
		legend.Add(shorten(s.Name, 32), lineThumb{style, &glyph})
		if len(s.Test) == 0 {
			continue
		}
		l, err := lines(s.Test, style)
		if err != nil {
			return err
		}
		marks, err := plotter.NewScatter(plotter.XYs(spread(l.XYs, ax)))
		if err != nil {
			return err
		}
		marks.GlyphStyle = glyph
		p.Add(l, marks)
		test = true
		if s.Split != "" {
			split = s.Split
		}
	}
	if test {
		legend.Add(split+" error", lineThumb{draw.LineStyle{Color: gray, Width: vg.Points(testWidth)}, nil})
	}
	if train {
		legend.Add("training error", lineThumb{draw.LineStyle{Color: gray, Width: vg.Points(trainWidth), Dashes: dashes}, nil})
	}
	return nil
}

// lineThumb is a curve's sign in the legend.
type lineThumb struct {
	line  draw.LineStyle
	glyph *draw.GlyphStyle // nil for none
}

// Thumbnail draws the sign.
func (t lineThumb) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(t.line, c.Min.X, y, c.Max.X, y)
	if t.glyph != nil {
		c.DrawGlyphNoClip(*t.glyph, vg.Point{X: c.Center().X, Y: y})
	}
}

// spread chooses the points that get a marker: about ten on a curve, and its last one, of those within the axes.
func spread(xys plotter.XYs, ax axes) plotter.XYs {
	every := max(1, len(xys)/10)
	var list plotter.XYs
	for i, p := range xys {
		if (len(xys)-1-i)%every == 0 && p.Y <= ax.yMax {
			list = append(list, p)
		}
	}
	if list == nil {
		list = xys[len(xys)-1:]
	}
	return list
}

// shorten cuts a name to n characters.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
