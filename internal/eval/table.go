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
	Paper      *float64 `json:"paper"` // the paper's top-1 error by this protocol, or null

	// Precision is that in which the network was computed, of an ensemble the lowest.
	Precision graph.Precision `json:"precision"`

	// Without is the part of a block that was left out, "shortcut of layer2.0"; absent otherwise.
	Without string `json:"without,omitempty"`

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
	r := Row{
		Model: model, Checkpoint: checkpoint, N: m.N, Top1Error: m.Top1Error, Top5Error: m.Top5Error, Loss: m.Loss,
		Params: params, Protocol: p.String(),
	}
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
	return WriteJSON(w, t)
}

// WriteText writes the table as text, with the citations of the paper's values below. Columns
// without any value are left out.
func (t Table) WriteText(w io.Writer) error {
	if err := WriteColumns(w, t.Columns(text.Printable)); err != nil {
		return err
	}
	for _, c := range t.Citations() {
		if _, err := fmt.Fprintf(w, "paper: %s\n", c); err != nil {
			return err
		}
	}
	return nil
}

// WriteMarkdown writes the table for a README.
func (t Table) WriteMarkdown(w io.Writer) error {
	if err := WriteMarkdown(w, t.Columns(text.MarkdownCell)); err != nil {
		return err
	}
	for i, c := range t.Citations() {
		if i == 0 {
			c = "\n" + c
		}
		if _, err := fmt.Fprintf(w, "%s  \n", strings.Replace(c, "He et al.", "Paper: He et al.", 1)); err != nil {
			return err
		}
	}
	return nil
}

// Citations are those of the paper's values in the table, each once.
func (t Table) Citations() []string {
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

// unit is what the rows count: images, unless all count something else.
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

// Columns lays the rows out; name escapes what came from files. Columns without any value are left
// out.
func (t Table) Columns(name func(string) string) []Column {
	cols := []Column{
		{Title: "model"},
		{Title: "checkpoint"},
		{Title: "without"},
		{Title: t.unit(), Number: true},
		{Title: "top-1 error %", Number: true},
		{Title: "top-5 error %", Number: true},
		{Title: "loss", Number: true},
		{Title: "parameters", Number: true},
		{Title: "utterance error %", Number: true},
		{Title: "protocol"},
		{Title: "precision"},
		{Title: "paper's top-1 %", Number: true},
	}
	// Where all are float32, nothing needs to be said.
	said := slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Precision != graph.Float32 })
	for _, r := range t.Rows {
		precision := ""
		if said {
			precision = r.Precision.String()
		}
		for i, cell := range []string{
			name(r.Model), name(r.Checkpoint), r.Without, text.Grouped(int64(r.N)), ErrorText(&r.Top1Error), ErrorText(r.Top5Error),
			strconv.FormatFloat(r.Loss, 'f', 4, 64), text.Grouped(r.Params), ErrorText(r.UtteranceError), name(r.Protocol), precision, ErrorText(r.Paper),
		} {
			cols[i].Cells = append(cols[i].Cells, cell)
		}
	}
	return WithoutEmpty(cols)
}
