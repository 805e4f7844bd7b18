package report

import (
	"errors"
	"math"
	"strconv"

	"resnet/internal/eval"
)

// ErrNoCurve marks runs that have not measured anything yet.
var ErrNoCurve = errors.New("no errors have been measured yet: there is nothing to draw")

// axes are the ranges of a drawing: both axes begin at 0.
type axes struct {
	xMax, yMax float64 // updates, percent
}

// fitAxes chooses the ranges for a set of curves. The y axis ends at twice the greatest of the
// errors at the ends of the curves, and at 20 % at the least, so that the ends, which are compared,
// are apart from each other; the higher errors at the start are cut off there, as in the paper's
// Fig. 6. It is never longer than the curves. It fails with ErrNoCurve when there is no point.
func fitAxes(series []Series) (axes, error) {
	var a axes
	var top, end float64
	points := 0
	for _, s := range series {
		for _, curve := range [][]Point{s.Train, s.Test} {
			for _, p := range curve {
				points++
				a.xMax = math.Max(a.xMax, float64(p.Step))
				top = math.Max(top, p.Error)
			}
			if e, ok := last(curve); ok {
				end = math.Max(end, e)
			}
		}
	}
	if points == 0 {
		return a, ErrNoCurve
	}
	a.yMax = math.Min(top*1.05, math.Max(20, 2*end))
	step := niceStep(a.yMax, 6)
	a.yMax = math.Min(100, math.Max(1, math.Ceil(a.yMax/step)*step))
	if a.xMax == 0 {
		a.xMax = 1
	}
	return a, nil
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

// finiteSeries leaves out what cannot be drawn.
func finiteSeries(series []Series) []Series {
	keep := func(points []Point) []Point {
		var list []Point
		for _, p := range points {
			if finite(p.Error) && p.Step >= 0 {
				list = append(list, p)
			}
		}
		return list
	}
	out := make([]Series, len(series))
	for i, s := range series {
		out[i] = Series{Name: eval.Printable(s.Name), Train: keep(s.Train), Test: keep(s.Test), Split: eval.Printable(s.Split)}
	}
	return out
}
