package report

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/eval"
	"resnet/internal/text"
)

// ReportFile is the file that WriteReport writes beside the curves.
const ReportFile = "report.html"

// A Report is a page about one run or a comparison of several, complete in itself: it loads nothing
// from anywhere.
type Report struct {
	Title   string
	Notes   []string   // paragraphs below the title
	Table   eval.Table // may be empty
	Runs    []Run
	Blocks  []Drawing
	Classes *eval.ClassReport // may be nil
}

// reportPage is what the template shows. SVG, which DrawSVG made, and those of Blocks are the only
// values that are not escaped.
type reportPage struct {
	Title   string
	Notes   []string
	Table   reportTable
	Cites   []string
	SVG     template.HTML
	Blocks  []pageDrawing
	Runs    []reportRun
	Classes *eval.ClassReport
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
	page := reportPage{Title: text.Printable(r.Title), Cites: r.Table.Citations(), Blocks: pageDrawings(r.Blocks), Classes: r.Classes}
	for _, n := range r.Notes {
		page.Notes = append(page.Notes, text.Printable(n))
	}
	if len(r.Table.Rows) > 0 {
		page.Table = newReportTable(r.Table.Columns(text.Printable))
	}
	var svg bytes.Buffer
	switch err := DrawSVG(&svg, r.series(), DrawOptions{}); {
	case err == nil:
		page.SVG = template.HTML(inline(svg.Bytes())) //nolint:gosec // DrawSVG escapes texts
	case !errors.Is(err, ErrNoCurve):
		return err
	}
	for _, run := range r.Runs {
		page.Runs = append(page.Runs, reportRun{text.Printable(run.Name), run.Config, run.Environment, newReportTable(run.History.Columns())})
	}
	if c := r.Classes; c != nil {
		if len(c.Classes) <= eval.MatrixClasses {
			page.Matrix = shades(*c)
		} else {
			for _, m := range c.Mixups(eval.MatrixClasses) {
				page.Mixups = append(page.Mixups, fmt.Sprintf("%s × %s taken for %s", text.Grouped(int64(m.N)), c.Title(m.Label), c.Title(m.Predicted)))
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

func (r Report) series() []Series {
	var list []Series
	for _, run := range r.Runs {
		list = append(list, run.Series())
	}
	return list
}

// pageText is a file's text for the page, where a tab is no command.
func pageText(s string) string { return text.PrintableLines(strings.ReplaceAll(s, "\t", "    ")) }

// inline is an SVG document as a part of a page: without the XML declaration.
func inline(svg []byte) string {
	s := string(svg)
	return s[max(0, strings.Index(s, "<svg")):]
}

func newReportTable(cols []eval.Column) reportTable {
	var t reportTable
	for i, c := range cols {
		t.Columns = append(t.Columns, reportCell{c.Title, c.Number})
		for j, text := range c.Cells {
			if i == 0 {
				t.Lines = append(t.Lines, nil)
			}
			t.Lines[j] = append(t.Lines[j], reportCell{text, c.Number})
		}
	}
	return t
}

// shades prepares the confusion matrix. What is rare but wrong should be seen: any count above 0
// has a shade.
func shades(c eval.ClassReport) [][]matrixCell {
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
