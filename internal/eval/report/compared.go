package report

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/eval"
	"resnet/internal/text"
)

// The kinds of network that the paper compares.
const (
	KindPlain    = "plain"
	KindResidual = "residual"
)

// familyImageNet is the family of networks of which the paper claims a gain at every depth, as the
// table of architectures names it.
const familyImageNet = "imagenet"

// A Net is what a comparison says of a run besides its history.
type Net struct {
	Model string // plain56, resnet56
	// Network is the Model without what Settings say of it: resnet56 of a resnet56-elu beside
	// others. "" means the Model.
	Network string
	Family  string // of networks, whose depths are compared; "" where that is not known
	Kind    string // KindPlain, KindResidual, or "" for neither
	Depth   int    // layers with weights; 0 where that is not known
	Seed    uint64
	// Settings are what the configurations of the runs compared differ in, besides network and
	// seed, sorted by key.
	Settings []Setting
	// telling are those of the settings in which runs of one network differ.
	telling []Setting
	Params  int64 // 0 where that is not known
	// Dataset is the data set by its datasets.Dataset.Identity. Where the folder does not say
	// whether its files are the published ones it is the name, and Unverified.
	Dataset    string
	Unverified bool
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
	// Blocks are drawings of its building blocks, one of each kind: see Drawing.SVG.
	Blocks []string
}

// A Setting is a key of the configuration and its value.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
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
	Claims   []Claim  // of the paper about such networks
	Findings []string // sentences, those of the claims among them
	Notes    []string // how the figures were measured
}

const measuredNote = "Errors are top-1, in percent. The training error is the mean over the images since the previous evaluation, while the weights change " +
	"(eval.train_set adds the error of the training set as it stands); the test error is of one view, at the end."

// NewComparison joins the runs of each network and says what they show.
func NewComparison(title, command string, runs []Compared) Comparison {
	runs = tellApart(runs)
	c := Comparison{Title: title, Command: command, Runs: runs, Outcomes: outcomes(runs)}
	sets := comparable(c.Outcomes)
	c.Claims = claims(sets)
	c.Findings = findings(c.Outcomes, sets, c.Claims)
	c.Notes = append(c.Notes, measuredNote, noiseNote(c.Outcomes))
	for _, note := range []string{recipeNote(c.Outcomes), dataNote(c.Runs, c.Outcomes)} {
		if note != "" {
			c.Notes = append(c.Notes, note)
		}
	}
	return c
}

// outcomes are the networks of runs, plain before residual and shallow before deep. Runs of one
// network with other settings are another experiment, and have an outcome of their own.
func outcomes(runs []Compared) []Outcome {
	var names []string
	byName := map[string][]Compared{}
	for _, r := range runs {
		name := r.Net.Label()
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], r)
	}
	var list []Outcome
	for _, name := range names {
		list = append(list, newOutcome(byName[name]))
	}
	slices.SortStableFunc(list, func(a, b Outcome) int { return byDepth(a.Kind, b.Kind, a.Depth, b.Depth) })
	return list
}

// byDepth orders networks, plain before residual and shallow before deep.
func byDepth(kindA, kindB string, depthA, depthB int) int {
	return cmp.Or(cmp.Compare(kindA, kindB), cmp.Compare(depthA, depthB))
}

// tellApart finds the settings in which runs of one network differ.
func tellApart(runs []Compared) []Compared {
	first := map[[2]string]string{} // values by network and key
	differ := map[string]bool{}
	for _, r := range runs {
		for _, s := range r.Net.Settings {
			at := [2]string{r.Net.network(), s.Key}
			if v, ok := first[at]; !ok {
				first[at] = s.Value
			} else if v != s.Value {
				differ[s.Key] = true
			}
		}
	}
	runs = slices.Clone(runs)
	for i := range runs {
		n := &runs[i].Net
		n.telling = slices.DeleteFunc(slices.Clone(n.Settings), func(s Setting) bool { return !differ[s.Key] })
	}
	return runs
}

// Label is the network with the settings that tell it from others of its name.
func (n Net) Label() string { return label(n.network(), n.telling) }

func (n Net) network() string { return cmp.Or(n.Network, n.Model) }

// Label is the network with the settings that tell it from others of its name.
func (o Outcome) Label() string { return label(o.told(), o.telling) }

func (o Outcome) told() string { return cmp.Or(o.network, o.Model) }

func label(model string, settings []Setting) string {
	if s := settingsText(settings); s != "" {
		return model + " " + s
	}
	return model
}

// settingsText is "rate=0.1, batch=64": the last parts of the keys, or as many as tell them apart.
func settingsText(settings []Setting) string {
	var keys, list []string
	for _, s := range settings {
		keys = append(keys, s.Key)
	}
	for i, key := range text.ShortKeys(keys) {
		list = append(list, key+"="+settings[i].Value)
	}
	return strings.Join(list, ", ")
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
