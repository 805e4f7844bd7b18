package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/eval"
	"resnet/internal/input"
	"resnet/internal/text"
)

// ErrHistory marks a metrics.csv that does not parse.
var ErrHistory = errors.New("not a table of metrics")

// A Measurement is a row of metrics.csv. What was not measured is nil. Errors are percentages;
// those of training are means over the updates since the previous row.
type Measurement struct {
	Step                          int
	Epoch, Rate                   *float64
	TrainLoss, TrainError         *float64
	ValLoss, ValError, ValTop5    *float64
	TestLoss, TestError, TestTop5 *float64
	// TrainEvalLoss and TrainEvalError are of the whole training set in evaluation mode
	// (eval.train_set).
	TrainEvalLoss, TrainEvalError *float64
}

// A History is a run's metrics.csv, by rising step.
type History []Measurement

// historyColumns are those of metrics.csv after the step, in the order in which they are shown.
var historyColumns = []struct {
	name, title string
	digits      int // after the point, for people; -1 as many as it takes
	cell        func(m *Measurement) **float64
}{
	{"epoch", "epoch", 1, func(m *Measurement) **float64 { return &m.Epoch }},
	{"rate", "rate", -1, func(m *Measurement) **float64 { return &m.Rate }},
	{"train_loss", "training loss", 4, func(m *Measurement) **float64 { return &m.TrainLoss }},
	{"train_error", "training error %", 2, func(m *Measurement) **float64 { return &m.TrainError }},
	{"val_loss", "validation loss", 4, func(m *Measurement) **float64 { return &m.ValLoss }},
	{"val_error", "validation error %", 2, func(m *Measurement) **float64 { return &m.ValError }},
	{"val_top5", "validation top-5 %", 2, func(m *Measurement) **float64 { return &m.ValTop5 }},
	{"test_loss", "test loss", 4, func(m *Measurement) **float64 { return &m.TestLoss }},
	{"test_error", "test error %", 2, func(m *Measurement) **float64 { return &m.TestError }},
	{"test_top5", "test top-5 %", 2, func(m *Measurement) **float64 { return &m.TestTop5 }},
	{"train_eval_loss", "training set loss", 4, func(m *Measurement) **float64 { return &m.TrainEvalLoss }},
	{"train_eval_error", "training set error %", 2, func(m *Measurement) **float64 { return &m.TrainEvalError }},
}

// cell is the place of a column's value in m, or nil for a column that is not known.
func (m *Measurement) cell(column string) **float64 {
	for _, c := range historyColumns {
		if c.name == column {
			return c.cell(m)
		}
	}
	return nil
}

// Value is what was measured under a title of metrics.csv, or nil.
func (m *Measurement) Value(column string) *float64 {
	if c := m.cell(column); c != nil {
		return *c
	}
	return nil
}

// Columns is the history as a table, without the columns that were never measured.
func (h History) Columns() []eval.Column {
	cols := []eval.Column{{Title: "iteration", Number: true}}
	for i := range h {
		cols[0].Cells = append(cols[0].Cells, text.Grouped(int64(h[i].Step)))
	}
	for _, c := range historyColumns {
		if !h.has(c.name) {
			continue
		}
		col := eval.Column{Title: c.title, Number: true}
		for i := range h {
			text := ""
			if v := *c.cell(&h[i]); v != nil {
				format := byte('f')
				if c.digits < 0 {
					format = 'g'
				}
				text = strconv.FormatFloat(*v, format, c.digits, 64)
			}
			col.Cells = append(col.Cells, text)
		}
		cols = append(cols, col)
	}
	return cols
}

// has reports whether a column was ever measured.
func (h History) has(column string) bool {
	return slices.ContainsFunc(h, func(m Measurement) bool { return *m.cell(column) != nil })
}

// points are the steps and values of a column, without those that are not finite; nil where there
// are none.
func (h History) points(column string) [][2]float64 {
	var points [][2]float64
	for i := range h {
		if v := *h[i].cell(column); v != nil && finite(*v) {
			points = append(points, [2]float64{float64(h[i].Step), *v})
		}
	}
	return points
}

// ReadHistory reads a metrics.csv. Columns are found by their titles; unknown ones are left out. A
// last line without its end is one that a running training has not finished writing, and is left
// out too. It fails with fs.ErrNotExist, or with ErrHistory naming file, line and column.
func ReadHistory(path string) (History, error) {
	f, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseHistory(f, path)
}

// longestLine is far above a row's length, in bytes.
const longestLine = 1 << 16

// maxRows is far above the number of measurements of a training; curves take a kilobyte for each.
const maxRows = 100_000

func parseHistory(r io.Reader, name string) (History, error) {
	bad := func(line int, format string, args ...any) (History, error) {
		return nil, fmt.Errorf("%s:%d: %w: %s", name, line, ErrHistory, fmt.Sprintf(format, args...))
	}
	in := bufio.NewReaderSize(r, longestLine)
	var columns []string
	var h History
	for line := 1; ; line++ {
		row, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			return bad(line, "a line longer than %d bytes", longestLine)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fields := strings.Split(strings.TrimRight(string(row), "\r\n"), ",")
		if line == 1 {
			if columns = fields; columns[0] != "step" {
				return bad(line, "the first column is %q, want step", text.Printable(columns[0]))
			}
			continue
		}
		if line > maxRows+1 {
			return bad(line, "more than %d measurements", maxRows)
		}
		m, err := parseMeasurement(columns, fields)
		if err != nil {
			return bad(line, "%v", err)
		}
		if n := len(h); n > 0 && m.Step <= h[n-1].Step {
			return bad(line, "step %d after step %d", m.Step, h[n-1].Step)
		}
		h = append(h, m)
	}
	if columns == nil {
		return bad(1, "no header")
	}
	return h, nil
}

func parseMeasurement(columns, fields []string) (Measurement, error) {
	var m Measurement
	if len(fields) != len(columns) {
		return m, fmt.Errorf("%d fields, want %d", len(fields), len(columns))
	}
	step, err := strconv.Atoi(fields[0])
	if err != nil || step < 0 {
		return m, fmt.Errorf("column step: %q", text.Printable(fields[0]))
	}
	m.Step = step
	for i, field := range fields {
		place := m.cell(columns[i])
		if place == nil || field == "" {
			continue
		}
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return m, fmt.Errorf("column %s: %q is not a number", columns[i], text.Printable(field))
		}
		*place = &v
	}
	return m, nil
}
