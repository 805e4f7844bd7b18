package eval

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// A Column is one of a table of text; numbers are aligned to the right.
type Column struct {
	Title  string
	Number bool
	Cells  []string
}

// WithoutEmpty leaves out the columns that are empty on every line.
func WithoutEmpty(cols []Column) []Column {
	return slices.DeleteFunc(cols, func(c Column) bool {
		return len(c.Cells) > 0 && !slices.ContainsFunc(c.Cells, func(s string) bool { return s != "-" && s != "" })
	})
}

// WriteColumns lays a table out for a terminal. Cells are escaped already: see text.Printable.
func WriteColumns(w io.Writer, cols []Column) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for line := -1; len(cols) > 0 && line < len(cols[0].Cells); line++ {
		for i, c := range cols {
			s := c.Title
			if line >= 0 {
				s = c.Cells[line]
			}
			if c.Number {
				width := utf8.RuneCountInString(c.Title)
				for _, cell := range c.Cells {
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

// WriteMarkdown lays a table out as Markdown. Cells are escaped already: see text.MarkdownCell.
func WriteMarkdown(w io.Writer, cols []Column) error {
	var b strings.Builder
	for _, c := range cols {
		b.WriteString("| " + c.Title + " ")
	}
	b.WriteString("|\n")
	for _, c := range cols {
		if c.Number {
			b.WriteString("|---:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	for line := 0; len(cols) > 0 && line < len(cols[0].Cells); line++ {
		for _, c := range cols {
			b.WriteString("| " + c.Cells[line] + " ")
		}
		b.WriteString("|\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ErrorText is a percentage with two decimals, as in the paper, or "-".
func ErrorText(p *float64) string {
	if p == nil {
		return "-"
	}
	return strconv.FormatFloat(*p, 'f', 2, 64)
}
