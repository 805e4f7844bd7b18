package report

import (
	"errors"
	"math"
	"slices"
	"strconv"
)

// ErrNoCurve marks runs that have not measured anything yet.
var ErrNoCurve = errors.New("no errors have been measured yet: there is nothing to draw")

// axes end the ranges of a drawing, which begin at 0.
type axes struct {
	xMax, yMax float64 // updates, percent
}

// fitAxes gives the axes of a figure of the series. It fails with ErrNoCurve when there is no
// point.
func fitAxes(series []Series) (axes, error) {
	f, err := seriesFigure(series)
	return axes{f.XMax, f.YMax}, err
}

// fit ends the axes. The y axis ends at twice the greatest of the values at the ends of the lines,
// and at floor at the least, so that the ends, which are compared, are apart from each other.
// Higher values at the start are cut off there, as in the paper's Fig. 6. It is never longer than
// the lines, and of percentages never above 100.
func (f *Figure) fit(floor float64) {
	var top, end float64
	for _, p := range f.Panels {
		for _, l := range p.Lines {
			for _, xy := range l.Points {
				f.XMax, top = math.Max(f.XMax, xy[0]), math.Max(top, xy[1])
			}
			end = math.Max(end, l.Points[len(l.Points)-1][1])
		}
	}
	if f.YMax = math.Min(top*1.05, math.Max(floor, 2*end)); f.YMax > 0 {
		step := niceStep(f.YMax, 6)
		f.YMax = math.Ceil(f.YMax/step-1e-9) * step
	} else {
		f.YMax = 1
	}
	if f.Unit == "%" {
		f.YMax = math.Min(f.YMax, 100)
	}
	if f.XMax == 0 {
		f.XMax = 1
	}
}

// fitLog makes the y axis logarithmic, between powers of ten. Values that are not above 0 have no
// place on it and are left out.
func (f *Figure) fitLog() {
	low, high := math.Inf(1), 0.
	for _, p := range f.Panels {
		for i := range p.Lines {
			l := &p.Lines[i]
			l.Points = slices.DeleteFunc(l.Points, func(xy [2]float64) bool { return !(xy[1] > 0) })
			for _, xy := range l.Points {
				f.XMax, low, high = math.Max(f.XMax, xy[0]), math.Min(low, xy[1]), math.Max(high, xy[1])
			}
		}
	}
	if f.Log = high > 0; !f.Log {
		f.XMax, f.YMax = 1, 1
		return
	}
	f.YMin, f.YMax = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
	if f.YMin == f.YMax {
		f.YMax *= 10
	}
}

// niceStep is the smallest of 1, 2, 5, 10, 20, 50, … and their tenths that divides a range into at
// most n parts.
func niceStep(span float64, n int) float64 {
	if !(span > 0) {
		return 1
	}
	base := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, m := range []float64{1, 2, 5} {
		if base*m*float64(n) >= span*(1-1e-9) {
			return base * m
		}
	}
	return base * 10
}

// tickText writes a multiple of a nice step without rounding noise.
func tickText(v float64) string {
	return strconv.FormatFloat(v, 'g', 10, 64)
}
