package eval

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// A Row is one line of the table of an evaluation: a checkpoint, or an ensemble of several. Errors
// are percentages. Its JSON keys are a contract.
type Row struct {
	Model      string   `json:"model"`
	Checkpoint string   `json:"checkpoint"`
	N          int      `json:"n"` // images
	Top1Error  float64  `json:"top1_error"`
	Top5Error  *float64 `json:"top5_error"` // null for fewer than 5 classes
	Loss       float64  `json:"loss"`
	Params     int64    `json:"params"`
	Protocol   string   `json:"protocol"`
	Paper      *float64 `json:"paper"` // the paper's top-1 error by this protocol on this data set, or null

	// UtteranceError is that of whole utterances where the errors are of frames; absent otherwise.
	UtteranceError *float64 `json:"utterance_error,omitempty"`

	// Unit is what N counts; "" means images.
	Unit string `json:"-"`

	// Citation says where Paper is from; it stands below a text table.
	Citation string `json:"-"`
}

// NewRow makes the row of a measured network: its name in the table of architectures, where it is
// from, its trainable values. The paper's value is looked up by model, data set and protocol.
func NewRow(model, checkpoint, dataset string, params int64, p Protocol, m Metrics) Row {
	r := Row{Model: model, Checkpoint: checkpoint, N: m.N, Top1Error: m.Top1Error, Top5Error: m.Top5Error, Loss: m.Loss,
		Params: params, Protocol: p.String()}
	if v := Paper(model, dataset, p, m.N); v != nil {
		r.Paper, r.Citation = &v.Top1, v.Citation()
	}
	return r
}

// A Table is the result of an evaluation.
type Table struct {
	Rows []Row `json:"rows"`
}

// WriteJSON writes one JSON document.
func (t Table) WriteJSON(w io.Writer) error {
	if t.Rows == nil {
		t.Rows = []Row{}
	}
	return writeJSON(w, t)
}

// writeJSON writes v indented, with control characters and the like escaped, so that a terminal can
// show it.
func writeJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(asciiControls(text), '\n'))
	return err
}

// WriteText writes the table for people, with the citations of the paper's values below. Columns
// without any value are left out.
func (t Table) WriteText(w io.Writer) error {
	if err := writeColumns(w, t.columns(Printable)); err != nil {
		return err
	}
	for _, c := range t.citations() {
		if _, err := fmt.Fprintf(w, "paper: %s\n", c); err != nil {
			return err
		}
	}
	return nil
}

// WriteMarkdown writes the table for a README.
func (t Table) WriteMarkdown(w io.Writer) error {
	if err := writeMarkdown(w, t.columns(markdownText)); err != nil {
		return err
	}
	for i, c := range t.citations() {
		if i == 0 {
			c = "\n" + c
		}
		if _, err := fmt.Fprintf(w, "%s  \n", strings.Replace(c, "He et al.", "Paper: He et al.", 1)); err != nil {
			return err
		}
	}
	return nil
}

func (t Table) citations() []string {
	var list []string
	for _, r := range t.Rows {
		if r.Citation == "" {
			continue
		}
		line := r.Citation
		if strings.Contains(line, ":") {
			line = r.Model + ", " + line
		}
		if !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	return list
}

// column is a column of a table of text; numbers are aligned to the right.
type column struct {
	title  string
	number bool
	cells  []string
}

// unit is what the rows count: images, unless all say otherwise.
func (t Table) unit() string {
	for _, r := range t.Rows {
		if r.Unit != t.Rows[0].Unit {
			return "n"
		}
	}
	if len(t.Rows) == 0 || t.Rows[0].Unit == "" {
		return "images"
	}
	return t.Rows[0].Unit
}

func (t Table) columns(name func(string) string) []column {
	cols := []column{{title: "model"}, {title: "checkpoint"}, {title: t.unit(), number: true}, {title: "top-1 error %", number: true},
		{title: "top-5 error %", number: true}, {title: "loss", number: true}, {title: "parameters", number: true},
		{title: "utterance error %", number: true}, {title: "protocol"}, {title: "paper's top-1 %", number: true}}
	for _, r := range t.Rows {
		for i, cell := range []string{name(r.Model), name(r.Checkpoint), grouped(int64(r.N)), errorText(&r.Top1Error), errorText(r.Top5Error),
			strconv.FormatFloat(r.Loss, 'f', 4, 64), grouped(r.Params), errorText(r.UtteranceError), name(r.Protocol), errorText(r.Paper)} {
			cols[i].cells = append(cols[i].cells, cell)
		}
	}
	return withoutEmpty(cols)
}

// withoutEmpty leaves out the columns that have nothing to say on any line.
func withoutEmpty(cols []column) []column {
	return slices.DeleteFunc(cols, func(c column) bool {
		return len(c.cells) > 0 && !slices.ContainsFunc(c.cells, func(s string) bool { return s != "-" && s != "" })
	})
}

// writeColumns lays a table out for a terminal.
func writeColumns(w io.Writer, cols []column) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for line := -1; len(cols) > 0 && line < len(cols[0].cells); line++ {
		for i, c := range cols {
			s := c.title
			if line >= 0 {
				s = c.cells[line]
			}
			if c.number {
				width := utf8.RuneCountInString(c.title)
				for _, cell := range c.cells {
					width = max(width, utf8.RuneCountInString(cell))
				}
				s = strings.Repeat(" ", width-utf8.RuneCountInString(s)) + s
			}
			if i > 0 {
				s = "\t" + s
			}
			if _, err := io.WriteString(tw, s); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(tw, "\n"); err != nil {
			return err
		}
	}
	return tw.Flush()
}

func writeMarkdown(w io.Writer, cols []column) error {
	var b strings.Builder
	for _, c := range cols {
		b.WriteString("| " + c.title + " ")
	}
	b.WriteString("|\n")
	for _, c := range cols {
		if c.number {
			b.WriteString("|---:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	for line := 0; len(cols) > 0 && line < len(cols[0].cells); line++ {
		for _, c := range cols {
			b.WriteString("| " + c.cells[line] + " ")
		}
		b.WriteString("|\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// errorText is a percentage with two decimals, as in the paper, or "-".
func errorText(p *float64) string {
	if p == nil {
		return "-"
	}
	return strconv.FormatFloat(*p, 'f', 2, 64)
}

// grouped writes 1727962 as 1,727,962.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
