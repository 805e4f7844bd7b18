package report

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	plottext "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"resnet/internal/text"
)

// palette is Okabe and Ito's (2008), which any kind of colour vision distinguishes; its yellow is
// too light for thin lines.
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
var shapes = []draw.GlyphDrawer{
	draw.CircleGlyph{},
	draw.PyramidGlyph{},
	draw.BoxGlyph{},
	draw.RingGlyph{},
	draw.CrossGlyph{},
	draw.TriangleGlyph{},
	draw.SquareGlyph{},
	draw.PlusGlyph{},
}

var (
	gray      = color.RGBA{0x55, 0x55, 0x55, 0xFF}
	lightGray = color.RGBA{0xE4, 0xE4, 0xE4, 0xFF}
	dashes    = []vg.Length{vg.Points(4), vg.Points(2.5)}
)

const (
	testWidth  = 1.6 // points
	trainWidth = 0.8
)

// gap is the space between the parts of a drawing.
const gap = 14

func drawFigure(c draw.Canvas, f Figure, o DrawOptions) error {
	if f.empty() {
		return ErrNoCurve
	}
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, 10, -10, 8, -8)
	title := text.Printable(o.Title)
	if len(f.Panels) > 1 && title != "" { // one title above all panels
		style := plot.New().Title.TextStyle
		sans(&style, 12)
		style.XAlign, style.YAlign = draw.XCenter, draw.YTop
		c.FillText(style, vg.Point{X: c.Center().X, Y: c.Max.Y}, title)
		c = draw.Crop(c, 0, 0, 0, -22)
		title = ""
	}
	if f.Hidden != "" {
		style := plot.New().Title.TextStyle
		sans(&style, 10)
		style.Color, style.XAlign, style.YAlign = gray, draw.XLeft, draw.YBottom
		c.FillText(style, c.Min, text.Printable(f.Hidden))
		c = draw.Crop(c, 0, 0, 18, 0)
	}
	legend := newLegend(plot.New())
	f.addLegend(&legend)
	box := legend.Rectangle(c)
	n := vg.Length(len(f.Panels))
	width := (c.Size().X - box.Size().X - n*gap) / n
	for i, panel := range f.Panels {
		p := plot.New()
		styleAxes(p, f, cmp.Or(panel.Title, title))
		if i > 0 {
			p.Y.Label.Text = ""
		}
		if err := addLines(p, f, panel); err != nil {
			return err
		}
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, f.XMax/f.xUnit(), f.YMin, f.YMax
		left := vg.Length(i) * (width + gap)
		area := draw.Crop(c, left, left+width-c.Size().X, 0, 0)
		p.Draw(area)
		drawMarks(p.DataCanvas(area), f, panel)
	}
	legend.Draw(draw.Crop(c, c.Size().X-box.Size().X, 0, 0, -20))
	return nil
}

// markLength is that of a mark at the right edge, points.
const markLength = 6

// drawMarks draws the paper's values at the right edge of a panel.
func drawMarks(c draw.Canvas, f Figure, panel Panel) {
	for _, m := range panel.Marks {
		if m.Value <= f.YMax {
			y := c.Y(m.Value / f.YMax)
			c.StrokeLine2(markStyle(palette[m.Color%len(palette)]), c.Max.X, y, c.Max.X+markLength, y)
		}
	}
}

func markStyle(c color.Color) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: vg.Points(2)}
}

// xUnit is 10,000 for runs as long as the paper's, which writes "iter. (1e4)", and 1 for shorter
// ones.
func (f Figure) xUnit() float64 {
	if f.XMax >= 20_000 {
		return 1e4
	}
	return 1
}

// sans sets a text's font.
func sans(s *plottext.Style, size vg.Length) {
	s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	s.Color = color.Black
}

