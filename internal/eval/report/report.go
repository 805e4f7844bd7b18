package report

import (
	"bytes"
	"errors"
	"html/template"
	"io"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/eval"
	"resnet/internal/text"
)

// ReportFile is the file that WriteReport writes beside the curves.
const ReportFile = "report.html"

// A Report is a page about one run or a few, complete in itself: it loads nothing from anywhere.
type Report struct {
	Title  string
	Notes  []string   // paragraphs below the title
	Table  eval.Table // may be empty
	Facts  []Fact     // of the training, in order
	Runs   []Run
	Blocks []Drawing
	// Preset is the name of the preset that the configuration is held against, and Changes what
	// differs from it; "" where it is held against none.
	Preset  string
	Changes []Change
	// Diagnosis is what the network gets wrong. Where it is nil, NoDiagnosis may say why.
	Diagnosis   *Diagnosis
	NoDiagnosis string
	// Live is a page that a training's server shows: it grows by the events of the server.
	Live bool
}

// A Change is a key of the configuration that a preset has another value for.
type Change struct{ Key, Preset, Here string }

// reportPage is what the template shows. SVG of the figures, which DrawFigureSVG made, and those of
// Blocks are the only values that are not escaped.
type reportPage struct {
	Report
	Notes       []string
	Table       reportTable
	Cites       []string
	Figures     []pageFigure
	Data        []Figure // for the script
	Blocks      []pageDrawing
	Runs        []reportRun
	Diagnosis   *diagnosisPage
	NoDiagnosis string
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

// WriteHTML writes the page. Everything in it that came from a file or a user is escaped. Without
// any measured error it has no curves.
func (r Report) WriteHTML(w io.Writer) error {
	page := reportPage{
		Report: r, Cites: r.Table.Citations(), Blocks: pageDrawings(r.Blocks), NoDiagnosis: text.Printable(r.NoDiagnosis), Data: r.Figures(),
	}
	page.Title, page.Preset = text.Printable(r.Title), text.Printable(r.Preset)
	for _, n := range r.Notes {
		page.Notes = append(page.Notes, text.Printable(n))
	}
	if len(r.Table.Rows) > 0 {
		page.Table = newReportTable(r.Table.Columns(text.Printable))
	}
	for _, f := range page.Data {
		p, err := newPageFigure(f)
		if err != nil {
			return err
		}
		page.Figures = append(page.Figures, p)
	}
	for _, run := range r.Runs {
		page.Runs = append(page.Runs, reportRun{text.Printable(run.Name), run.Config, run.Environment, newReportTable(run.History.Columns())})
	}
	if r.Diagnosis != nil {
		d, err := newDiagnosisPage(r.Diagnosis)
		if err != nil {
			return err
		}
		page.Diagnosis = d
		page.Data = append(page.Data, d.Curve.Figure)
	}
	return reportTemplate.Execute(w, page)
}

// newPageFigure draws a figure; one without lines, of a live page, has no picture yet.
func newPageFigure(f Figure) (pageFigure, error) {
	if f.empty() {
		return pageFigure{Figure: f}, nil
	}
	var svg bytes.Buffer
	err := DrawFigureSVG(&svg, f, DrawOptions{})
	return pageFigure{f, template.HTML(inline(svg.Bytes()))}, err //nolint:gosec // DrawFigureSVG escapes texts
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
