package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"

	"resnet/internal/text"
)

// The parts of the pages. The script and the style are ours, so that they go into the page as they
// are; everything else is escaped.
var (
	//go:embed page/report.html.tmpl
	reportText string
	//go:embed page/comparison.html.tmpl
	comparisonText string
	//go:embed page/parts.html.tmpl
	partsText string
	//go:embed page/page.css
	pageStyle string
	//go:embed page/page.js
	pageScript string
)

var pageFuncs = template.FuncMap{
	"printable": text.Printable, "text": pageText,
	"style":  func() template.CSS { return template.CSS(pageStyle) },
	"script": func() template.JS { return template.JS(pageScript) },
	// scriptHash lets the page's own script run, and no other (Content Security Policy).
	"scriptHash": func() template.HTMLAttr {
		sum := sha256.Sum256([]byte(pageScript))
		return template.HTMLAttr(base64.StdEncoding.EncodeToString(sum[:]))
	},
}

var (
	reportTemplate     = template.Must(template.New("report").Funcs(pageFuncs).Parse(reportText + partsText))
	comparisonTemplate = template.Must(template.New("comparison").Funcs(pageFuncs).Parse(comparisonText + partsText))
)

// comparisonPage is what the template shows.
type comparisonPage struct {
	Title, Command  string
	Claims          []pageClaim
	Findings, Notes []string // besides the claims
	Table           reportTable
	Figures         []pageFigure
	Blocks          []pageDrawing
	Data            []Figure // for the script
	Runs            []reportRun
}

// pageClaim is a claim of the paper and what was found.
type pageClaim struct{ Headline, Figures string }

// pageFigure is a figure as it is without the script. Its SVG, which DrawFigureSVG made, and that
// of a Drawing are the only values that are not escaped.
type pageFigure struct {
	Figure Figure
	SVG    template.HTML
}

// writeHTML writes the page of a comparison: complete in itself, it loads nothing from anywhere.
// Everything in it that came from a file or a user is escaped.
func (c Comparison) writeHTML(w io.Writer, figures []Figure) error {
	page := comparisonPage{Title: text.Printable(c.Title), Command: text.Printable(c.Command), Table: newReportTable(c.tableColumns(text.Printable)), Data: figures}
	said := map[string]bool{}
	for _, claim := range c.Claims {
		said[claim.Sentence()] = true
		page.Claims = append(page.Claims, pageClaim{text.Printable(claim.Headline()), text.Printable(claim.Figures())})
	}
	for _, s := range c.Findings {
		if !said[s] {
			page.Findings = append(page.Findings, text.Printable(s))
		}
	}
	for _, s := range c.Notes {
		page.Notes = append(page.Notes, text.Printable(s))
	}
	for _, f := range figures {
		p, err := newPageFigure(f)
		if err != nil {
			return err
		}
		page.Figures = append(page.Figures, p)
	}
	nets := make([]Net, len(c.Runs))
	for i, r := range c.Runs {
		nets[i] = r.Net
	}
	page.Blocks = pageDrawings(Drawings(nets))
	for _, r := range c.Runs {
		page.Runs = append(page.Runs, reportRun{text.Printable(r.Name), r.Config, r.Environment, newReportTable(r.History.Columns())})
	}
	return comparisonTemplate.Execute(w, page)
}