func styleAxes(p *plot.Plot, f Figure, title string) {
	p.Title.Text = title
	p.Title.Padding = vg.Points(8)
	sans(&p.Title.TextStyle, 12)
	p.X.Label.Text = f.X
	if f.xUnit() > 1 {
		p.X.Label.Text += " (1e4)"
	}
	p.Y.Label.Text = f.Y
	p.X.Tick.Marker = ticks{6}
	p.Y.Tick.Marker = ticks{6}
	if f.Log {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, powers{}
		p.Y.Label.Text += ", log"
	}
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

// powers marks an axis at powers of ten, between which fitLog lets it run.
type powers struct{}

// Ticks are the powers from low to high.
func (powers) Ticks(low, high float64) []plot.Tick {
	var list []plot.Tick
	for e := math.Round(math.Log10(low)); e <= math.Round(math.Log10(high)); e++ {
		v := math.Pow(10, e)
		list = append(list, plot.Tick{Value: v, Label: tickText(v)})
	}
	return list
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

// addLegend lists the networks, and what dashed and solid lines are.
func (f Figure) addLegend(legend *plot.Legend) {
	for _, l := range f.groups() {
		style := draw.LineStyle{Color: palette[l.Color%len(palette)], Width: vg.Points(l.Width)}
		if l.Part == "" && l.Dashed {
			style.Dashes = dashes
		}
		legend.Add(shorten(l.Group, 32), lineThumb{style, l.glyph()})
	}
	parts := f.parts()
	slices.SortStableFunc(parts, func(a, b Line) int { // what is solid first
		switch {
		case a.Dashed == b.Dashed:
			return 0
		case b.Dashed:
			return -1
		}
		return 1
	})
	for _, l := range parts {
		style := draw.LineStyle{Color: gray, Width: vg.Points(testWidth)}
		if l.Dashed {
			style.Width, style.Dashes = vg.Points(trainWidth), dashes
		}
		what := l.Part
		if f.ID == "error" || f.ID == "loss" {
			what += " " + f.ID
		}
		legend.Add(what, lineThumb{style, nil})
	}
	if slices.ContainsFunc(f.Panels, func(p Panel) bool { return p.Marks != nil }) {
		legend.Add("the paper's test error", markThumb{})
	}
}

// markThumb is a mark's sign in the legend.
type markThumb struct{}

// Thumbnail draws the sign.
func (markThumb) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(markStyle(gray), c.Max.X-markLength, y, c.Max.X, y)
}

func (l Line) glyph() *draw.GlyphStyle {
	return &draw.GlyphStyle{Color: palette[l.Color%len(palette)], Radius: vg.Points(2.4), Shape: shapes[l.Marker%len(shapes)]}
}

// addLines draws a panel's lines, dashed ones below the others, which have markers.
func addLines(p *plot.Plot, f Figure, panel Panel) error {
	for _, dashed := range []bool{true, false} {
		for _, l := range panel.Lines {
			if l.Dashed != dashed {
				continue
			}
			xys := make(plotter.XYs, len(l.Points))
			for i, pt := range l.Points {
				xys[i].X, xys[i].Y = pt[0]/f.xUnit(), pt[1]
			}
			line, err := plotter.NewLine(xys)
			if err != nil {
				return err
			}
			line.LineStyle = draw.LineStyle{Color: palette[l.Color%len(palette)], Width: vg.Points(l.Width)}
			p.Add(line)
			if dashed {
				line.LineStyle.Dashes = dashes
				if l.Part != "" {
					continue
				}
			}
			marks, err := plotter.NewScatter(spread(xys, f.YMax))
			if err != nil {
				return err
			}
			marks.GlyphStyle = *l.glyph()
			p.Add(marks)
		}
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

// spread chooses the points that get a marker: about ten on a curve, and its last one, of those
// within the axes.
func spread(xys plotter.XYs, yMax float64) plotter.XYs {
	every := max(1, len(xys)/10)
	var list plotter.XYs
	for i, p := range xys {
		if (len(xys)-1-i)%every == 0 && p.Y <= yMax {
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
