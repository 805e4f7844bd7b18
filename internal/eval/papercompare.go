package eval

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/graph"
	"resnet/internal/text"
)

// A Measured is a row of ours with what decides where it stands in a table of the paper and whether
// it may be compared.
type Measured struct {
	Row      Row
	Dataset  string
	Protocol Protocol
	// Standard says that the network is the one of that name in the table of architectures,
	// unchanged.
	Standard bool
	Ensemble bool
}

// PaperComparison is a table of the paper with our rows beside its lines.
type PaperComparison struct {
	Number   int                   `json:"table"`
	Title    string                `json:"title"`
	Source   string                `json:"source"`
	Dataset  string                `json:"dataset"`
	Images   int                   `json:"images"`
	Protocol string                `json:"protocol"` // of the paper's own lines
	Lines    []PaperComparisonLine `json:"lines"`
	Others   []PaperComparisonRow  `json:"others"` // rows of ours that the table has no line for
	Rows     []Row                 `json:"rows"`   // all of ours, as without a table
}

// A PaperComparisonLine is a line of the paper with the rows of ours that measure the same network.
type PaperComparisonLine struct {
	Model  string               `json:"model"`
	Top1   *float64             `json:"paper_top1_error"` // null where the paper gives none
	Top5   *float64             `json:"paper_top5_error"`
	Mean   *float64             `json:"paper_mean_top1_error,omitempty"` // of several runs
	Std    *float64             `json:"paper_std_top1_error,omitempty"`
	Params string               `json:"paper_params,omitempty"` // as it is printed: "0.27M"
	Quoted string               `json:"quoted_from,omitempty"`  // whose result the paper repeats
	Note   string               `json:"note,omitempty"`
	Ours   []PaperComparisonRow `json:"ours"`
}

// A PaperComparisonRow is a row of ours. SameProtocol says that it may be compared with its line as
// it is; Differences says why not.
type PaperComparisonRow struct {
	Row
	SameProtocol bool     `json:"same_protocol"`
	Differences  []string `json:"differences"`
}

// Compare puts measured rows beside the lines of the table.
func (t PaperTable) Compare(rows []Measured) PaperComparison {
	b := PaperComparison{
		Number: t.Number, Title: t.Title, Source: "He et al. 2016, arXiv:1512.03385, " + t.Name(), Dataset: t.Dataset, Images: t.Images,
		Protocol: viewText(t.Protocol), Lines: make([]PaperComparisonLine, 0, len(t.Lines)), Others: []PaperComparisonRow{}, Rows: []Row{},
	}
	placed := make([]bool, len(rows))
	for _, l := range t.Lines {
		line := PaperComparisonLine{Model: l.Label, Top1: l.Top1, Top5: l.Top5, Params: l.Params, Quoted: l.Quoted, Note: l.Note, Ours: []PaperComparisonRow{}}
		if l.Mean > 0 {
			line.Mean, line.Std = &l.Mean, &l.Std
		}
		for i, m := range rows {
			if t.holds(l, m) {
				placed[i] = true
				line.Ours = append(line.Ours, comparisonRow(t, l, m))
			}
		}
		b.Lines = append(b.Lines, line)
	}
	for i, m := range rows {
		b.Rows = append(b.Rows, m.Row)
		if !placed[i] {
			b.Others = append(b.Others, PaperComparisonRow{Row: m.Row, Differences: []string{"the table has no line for it"}})
		}
	}
	return b
}

// variants are networks that stand beside another's line, and how they differ from it.
var variants = map[[2]string]string{
	{"vgg16bn", "vgg16"}:                  "has batch normalisation, the line's network has none",
	{"vgg16", "vgg19"}:                    "is configuration D of Simonyan and Zisserman 2015, the line's network E",
	{"vgg19bn", "vgg19"}:                  "has batch normalisation, the line's network has none",
	{"googlenet-bn", "googlenet"}:         "has batch normalisation and 3x3 convolutions for 5x5, as torchvision's; the published network has neither",
	{"bn-inception-slim", "bn-inception"}: "is Google's variant in TF-slim, with fewer columns in two projections and TensorFlow's padding",
	{"prelu-net-a", "prelu-net-c"}:        "is model A of He et al. 2015, the line's network C",
	{"prelu-net-b", "prelu-net-c"}:        "is model B of He et al. 2015, the line's network C",
}

// holds reports whether a row belongs beside a line: the network of that name, a variant of it, or
// an ensemble beside the paper's own.
func (t PaperTable) holds(l PaperLine, m Measured) bool {
	if t.Ensembles || m.Ensemble {
		return t.Ensembles && m.Ensemble && l.Quoted == ""
	}
	name, _ := strings.CutSuffix(published(m.Row.Model), suffixV15)
	return l.Arch != "" && (name == l.Arch || variants[[2]string{name, l.Arch}] != "")
}

// suffixV15 marks the bottleneck nets that stride in the 3x3.
const suffixV15 = "v1.5"

