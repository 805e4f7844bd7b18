package eval

import (
	"fmt"
	"io"
	"path/filepath"
)

// TableFile is the file that WriteOutcomes writes.
const TableFile = "table.md"

// WriteOutcomes writes table.md to a folder, complete or not at all: the networks of a comparison as a Markdown table, a sentence for each
// finding below it.
func WriteOutcomes(dir string, outcomes []Outcome, findings []string) error {
	return writeFileAtomic(filepath.Join(dir, TableFile), func(w io.Writer) error { return writeOutcomes(w, outcomes, findings) })
}

func writeOutcomes(w io.Writer, outcomes []Outcome, findings []string) error {
	p := &printer{w: w}
	p.f("| network | layers | parameters | runs | training error %% | test error %% | best |\n|---|---|---|---|---|---|---|\n")
	for _, o := range outcomes {
		train, test, best := "", "", ""
		if o.Runs > 0 {
			train, test, best = spread2(o.Train, o.TrainStd, o.Runs), spread2(o.Test, o.TestStd, o.Runs), fmt.Sprintf("%.2f", o.TestBest)
		}
		p.f("| %s | %d | %s | %d | %s | %s | %s |\n", markdownText(o.Model), o.Depth, grouped(o.Params), o.Runs, train, test, best)
	}
	for _, s := range findings {
		p.f("\n%s\n", markdownText(s))
	}
	return p.err
}

// spread2 is a mean, with the standard deviation where there are several runs.
func spread2(mean, std float64, runs int) string {
	if runs < 2 {
		return fmt.Sprintf("%.2f", mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", mean, std)
}

// printer keeps the first error of several writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}
