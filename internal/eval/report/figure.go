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
	Unit   string `json:"unit"`   // after a value: "%"
	Digits int    `json:"digits"` // after the point of a value; below 0 four digits in all
	Linear bool   `json:"linear"` // without a logarithmic axis
	// XMax and YMax end the linear axes, which begin at 0: see fit.
	XMax float64 `json:"x_max"`
	YMax float64 `json:"y_max"`
	// Log makes the y axis logarithmic, from YMin: see fitLog.
	Log    bool    `json:"log,omitempty"`
	YMin   float64 `json:"y_min,omitempty"`
	Panels []Panel `json:"panels"`
	// Hidden says which networks are not displayed; "" where all are.
	Hidden string `json:"hidden,omitempty"`
}

// A Panel is a pair of axes.
type Panel struct {
	Title string `json:"title"`
	Lines []Line `json:"lines"`
	Marks []Mark `json:"marks,omitempty"`
}

// A Mark is a value of the paper's at the right edge of a panel.
type Mark struct {
	Name  string  `json:"name"`
	Group string  `json:"group"` // of the lines that it belongs to
	Value float64 `json:"value"`
	Color int     `json:"color"`
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

// looks gives each network of a comparison its colour and marker, and its panels. Where each depth
// of a kind is one network, a depth is a colour, in all panels; otherwise every network has one.
// The panels are the paper's Fig. 6: plain networks, residual ones up to 110 layers, and those
// beyond beside the deepest before. Kinds that stand alone, and others, share one panel.
type looks struct {
	kinds  []string // with a panel of their own; {""} for one panel
	depths []int    // where a look stands for a depth, sorted
	names  []string // where it stands for a name
	// limit is the deepest residual network up to gainLimit; 0 without a panel of what is beyond.
	limit int
}

func newLooks(nets []Net) looks {
	var l looks
	kinds := map[string]bool{}
	var upTo, beyond []int // depths of residual networks
	labels := map[[2]any]string{}
	oneEach := true // label of each kind and depth
	for _, n := range nets {
		kinds[n.Kind] = true
		at := [2]any{n.Kind, n.Depth}
		if other, ok := labels[at]; ok && other != n.Label() || n.Depth == 0 {
			oneEach = false
		}
		labels[at] = n.Label()
		l.depths = append(l.depths, n.Depth)
		if !slices.Contains(l.names, n.Label()) {
			l.names = append(l.names, n.Label())
		}
		switch {
		case n.beyond():
			beyond = append(beyond, n.Depth)
		case n.Kind == KindResidual:
			upTo = append(upTo, n.Depth)
		}
	}
	slices.Sort(l.depths)
	l.depths = slices.Compact(l.depths)
	if !oneEach {
		l.depths = nil
	}
	both := len(kinds) == 2 && kinds[KindPlain] && kinds[KindResidual]
	if beyond != nil && upTo != nil && (both || len(kinds) == 1 && slices.Min(upTo) < slices.Max(upTo)) {
		l.limit = slices.Max(upTo)
	}
	switch {
	case both:
		l.kinds = []string{KindPlain, KindResidual}
	case l.limit > 0:
		l.kinds = []string{KindResidual}
	default:
		l.kinds = []string{""}
	}
	return l
}

// beyond reports whether the network is a residual one deeper than what the paper's claim of a gain
// is about.
func (n Net) beyond() bool { return n.Kind == KindResidual && beyondGain(n.Family, n.Depth) }

// of is a network's panels, and its index among those of other looks.
func (l looks) of(n Net) (panels []int, index int) {
	panel := max(0, slices.Index(l.kinds, n.Kind))
	switch {
	case l.limit > 0 && n.beyond():
		panels = []int{len(l.kinds)}
	case l.limit > 0 && n.Kind == KindResidual && n.Depth == l.limit:
		panels = []int{panel, len(l.kinds)}
	default:
		panels = []int{panel}
	}
	if l.depths != nil {
		return panels, slices.Index(l.depths, n.Depth)
	}
	return panels, slices.Index(l.names, n.Label())
}

func (l looks) newPanels() []Panel {
	var panels []Panel
	for _, kind := range l.kinds {
		p := Panel{}
		if kind != "" {
			p.Title = kind + " networks"
		}
		panels = append(panels, p)
	}
	if l.limit > 0 {
		panels = append(panels, Panel{Title: fmt.Sprintf("residual, %d layers and more", l.limit)})
	}
	return panels
}

// offAxis are the networks that Fig. 6 would not display: plain ones that end above 60 %, where at
// least two others are left and lie below half of that.
func offAxis(outcomes []Outcome) (labels []string, note string) {
	const limit = 60
	var notes []string
	low := 0
	for _, o := range finished(outcomes, KindPlain) {
		switch end := max(o.Test, o.Train); {
		case end > limit:
			labels = append(labels, o.Label())
			notes = append(notes, fmt.Sprintf("%s (training %.2f%%, test %.2f%%)", o.Label(), o.Train, o.Test))
		case end < limit/2:
			low++
		default:
			return nil, ""
		}
	}
	if low < 2 || labels == nil {
		return nil, ""
	}
	return labels, "Not displayed, as in the paper's Fig. 6: " + strings.Join(notes, ", ") + "."
}

// curve is what a figure of learning curves shows of a history.
type curve struct {
	column, part string
	dashed       bool
}

// learning makes a figure of columns of the runs' histories against the iteration, shallow networks
// first. A column that no run has is left out.
func (c Comparison) learning(f Figure, curves []curve, floor float64) Figure {
	var nets []Net
	hidden, note := offAxis(c.Outcomes)
	runs := slices.DeleteFunc(slices.Clone(c.Runs), func(r Compared) bool { return slices.Contains(hidden, r.Net.Label()) })
	slices.SortStableFunc(runs, func(a, b Compared) int {
		return byDepth(a.Net.Kind, b.Net.Kind, a.Net.Depth, b.Net.Depth)
	})
	for _, r := range runs {
		nets = append(nets, r.Net)
	}
	l := newLooks(nets)
	f.X = "iterations"
	if f.Hidden = note; note != "" {
		f.Note += " " + note
	}
	f.Panels = l.newPanels()
	for _, r := range runs {
		panels, index := l.of(r.Net)
		for _, c := range curves {
			points := r.History.points(c.column)
			if points == nil {
				continue
			}
			line := Line{
				Name: text.Printable(r.Name) + " " + c.part, Group: text.Printable(r.Net.Label()), Part: c.part, Color: index, Marker: index,
				Width: testWidth, Dashed: c.dashed, Points: points,
			}
			if c.dashed {
				line.Width = trainWidth
			}
			for _, panel := range panels {
				f.Panels[panel].Lines = append(f.Panels[panel].Lines, line)
			}
		}
	}
	f.fit(floor)
	return f
}

// paperMarks puts the paper's test errors at the right edge of a figure of errors, of networks on
// the paper's data that were trained by the paper's schedule.
func (c Comparison) paperMarks(f *Figure) {
	for i := range f.Panels {
		p := &f.Panels[i]
		for _, o := range c.Outcomes {
			if o.Paper == nil || !o.paperSchedule() {
				continue
			}
			at := slices.IndexFunc(p.Lines, func(l Line) bool { return l.Group == text.Printable(o.Label()) })
			if at >= 0 {
				p.Marks = append(p.Marks, Mark{Value: *o.Paper, Color: p.Lines[at].Color, Group: p.Lines[at].Group, Name: fmt.Sprintf("%s in the paper: %.2f%%", p.Lines[at].Group, *o.Paper)})
			}
		}
	}
	if slices.ContainsFunc(f.Panels, func(p Panel) bool { return p.Marks != nil }) {
		f.Note += " Ticks at the right edge: the paper's test errors."
	}
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
	errors := c.learning(Figure{
		ID: "error", Title: "Top-1 error", Y: "error (%)", Unit: "%", Digits: 2,
		Note: fmt.Sprintf("Dashed: training error, the mean over the images since the previous evaluation, while the weights change. Bold: %s error of one view, at each evaluation. "+
			"The start of a curve may be above the axis.", evaluated.part),
	}, []curve{{"train_error", partTrain, true}, evaluated}, leastErrorAxis)
	c.paperMarks(&errors)
	list := []Figure{
		errors,
		c.learning(Figure{
			ID: "loss", Title: "Loss", Y: "cross-entropy (nats)", Digits: 4,
			Note: fmt.Sprintf("Dashed: training loss, the mean over the updates since the previous evaluation. Bold: %s loss. Weight decay is not included.", loss.part),
		}, []curve{{"train_loss", partTrain, true}, loss}, 0.2),
		responseFigure(c.Runs),
	}
	return slices.DeleteFunc(list, Figure.empty)
}
