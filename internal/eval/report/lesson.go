package report

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"

	"resnet/internal/eval"
	"resnet/internal/text"
)

// A Lesson is what was measured for the lesson on residual networks: see WriteLesson. It has a JSON
// form, in which docs/lesson keeps it.
type Lesson struct {
	Command string   `json:"command"` // that measured it
	Version string   `json:"version"`
	Kernels string   `json:"kernels"`
	Seed    uint64   `json:"seed"`
	Data    string   `json:"data"`
	Depth   []Taught `json:"depth"` // shallow and deep, plain and residual
	Deep    []Taught `json:"deep"`  // the pair whose layers are looked into
	// Findings are what the networks of Depth show, by the rule of what is a difference.
	Findings []string `json:"findings"`
	Figures  []Figure `json:"figures"` // error, gradients, responses
	// Starts are the gradients of untrained networks, as deep as those of Deep.
	Starts  []Start  `json:"starts"`
	Dropped []Lesion `json:"dropped"` // a row for each block
	Lesions []string `json:"lesions"` // sentences about them
	// Whole are the test errors of the networks of Dropped, nothing left out.
	Whole         Whole    `json:"whole"`
	Normalisation []Taught `json:"normalisation"` // with and without it, at several rates
	// Blocks are drawings of a plain and a residual block (see Drawing.SVG), made by the writer of
	// the page.
	Blocks []string `json:"-"`
}

// Taught is a trained network of the lesson. Errors are in percent; of one that diverged there are
// none.
type Taught struct {
	Network    string  `json:"network"`
	Layers     int     `json:"layers"`
	Parameters int64   `json:"parameters"`
	BatchNorm  bool    `json:"batch_norm"`
	Rate       float64 `json:"rate"`
	TrainError float64 `json:"train_error"`
	TestError  float64 `json:"test_error"`
	Diverged   bool    `json:"diverged"`
}

// Start is how large the gradients of a network are before its first step, at the first and the
// last convolution and at the largest.
type Start struct {
	Network   string  `json:"network"`
	BatchNorm bool    `json:"batch_norm"`
	First     float64 `json:"first"`
	Last      float64 `json:"last"`
	Least     float64 `json:"least"`
	Most      float64 `json:"most"`
}

// Lesion is the test error without a part of a block; nil where there is no such part.
type Lesion struct {
	Block    string   `json:"block"`
	Shortcut *float64 `json:"shortcut"` // of the residual network
	Branch   *float64 `json:"branch"`
	Plain    *float64 `json:"plain"` // of the plain network, whose block is left out whole
}

// Whole are the errors of the networks that Lesions are of.
type Whole struct {
	Residual float64 `json:"residual"`
	Plain    float64 `json:"plain"`
}

// Strengths are values of the layers of a network, in forward order.
type Strengths struct {
	Network string
	Plain   bool
	Values  []float64
}

// NewGradientFigure draws the gradients of networks before their first step and after their last.
func NewGradientFigure(start, end []Strengths) Figure {
	f := Figure{
		ID: "gradients", Title: "Gradients by layer", X: "layer", Y: "norm of the gradient", Digits: 3,
		Note: "2-norm of the gradient of each convolution's weights and of the classifier's, the mean over 10 batches. Layer 1 is next to the image, the last one to the loss. " +
			"Left before the first step, right after the last. The axis is logarithmic.",
		Panels: []Panel{{Title: "before training", Lines: strengthLines(start)}, {Title: "after training", Lines: strengthLines(end)}},
	}
	f.fitLog()
	return f
}

func strengthLines(nets []Strengths) []Line {
	var lines []Line
	for i, n := range nets {
		l := Line{Name: text.Printable(n.Network), Group: text.Printable(n.Network), Color: i, Marker: i, Width: 1.2, Dashed: n.Plain}
		for k, v := range n.Values {
			l.Points = append(l.Points, [2]float64{float64(k + 1), v})
		}
		lines = append(lines, l)
	}
	return lines
}

// lessonFigures are those that a lesson shows.
var lessonFigures = []string{"error", "gradients", "responses"}

// DecodeLesson reads the JSON form of a whole lesson.
func DecodeLesson(data []byte, name string) (Lesson, error) {
	var l Lesson
	err := json.Unmarshal(data, &l)
	if err == nil {
		err = l.check()
	}
	if err != nil {
		return l, fmt.Errorf("%s: no figures of a lesson: %w", text.Printable(name), err)
	}
	return l, nil
}

// check requires that there is something to show everywhere.
func (l Lesson) check() error {
	for _, id := range lessonFigures {
		i := slices.IndexFunc(l.Figures, func(f Figure) bool { return f.ID == id })
		if i < 0 || l.Figures[i].empty() {
			return fmt.Errorf("the figure %q is missing", id)
		}
		for _, p := range l.Figures[i].Panels {
			if slices.ContainsFunc(p.Lines, func(l Line) bool { return len(l.Points) == 0 }) {
				return fmt.Errorf("figure %s has a line without points", id)
			}
		}
	}
	if len(l.Depth) == 0 || len(l.Deep) == 0 {
		return errors.New("the networks are missing")
	}
	return nil
}

// Visited is what a server adds to the lesson: the visitor's own trainings.
type Visited struct {
	Folder  string // that was looked into
	Runs    []VisitedRun
	Problem string // why there is no comparison; "" where there is one
	*Comparison
	// Own says that the lesson's figures are the visitor's, Other leads to the others; "" for none.
	Own   bool
	Other string
}

// VisitedRun is a line of the list of trainings.
type VisitedRun struct {
	Run, Network, Data, State string
	Step                      int64
	TrainError, TestError     *float64
	Link                      string // to its report; "" where there is none
}

//go:embed page/lesson.html.tmpl
var lessonText string

var lessonTemplate = template.Must(template.New("lesson").Funcs(pageFuncs).Funcs(template.FuncMap{
	"grouped":    func(n int64) string { return text.Grouped(n) },
	"percentage": eval.ErrorText,
	"percent":    func(v float64) string { return eval.ErrorText(&v) },
	"short":      func(v float64) string { return fmt.Sprintf("%.3g", v) },
}).Parse(lessonText + partsText))

// lessonPage is what the template shows.
type lessonPage struct {
	Lesson
	Visited   *Visited // nil in a page that no server gives
	Stills    map[string]pageFigure
	Blocks    []template.HTML
	OwnStills []pageFigure
	Drawn     []Figure // for the script
}

// WriteLesson writes the lesson as one page that loads nothing from anywhere; v is nil in a file.
func WriteLesson(w io.Writer, l Lesson, v *Visited) error {
	if err := l.check(); err != nil {
		return err
	}
	p := lessonPage{Lesson: l, Visited: v, Stills: map[string]pageFigure{}, Drawn: slices.Clone(l.Figures)}
	for _, f := range l.Figures {
		still, err := newPageFigure(f)
		if err != nil {
			return err
		}
		p.Stills[f.ID] = still
	}
	for _, svg := range l.Blocks {
		p.Blocks = append(p.Blocks, template.HTML(svg)) //nolint:gosec // see Drawing.SVG
	}
	if v != nil && v.Comparison != nil {
		for _, f := range v.Figures() {
			f.ID = "own-" + f.ID
			still, err := newPageFigure(f)
			if err != nil {
				return err
			}
			p.OwnStills, p.Drawn = append(p.OwnStills, still), append(p.Drawn, f)
		}
	}
	return lessonTemplate.Execute(w, p)
}
