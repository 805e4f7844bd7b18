package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// ErrHistory marks a metrics.csv that does not parse.
var ErrHistory = errors.New("not a table of metrics")

// A Measurement is a row of metrics.csv. What was not measured is nil. Errors are percentages;
// those of training are means over the updates since the row before.
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

// cell is the place of a column's value in m, or nil for a column that is not known.
func (m *Measurement) cell(column string) **float64 {
	switch column {
	case "epoch":
		return &m.Epoch
	case "rate":
		return &m.Rate
	case "train_loss":
		return &m.TrainLoss
	case "train_error":
		return &m.TrainError
	case "val_loss":
		return &m.ValLoss
	case "val_error":
		return &m.ValError
	case "val_top5":
		return &m.ValTop5
	case "test_loss":
		return &m.TestLoss
	case "test_error":
		return &m.TestError
	case "test_top5":
		return &m.TestTop5
	case "train_eval_loss":
		return &m.TrainEvalLoss
	case "train_eval_error":
		return &m.TrainEvalError
	}
	return nil
}

// ReadHistory reads a metrics.csv. Columns are found by their titles; unknown ones are left out. A
// last line without its end is one that a running training has not finished writing, and is left
// out too. It fails with fs.ErrNotExist, or with ErrHistory naming file, line and column.
func ReadHistory(path string) (History, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseHistory(f, path)
}

// longestLine is far above a row's length, in bytes.
const longestLine = 1 << 16

func parseHistory(r io.Reader, name string) (History, error) {
	bad := func(line int, format string, args ...any) (History, error) {
		return nil, fmt.Errorf("%s:%d: %w: %s", name, line, ErrHistory, fmt.Sprintf(format, args...))
	}
	in := bufio.NewReaderSize(r, longestLine)
	var columns []string
	var h History
	for line := 1; ; line++ {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			return bad(line, "a line longer than %d bytes", longestLine)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fields := strings.Split(strings.TrimRight(string(text), "\r\n"), ",")
		if line == 1 {
			if columns = fields; columns[0] != "step" {
				return bad(line, "the first column is %q, want step", eval.Printable(columns[0]))
			}
			continue
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
		return m, fmt.Errorf("column step: %q", eval.Printable(fields[0]))
	}
	m.Step = step
	for i, text := range fields {
		place := m.cell(columns[i])
		if place == nil || text == "" {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return m, fmt.Errorf("column %s: %q is not a number", columns[i], eval.Printable(text))
		}
		*place = &v
	}
	return m, nil
}

// A Point of a curve: an error in percent after so many updates.
type Point struct {
	Step  int
	Error float64
}

// A Series is the curves of one run.
type Series struct {
	Name        string
	Train, Test []Point
	// Split says what Test was measured on, when it is not the test split.
	Split string
}

// Series makes the curves of a run: the training error, and the test error or, where that was not
// measured, the validation error. Values that are not finite are left out.
func (h History) Series(name string) Series {
	s := Series{Name: name}
	points := func(column string) []Point {
		var list []Point
		for i := range h {
			if v := *h[i].cell(column); v != nil && finite(*v) {
				list = append(list, Point{h[i].Step, *v})
			}
		}
		return list
	}
	s.Train = points("train_error")
	if s.Test = points("test_error"); s.Test == nil {
		if s.Test = points("val_error"); s.Test != nil {
			s.Split = "validation"
		}
	}
	return s
}

// trainImages is how many images the last training error is the mean over: those seen since the row
// before, and none twice. It is 0 where neither the epochs nor the images of an update are known.
func (h History) trainImages(n Net) int {
	i := len(h) - 1
	for ; i >= 0 && h[i].TrainError == nil; i-- {
	}
	if i < 0 {
		return 0
	}
	var before Measurement
	if i > 0 {
		before = h[i-1]
	}
	batch := n.Batch
	if datasets.IsSpeech(n.Dataset) { // batches by length hold as many as fit, Batch at most
		batch = 0
	}
	seen, set := float64(batch*(h[i].Step-before.Step)), float64(n.TrainImages)
	if h[i].Epoch != nil && *h[i].Epoch > 0 {
		epochs := *h[i].Epoch
		if set == 0 {
			set = float64(batch*h[i].Step) / epochs
		}
		if before.Epoch != nil {
			epochs -= *before.Epoch
		}
		seen = set * min(1, epochs)
	}
	return int(math.Round(seen))
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// last is the error at the end of a curve.
func last(points []Point) (float64, bool) {
	if len(points) == 0 {
		return 0, false
	}
	return points[len(points)-1].Error, true
}