func comparisonRow(t PaperTable, l PaperLine, m Measured) PaperComparisonRow {
	r := PaperComparisonRow{Row: m.Row, Differences: []string{}}
	if strings.HasSuffix(m.Row.Model, suffixV15) {
		r.Differences = append(r.Differences, "strides in the 3x3 of each bottleneck, the paper in the first 1x1")
	} else if !m.Standard && !m.Ensemble {
		r.Differences = append(r.Differences, "not the network of that name: its description differs from the table of architectures")
	}
	if difference := variants[[2]string{m.Row.Model, l.Arch}]; difference != "" {
		r.Differences = append(r.Differences, difference)
	}
	if m.Ensemble {
		r.Differences = append(r.Differences, "an ensemble of other networks than the paper's six")
	}
	if l.Quoted != "" {
		r.Differences = append(r.Differences, fmt.Sprintf("the paper quotes %s, whose protocol is not its own", l.Quoted))
	}
	r.Differences = append(r.Differences, t.differences(m.Dataset, m.Protocol, m.Row.N)...)
	r.SameProtocol = len(r.Differences) == 0
	return r
}

// WriteJSON writes one JSON document.
func (b PaperComparison) WriteJSON(w io.Writer) error { return WriteJSON(w, b) }

// WriteText writes the table as text: a line of the paper, and ours beside it; what differs
// stands below, by number.
func (b PaperComparison) WriteText(w io.Writer) error {
	return b.write(w, text.Printable, WriteColumns, "", "\n%s\n", "[%d] %s\n")
}

// WriteMarkdown writes the table for a README.
func (b PaperComparison) WriteMarkdown(w io.Writer) error {
	return b.write(w, text.MarkdownCell, WriteMarkdown, "  ", "\n%s  \n", "\\[%d] %s  \n")
}

func (b PaperComparison) write(w io.Writer, name func(string) string, table func(io.Writer, []Column) error, end, below, note string) error {
	if _, err := fmt.Fprintf(w, "%s: %s%s\n\n", name(b.Source), name(b.Title), end); err != nil {
		return err
	}
	cols, notes := b.columns(name)
	if err := table(w, cols); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, below, "The paper's protocol: "+name(b.Protocol)+", "+text.Grouped(int64(b.Images))+" images."); err != nil {
		return err
	}
	for i, n := range notes {
		if _, err := fmt.Fprintf(w, note, i+1, name(n)); err != nil {
			return err
		}
	}
	return nil
}

// columns lays out the lines; a line of the paper stands once for each row of ours, and once where
// there is none.
func (b PaperComparison) columns(name func(string) string) ([]Column, []string) {
	cols := []Column{
		{Title: "network"},
		{Title: "paper's params", Number: true},
		{Title: "our params", Number: true},
		{Title: "paper's top-1 %", Number: true},
		{Title: "paper's top-5 %", Number: true},
		{Title: "our top-1 %", Number: true},
		{Title: "our top-5 %", Number: true},
		{Title: "images", Number: true},
		{Title: "checkpoint"},
		{Title: "notes"},
	}
	var notes []string
	numbered := func(texts []string) string {
		var marks []string
		for _, text := range texts {
			i := slices.Index(notes, text)
			if i < 0 {
				i = len(notes)
				notes = append(notes, text)
			}
			marks = append(marks, strconv.Itoa(i+1))
		}
		return strings.Join(marks, ",")
	}
	counted := slices.ContainsFunc(b.Lines, func(l PaperComparisonLine) bool { return l.Params != "" })
	add := func(l PaperComparisonLine, r *PaperComparisonRow) {
		cells := []string{name(l.Model), l.Params, "", ErrorText(l.Top1), ErrorText(l.Top5), "", "", "", "", ""}
		texts := l.notes()
		if r != nil {
			if counted && r.Params > 0 {
				cells[2] = text.Grouped(r.Params)
			}
			cells[5], cells[6], cells[7], cells[8] = ErrorText(&r.Top1Error), ErrorText(r.Top5Error), text.Grouped(int64(r.N)), name(r.Checkpoint)
			texts = slices.Concat(texts, r.Differences)
			if r.Precision != graph.Float32 {
				texts = append(texts, "computed in "+r.Precision.String())
			}
		}
		cells[9] = numbered(texts)
		for i := range cols {
			cols[i].Cells = append(cols[i].Cells, cells[i])
		}
	}
	for _, l := range b.Lines {
		if len(l.Ours) == 0 {
			add(l, nil)
		}
		for i := range l.Ours {
			add(l, &l.Ours[i])
		}
	}
	for i := range b.Others {
		add(PaperComparisonLine{Model: b.Others[i].Model}, &b.Others[i])
	}
	return WithoutEmpty(cols), notes
}

// notes are the remarks of the paper on a line.
func (l PaperComparisonLine) notes() []string {
	var list []string
	if l.Quoted != "" {
		list = append(list, "quoted by the paper from "+l.Quoted)
	}
	if l.Mean != nil {
		list = append(list, fmt.Sprintf("the best of several runs, mean %.2f, standard deviation %.2f", *l.Mean, *l.Std))
	}
	if l.Note != "" {
		list = append(list, l.Note)
	}
	return list
}
