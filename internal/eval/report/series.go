package report

import (
	"math"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

// A Point of a curve: an error in percent after so many updates.
type Point struct {
	Step  int
	Error float64
}

// A Series is the curves of one run.
type Series struct {
	Name        string
	Train, Test []Point
	// Split says what Test was measured on, when it is not the test split.
	Split string
}

// Series makes the curves of a run: the training error, and the test error or, where that was not
// measured, the validation error. Values that are not finite are left out.
func (h History) Series(name string) Series {
	s := Series{Name: name}
	points := func(column string) []Point {
		var list []Point
		for _, p := range h.points(column) {
			list = append(list, Point{int(p[0]), p[1]})
		}
		return list
	}
	s.Train = points("train_error")
	if s.Test = points("test_error"); s.Test == nil {
		if s.Test = points("val_error"); s.Test != nil {
			s.Split = partVal
		}
	}
	return s
}

// trainImages is how many images the last training error is the mean over: those seen since the row
// before, and none twice. It is 0 where neither the epochs nor the images of an update are known.
func (h History) trainImages(n Net) int {
	i := len(h) - 1
	for ; i >= 0 && h[i].TrainError == nil; i-- {
	}
	if i < 0 {
		return 0
	}
	var before Measurement
	if i > 0 {
		before = h[i-1]
	}
	batch := n.Batch
	if datasets.IsSpeech(n.Dataset) { // batches by length hold as many as fit, Batch at most
		batch = 0
	}
	seen, set := float64(batch*(h[i].Step-before.Step)), float64(n.TrainImages)
	if h[i].Epoch != nil && *h[i].Epoch > 0 {
		epochs := *h[i].Epoch
		if set == 0 {
			set = float64(batch*h[i].Step) / epochs
		}
		if before.Epoch != nil {
			epochs -= *before.Epoch
		}
		seen = set * min(1, epochs)
	}
	return int(math.Round(seen))
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// last is the error at the end of a curve.
func last(points []Point) (float64, bool) {
	if len(points) == 0 {
		return 0, false
	}
	return points[len(points)-1].Error, true
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
		out[i] = Series{Name: text.Printable(s.Name), Train: keep(s.Train), Test: keep(s.Test), Split: text.Printable(s.Split)}
	}
	return out
}
