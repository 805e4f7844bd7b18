package eval

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
)

// TableFile is the file that WriteOutcomes writes.
const TableFile = "table.md"

// WriteOutcomes writes table.md to a folder, complete or not at all: the networks of a comparison as a Markdown table, a sentence for each
// finding below it.
func WriteOutcomes(dir string, outcomes []Outcome, findings []string) error {
	return writeFileAtomic(filepath.Join(dir, TableFile), func(w io.Writer) error { return writeOutcomes(w, outcomes, findings) })
}

func writeOutcomes(w io.Writer, outcomes []Outcome, findings []string) error {
	cols := []column{{title: "network"}, {title: "layers", number: true}, {title: "parameters", number: true}, {title: "runs", number: true},
		{title: "training error %", number: true}, {title: "test error %", number: true}, {title: "best", number: true}}
	for _, o := range outcomes {
		cells := []string{markdownText(o.Model), strconv.Itoa(o.Depth), grouped(o.Params), strconv.Itoa(o.Runs), "", "", ""}
		if o.Runs > 0 {
			cells[4], cells[5], cells[6] = o.TrainSpread().String(), o.TestSpread().String(), errorText(&o.TestBest)
		}
		for i, cell := range cells {
			cols[i].cells = append(cols[i].cells, cell)
		}
	}
	if err := writeMarkdown(w, cols); err != nil {
		return err
	}
	for _, s := range findings {
		if _, err := fmt.Fprintf(w, "\n%s\n", markdownText(s)); err != nil {
			return err
		}
	}
	return nil
}
