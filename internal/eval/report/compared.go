package report

import (
	"cmp"
	"io"
	"slices"

	"resnet/internal/atomicfile"
	"resnet/internal/eval"
)

// The kinds of network that the paper compares.
const (
	KindPlain    = "plain"
	KindResidual = "residual"
)

// A Net is what a comparison says of a run besides its history.
type Net struct {
	Model   string // plain56, resnet56
	Kind    string // KindPlain, KindResidual, or "" for neither
	Depth   int    // layers with weights; 0 where that is not known
	Seed    uint64
	Params  int64 // 0 where that is not known
	Dataset string
	// TrainImages, ValImages and TestImages are the sizes of the splits, of speech in utterances; 0
	// where that is not known.
	TrainImages, ValImages, TestImages int

	Iterations int // planned
	Batch      int // images of an iteration
	Diverged   bool
	// Unfinished marks a run that has not come to its end.
	Unfinished      bool
	ImagesPerSecond float64 // training, on the machine that trained it; 0 where that is not known
	Responses       []eval.Response
}

// Compared is a run of a comparison.
type Compared struct {
	Run
	Net Net
}

// A Comparison is runs side by side, with what they show.
type Comparison struct {
	Title    string
	Command  string // that makes or goes on with the comparison; "" where there is none
	Runs     []Compared
	Outcomes []Outcome
	Findings []string // sentences
	Notes    []string // how the figures were measured
}

const measuredNote = "Errors are top-1, in percent. The training error is the mean over the images since the previous evaluation, while the weights change " +
	"(eval.train_set adds the error of the training set as it stands); the test error is of one view, at the end."

// NewComparison joins the runs of each network and says what they show.
func NewComparison(title, command string, runs []Compared) Comparison {
	c := Comparison{Title: title, Command: command, Runs: runs, Outcomes: outcomes(runs)}
	c.Findings = Findings(c.Outcomes)
	c.Notes = append(c.Notes, measuredNote, noiseNote(c.Outcomes))
	if note := recipeNote(c.Outcomes); note != "" {
		c.Notes = append(c.Notes, note)
	}
	return c
}

// outcomes are the networks of runs, plain before residual and shallow before deep.
func outcomes(runs []Compared) []Outcome {
	var models []string
	byModel := map[string][]Compared{}
	for _, r := range runs {
		if byModel[r.Net.Model] == nil {
			models = append(models, r.Net.Model)
		}
		byModel[r.Net.Model] = append(byModel[r.Net.Model], r)
	}
	var list []Outcome
	for _, m := range models {
		list = append(list, newOutcome(byModel[m]))
	}
	slices.SortStableFunc(list, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Depth, b.Depth))
	})
	return list
}

// The files of a comparison, besides PointsFile and TableFile.
const (
	LossSVG      = "loss.svg"
	LossPNG      = "loss.png"
	ResponsesSVG = "responses.svg"
	ResponsesPNG = "responses.png"
)

// WriteComparison writes the report and everything beside it to a folder, each file complete or not
// at all, and returns their names. A file that has nothing to show is not written.
func WriteComparison(dir string, c Comparison) ([]string, error) {
	return folder{atomicfile.OS, dir}.comparison(c)
}

func (dir folder) comparison(c Comparison) ([]string, error) {
	var names []string
	write := func(name string, f func(io.Writer) error) error {
		names = append(names, name)
		return dir.write(name, f)
	}
	figures := c.Figures()
	if err := write(ReportFile, func(w io.Writer) error { return c.writeHTML(w, figures) }); err != nil {
		return nil, err
	}
	for _, f := range figures {
		svg, png := f.files()
		o := DrawOptions{Title: c.Title}
		if err := write(svg, func(w io.Writer) error { return DrawFigureSVG(w, f, o) }); err != nil {
			return nil, err
		}
		if err := write(png, func(w io.Writer) error { return DrawFigurePNG(w, f, o) }); err != nil {
			return nil, err
		}
	}
	for _, file := range []struct {
		name string
		f    func(io.Writer) error
		skip bool
	}{
		{PointsFile, func(w io.Writer) error { return writePoints(w, c.Runs) }, false},
		{PointsJSON, c.writeJSON, false},
		{ResponsesFile, func(w io.Writer) error { return writeResponses(w, c.Runs) }, !slices.ContainsFunc(c.Runs, func(r Compared) bool { return r.Net.Responses != nil })},
		{TableFile, c.writeMarkdown, false},
	} {
		if file.skip {
			continue
		}
		if err := write(file.name, file.f); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// files are the names of a figure's drawings.
func (f Figure) files() (svg, png string) {
	switch f.ID {
	case "loss":
		return LossSVG, LossPNG
	case "responses":
		return ResponsesSVG, ResponsesPNG
	}
	return CurvesSVG, CurvesPNG
}
