package report

import (
	"math"
	"slices"

	"resnet/internal/text"
)

// The parts of a run's figures besides those of a comparison's.
const partTrainSet = "training set"

// runCurve is a line of a figure of a run's page.
type runCurve struct {
	curve
	color int // where the figure is of one run
}

// The curves of errors; those of losses are the same with other columns.
var (
	errorCurves = []runCurve{
		{curve{"train_error", partTrain, true}, 0},
		{curve{"val_error", partVal, false}, 2},
		{curve{"test_error", partTest, false}, 1},
		{curve{"train_eval_error", partTrainSet, false}, 3},
	}
	lossCurves = []runCurve{
		{curve{"train_loss", partTrain, true}, 0},
		{curve{"val_loss", partVal, false}, 2},
		{curve{"test_loss", partTest, false}, 1},
		{curve{"train_eval_loss", partTrainSet, false}, 3},
	}
)

// Figures of a run or a few against the iteration: errors, losses, the learning rate and the speed,
// those that have lines; of a live page all, whose lines may come. Of one run each split has a
// colour, of several each run.
func (r Report) Figures() []Figure {
	const since = "Dashed: training, the mean over the updates since the previous evaluation, while the weights change."
	list := []Figure{
		r.curves(Figure{ID: "error", Title: "Top-1 error", Y: "error (%)", Unit: "%", Digits: 2, Note: since + " The start of a curve may be above the axis."}, errorCurves, leastErrorAxis),
		r.curves(Figure{ID: "loss", Title: "Loss", Y: "cross-entropy (nats)", Digits: 4, Note: since + " Weight decay is not included."}, lossCurves, 0.2),
		r.curves(Figure{ID: "rate", Title: "Learning rate", Y: "rate", Digits: -1, Note: "Of the last update before each evaluation."},
			[]runCurve{{curve{"rate", "rate", false}, 4}}, math.Inf(1)),
		r.speed(),
	}
	if r.Live {
		return list
	}
	return slices.DeleteFunc(list, Figure.empty)
}

// curves makes a figure of columns of the histories. A column that no run has is left out, and of a
// row what is not finite.
func (r Report) curves(f Figure, curves []runCurve, floor float64) Figure {
	f.X = "iterations"
	f.Panels = []Panel{{Lines: []Line{}}}
	for i, run := range r.Runs {
		for _, c := range curves {
			if points := run.History.points(c.column); points != nil {
				f.Panels[0].Lines = append(f.Panels[0].Lines, r.line(i, c, points))
			}
		}
	}
	f.fit(floor)
	return f
}

// line is a curve of run i; of several runs, one group has the lines of each.
func (r Report) line(i int, c runCurve, points [][2]float64) Line {
	l := Line{Name: c.part, Group: c.part, Color: c.color, Marker: c.color, Width: testWidth, Dashed: c.dashed, Points: points}
	if len(r.Runs) > 1 {
		name := text.Printable(r.Runs[i].Name)
		l.Name, l.Group, l.Part, l.Color, l.Marker = name+" "+c.part, name, c.part, i, i
	}
	if c.dashed {
		l.Width = trainWidth
	}
	return l
}

// speed is a figure of the times between evaluations.
func (r Report) speed() Figure {
	var first Run
	if len(r.Runs) > 0 {
		first = r.Runs[0]
	}
	unit := first.Counted() + "s/s"
	f := Figure{
		ID: "speed", Title: "Speed", X: "iterations", Y: unit, Unit: unit, Digits: 0, Panels: []Panel{{Lines: []Line{}}},
		Note: "Of the updates since the previous evaluation, on the machine that trained.",
	}
	for i, run := range r.Runs {
		var points [][2]float64
		for _, t := range run.Times {
			if finite(t.Speed) && t.Speed > 0 {
				points = append(points, [2]float64{float64(t.Step), t.Speed})
			}
		}
		if points != nil {
			f.Panels[0].Lines = append(f.Panels[0].Lines, r.line(i, runCurve{curve{part: "speed"}, 5}, points))
		}
	}
	f.fit(math.Inf(1))
	return f
}
