package report

import (
	"fmt"
	"slices"
	"strings"

	"resnet/internal/text"
)

// A Figure is lines in one panel or in several that share their axes. Pages draw it from its JSON
// form, files by DrawFigure.
type Figure struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Note   string `json:"note"` // what the lines are, in a sentence
	X      string `json:"x"`    // labels of the axes, with units
	Y      string `json:"y"`
	Unit   string `json:"unit"` // after a value: "%"
	Digits int    `json:"digits"`
	// XMax and YMax end the linear axes, which begin at 0: see fit.
	XMax   float64 `json:"x_max"`
	YMax   float64 `json:"y_max"`
	Panels []Panel `json:"panels"`
}

// A Panel is a pair of axes.
type Panel struct {
	Title string `json:"title"`
	Lines []Line `json:"lines"`
}

// A Line is a curve. The lines of one network have one Group: they share colour and marker and are
// switched together.
type Line struct {
	Name   string       `json:"name"`
	Group  string       `json:"group"`
	Part   string       `json:"part"` // partTrain, …; "" where a figure has lines of one kind
	Color  int          `json:"color"`
	Marker int          `json:"marker"`
	Width  float64      `json:"width"` // points
	Dashed bool         `json:"dashed"`
	Points [][2]float64 `json:"points"`
}

// The parts of a figure of learning curves.
const (
	partTrain = "training"
	partTest  = "test"
	partVal   = "validation"
)

// looks gives each network of a comparison its colour, marker and width of line, and its panel.
// Where plain and residual networks meet, as in the paper's Fig. 6, each kind has a panel and depth
// is colour, marker and width; otherwise there is one panel, and every network has a colour.
type looks struct {
	panels []string // kinds, in order; {""} for one panel
	depths []int    // where a look stands for a depth, sorted
	names  []string // where it stands for a name
}

func newLooks(nets []Net) looks {
	var l looks
	both := map[string]bool{}
	for _, n := range nets {
		both[n.Kind] = true
		if !slices.Contains(l.depths, n.Depth) {
			l.depths = append(l.depths, n.Depth)
		}
		if !slices.Contains(l.names, n.Model) {
			l.names = append(l.names, n.Model)
		}
	}
	slices.Sort(l.depths)
	if len(both) == 2 && both[KindPlain] && both[KindResidual] {
		l.panels = []string{KindPlain, KindResidual}
		return l
	}
	l.panels = []string{""}
	if len(l.depths) != len(l.names) {
		l.depths = nil
	}
	return l
}

// of is a network's panel, and its index among those of other looks.
func (l looks) of(n Net) (panel, index int) {
	if len(l.panels) == 2 && n.Kind == KindResidual {
		panel = 1
	}
	if l.depths != nil {
		return panel, slices.Index(l.depths, n.Depth)
	}
	return panel, slices.Index(l.names, n.Model)
}

// width of a line: the deepest network has the widest.
func (l looks) width(index int) float64 {
	if len(l.depths) < 2 {
		return 1.3
	}
	return 0.9 + 1.1*float64(index)/float64(len(l.depths)-1)
}

func (l looks) newPanels() []Panel {
	panels := make([]Panel, len(l.panels))
	for i, kind := range l.panels {
		if kind != "" {
			panels[i].Title = kind + " networks"
		}
	}
	return panels
}

// curve is what a figure of learning curves shows of a history.
type curve struct {
	column, part string
	dashed       bool
}

// learning makes a figure of columns of the runs' histories against the iteration. A column that no
// run has is left out.
func learning(f Figure, runs []Compared, curves []curve, floor float64) Figure {
	nets := make([]Net, len(runs))
	for i, r := range runs {
		nets[i] = r.Net
	}
	l := newLooks(nets)
	f.X = "iterations"
	f.Panels = l.newPanels()
	for _, r := range runs {
		panel, index := l.of(r.Net)
		for _, c := range curves {
			line := Line{
				Name: text.Printable(r.Name) + " " + c.part, Group: text.Printable(r.Net.Model), Part: c.part, Color: index, Marker: index,
				Width: l.width(index), Dashed: c.dashed,
			}
			for i := range r.History {
				if v := *r.History[i].cell(c.column); v != nil && finite(*v) {
					line.Points = append(line.Points, [2]float64{float64(r.History[i].Step), *v})
				}
			}
			if line.Points == nil {
				continue
			}
			if c.dashed {
				line.Width *= 0.65
			}
			f.Panels[panel].Lines = append(f.Panels[panel].Lines, line)
		}
	}
	f.fit(floor)
	return f
}

// empty reports whether there is nothing to draw.
func (f Figure) empty() bool {
	return !slices.ContainsFunc(f.Panels, func(p Panel) bool { return len(p.Lines) > 0 })
}

// groups are the networks in the figure, in order, each by its widest line.
func (f Figure) groups() []Line {
	var list []Line
	for _, p := range f.Panels {
		for _, l := range p.Lines {
			i := slices.IndexFunc(list, func(o Line) bool { return o.Group == l.Group })
			if i < 0 {
				list = append(list, l)
			} else if l.Width > list[i].Width {
				list[i] = l
			}
		}
	}
	return list
}

// parts are the kinds of line in the figure, in order.
func (f Figure) parts() []Line {
	var list []Line
	for _, p := range f.Panels {
		for _, l := range p.Lines {
			if l.Part != "" && !slices.ContainsFunc(list, func(o Line) bool { return o.Part == l.Part }) {
				list = append(list, l)
			}
		}
	}
	return list
}

// Figures of a comparison, those that have lines: errors and losses against the iteration, and the
// layer responses.
func (c Comparison) Figures() []Figure {
	evaluated := curve{"test_error", partTest, false}
	if !slices.ContainsFunc(c.Runs, func(r Compared) bool { return r.History.has("test_error") }) {
		evaluated = curve{"val_error", partVal, false}
	}
	loss := curve{strings.TrimSuffix(evaluated.column, "error") + "loss", evaluated.part, false}
	list := []Figure{
		learning(Figure{
			ID: "error", Title: "Top-1 error", Y: "error (%)", Unit: "%", Digits: 2,
			Note: fmt.Sprintf("Dashed: training error, the mean over the images since the previous evaluation, while the weights change. Solid: %s error of one view, at each evaluation. "+
				"The start of a curve may be above the axis.", evaluated.part),
		},
			c.Runs, []curve{{"train_error", partTrain, true}, evaluated}, leastErrorAxis),
		learning(Figure{
			ID: "loss", Title: "Loss", Y: "cross-entropy (nats)", Digits: 4,
			Note: fmt.Sprintf("Dashed: training loss, the mean over the updates since the previous evaluation. Solid: %s loss. Weight decay is not included.", loss.part),
		},
			c.Runs, []curve{{"train_loss", partTrain, true}, loss}, 0.2),
		responseFigure(c.Runs),
	}
	return slices.DeleteFunc(list, Figure.empty)
}
