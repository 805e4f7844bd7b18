package eval

import (
	"encoding/csv"
	"io"
	"path/filepath"
	"strconv"
)

// PointsFile is the file that WritePoints writes: every measurement of every run of a comparison. It holds nothing that depends on the
// machine or the hour, so that an interrupted and repeated comparison leaves the same bytes.
const PointsFile = "points.csv"

// WritePoints writes points.csv to a folder, complete or not at all: a row for each measurement, runs in the order given. What was
// not measured is empty. A name that a spreadsheet would take for a formula is written with an apostrophe before it.
func WritePoints(dir string, runs []Run) error {
	return writeFileAtomic(filepath.Join(dir, PointsFile), func(w io.Writer) error { return writePoints(w, runs) })
}

func writePoints(w io.Writer, runs []Run) error {
	c := csv.NewWriter(w)
	header := []string{"run", "step"}
	for _, column := range historyColumns {
		header = append(header, column.name)
	}
	if err := c.Write(header); err != nil {
		return err
	}
	for _, r := range runs {
		name := csvText(r.Name)
		for i := range r.History {
			m := &r.History[i]
			row := []string{name, strconv.Itoa(m.Step)}
			for _, column := range historyColumns {
				text := ""
				if v := *m.cell(column.name); v != nil {
					text = strconv.FormatFloat(*v, 'g', -1, 64)
				}
				row = append(row, text)
			}
			if err := c.Write(row); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}
