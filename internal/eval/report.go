package eval

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
)

// ReportFile is the file that WriteReport writes beside the curves.
const ReportFile = "report.html"

// A Report is a page about one run or a comparison of several, complete in itself: it loads nothing
// from anywhere.
type Report struct {
	Title   string
	Notes   []string // paragraphs below the title
	Table   Table    // may be empty
	Runs    []Run
	Classes *ClassReport // may be nil
	// Names stand for the runs' own in curves and headings; nil or shorter means their own.
	Names []string
}

// reportPage is what the template shows. SVG is the only value that is not escaped: DrawSVG made
// it.
type reportPage struct {
	Title   string
	Notes   []string
	Table   reportTable
	Cites   []string
	SVG     template.HTML
	Runs    []reportRun
	Classes *ClassReport
	Matrix  [][]matrixCell
	Mixups  []string
}

type reportTable struct {
	Columns []reportCell
	Lines   [][]reportCell
}

type reportCell struct {
	Text   string
	Number bool
}

type reportRun struct {
	Name, Config string
	Environment  []Fact
	Table        reportTable
}

// matrixCell is a cell of the confusion matrix; Shade is 0 to 9 by its share of the label's images.
type matrixCell struct {
	N, Shade int
	Diagonal bool
}

// WriteHTML writes the page. Everything in it that came from a file or a user is escaped. Without
// any measured error it has no curves.
func (r Report) WriteHTML(w io.Writer) error {
	page := reportPage{Title: Printable(r.Title), Cites: r.Table.citations(), Classes: r.Classes}
	for _, n := range r.Notes {
		page.Notes = append(page.Notes, Printable(n))
	}
	if len(r.Table.Rows) > 0 {
		page.Table = newReportTable(r.Table.columns(Printable))
	}
	var svg bytes.Buffer
	switch err := DrawSVG(&svg, r.series(), DrawOptions{}); {
	case err == nil:
		page.SVG = template.HTML(inline(svg.Bytes())) //nolint:gosec // our own drawing, whose texts are escaped
	case !errors.Is(err, ErrNoCurve):
		return err
	}
	for i, run := range r.Runs {
		page.Runs = append(page.Runs, reportRun{r.name(i), run.Config, run.Environment, newReportTable(run.History.columns())})
	}
	if c := r.Classes; c != nil {
		if len(c.Classes) <= matrixClasses {
			page.Matrix = shades(*c)
		} else {
			for _, m := range c.Mixups(matrixClasses) {
				page.Mixups = append(page.Mixups, fmt.Sprintf("%s × %s taken for %s", grouped(int64(m.N)), c.title(m.Label), c.title(m.Predicted)))
			}
		}
	}
	return reportTemplate.Execute(w, page)
}

// WriteReport writes report.html, curves.svg and curves.png to a folder, each complete or not at
// all. Without any measured error it writes the page alone.
func WriteReport(dir string, r Report) error { return folder{atomicfile.OS, dir}.report(r) }

func (dir folder) report(r Report) error {
	err := dir.curves(r.series(), DrawOptions{Title: r.Title})
	if err != nil && !errors.Is(err, ErrNoCurve) {
		return err
	}
	return dir.write(ReportFile, r.WriteHTML)
}

func (r Report) name(i int) string {
	if i < len(r.Names) && r.Names[i] != "" {
		return Printable(r.Names[i])
	}
	return Printable(r.Runs[i].Name)
}

func (r Report) series() []Series {
	var list []Series
	for i, run := range r.Runs {
		list = append(list, run.History.Series(r.name(i)))
	}
	return list
}

// pageText is a file's text for the page, where a tab is no command.
func pageText(s string) string { return PrintableLines(strings.ReplaceAll(s, "\t", "    ")) }

// inline is an SVG document as a part of a page: without the XML declaration.
func inline(svg []byte) string {
	s := string(svg)
	return s[max(0, strings.Index(s, "<svg")):]
}

func newReportTable(cols []column) reportTable {
	var t reportTable
	for i, c := range cols {
		t.Columns = append(t.Columns, reportCell{c.title, c.number})
		for j, text := range c.cells {
			if i == 0 {
				t.Lines = append(t.Lines, nil)
			}
			t.Lines[j] = append(t.Lines[j], reportCell{text, c.number})
		}
	}
	return t
}

// historyColumns are those of metrics.csv after the step, with their titles for people.
var historyColumns = []struct {
	name, title string
	digits      int // after the point, for people; -1 as many as it takes
}{
	{"epoch", "epoch", 1}, {"rate", "rate", -1}, {"train_loss", "training loss", 4}, {"train_error", "training error %", 2},
	{"val_loss", "validation loss", 4}, {"val_error", "validation error %", 2}, {"val_top5", "validation top-5 %", 2},
	{"test_loss", "test loss", 4}, {"test_error", "test error %", 2}, {"test_top5", "test top-5 %", 2},
	{"train_eval_loss", "training set loss", 4}, {"train_eval_error", "training set error %", 2},
}

// columns is the history as a table, without the columns that were never measured.
func (h History) columns() []column {
	cols := []column{{title: "iteration", number: true}}
	for i := range h {
		cols[0].cells = append(cols[0].cells, grouped(int64(h[i].Step)))
	}
	for _, c := range historyColumns {
		col := column{title: c.title, number: true}
		measured := false
		for i := range h {
			text := ""
			if v := *h[i].cell(c.name); v != nil {
				measured = true
				format := byte('f')
				if c.digits < 0 {
					format = 'g'
				}
				text = strconv.FormatFloat(*v, format, c.digits, 64)
			}
			col.cells = append(col.cells, text)
		}
		if measured {
			cols = append(cols, col)
		}
	}
	return cols
}

// shades prepares the confusion matrix. What is rare but wrong should be seen: any count above 0
// has a shade.
func shades(c ClassReport) [][]matrixCell {
	var rows [][]matrixCell
	for label, counts := range c.Confusion {
		var row []matrixCell
		for p, n := range counts {
			cell := matrixCell{N: n, Diagonal: p == label}
			if n > 0 {
				cell.Shade = min(9, 1+9*n/c.Classes[label].N)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return rows
}
