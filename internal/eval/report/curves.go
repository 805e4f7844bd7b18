package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"image/color"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"resnet/internal/atomicfile"
	"resnet/internal/text"
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

// Sizes of a drawing; the PNG has 2 pixels a point. A figure of several panels is wider.
const (
	drawWidth  = 560 * vg.Inch / 72
	panelWidth = 330 * vg.Inch / 72 // of each panel where there are several
	legendRoom = 200 * vg.Inch / 72
	drawHeight = 340 * vg.Inch / 72
	drawDPI    = 144
)

// DrawSVG draws the learning curves of several runs in one panel, as the paper's Fig. 6 does:
// dashed lines for the training error, solid lines for the test error, a colour for each run. Runs
// differ by marker too, so the drawing can be read without colours. The same series give the same
// bytes. It fails with ErrNoCurve when there is no point.
func DrawSVG(w io.Writer, series []Series, o DrawOptions) error {
	f, err := seriesFigure(series)
	if err != nil {
		return err
	}
	return DrawFigureSVG(w, f, o)
}

// DrawPNG draws the same as DrawSVG in pixels.
func DrawPNG(w io.Writer, series []Series, o DrawOptions) error {
	f, err := seriesFigure(series)
	if err != nil {
		return err
	}
	return DrawFigurePNG(w, f, o)
}

// DrawFigureSVG draws a figure. The same figure gives the same bytes. It fails with ErrNoCurve when
// there is no line.
func DrawFigureSVG(w io.Writer, f Figure, o DrawOptions) error {
	c := vgsvg.New(f.size())
	if err := drawFigure(draw.New(c), f, o); err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(finishSVG(b.Bytes(), o))
	return err
}

// DrawFigurePNG draws the same as DrawFigureSVG in pixels.
func DrawFigurePNG(w io.Writer, f Figure, o DrawOptions) error {
	c := vgimg.NewWith(vgimg.UseWH(f.size()), vgimg.UseDPI(drawDPI), vgimg.UseBackgroundColor(color.White))
	if err := drawFigure(draw.New(c), f, o); err != nil {
		return err
	}
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

func (f Figure) size() (w, h vg.Length) {
	if n := len(f.Panels); n > 1 {
		return vg.Length(n)*panelWidth + legendRoom, drawHeight
	}
	return drawWidth, drawHeight
}

// DrawFiles writes curves.svg and curves.png to a folder, each complete or not at all.
func DrawFiles(dir string, series []Series, o DrawOptions) error {
	return folder{atomicfile.OS, dir}.curves(series, o)
}

func (dir folder) curves(series []Series, o DrawOptions) error {
	if _, err := seriesFigure(series); err != nil {
		return err
	}
	if err := dir.write(CurvesSVG, func(w io.Writer) error { return DrawSVG(w, series, o) }); err != nil {
		return err
	}
	return dir.write(CurvesPNG, func(w io.Writer) error { return DrawPNG(w, series, o) })
}

// finishSVG names fonts that stand in for the one the drawing was measured with, and a title for
// screen readers.
func finishSVG(svg []byte, o DrawOptions) []byte {
	svg = bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	title := text.Printable(o.Title)
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

// leastErrorAxis is where an axis of errors ends at the least, percent.
const leastErrorAxis = 20

// seriesFigure is the errors of several runs in one panel, each run a group. It fails with
// ErrNoCurve when there is no point.
func seriesFigure(series []Series) (Figure, error) {
	f := Figure{ID: "error", X: "iterations", Y: "error (%)", Unit: "%", Digits: 2, Panels: make([]Panel, 1)}
	for i, s := range finiteSeries(series) {
		for _, c := range []struct {
			points []Point
			part   string
		}{{s.Train, partTrain}, {s.Test, cmp.Or(s.Split, partTest)}} {
			l := Line{Name: s.Name, Group: s.Name, Part: c.part, Color: i, Marker: i, Width: testWidth}
			if c.part == partTrain {
				l.Dashed, l.Width = true, trainWidth
			}
			for _, p := range c.points {
				l.Points = append(l.Points, [2]float64{float64(p.Step), p.Error})
			}
			if l.Points != nil {
				f.Panels[0].Lines = append(f.Panels[0].Lines, l)
			}
		}
	}
	if f.empty() {
		return Figure{}, ErrNoCurve
	}
	f.fit(leastErrorAxis)
	return f, nil
}
