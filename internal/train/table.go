package train

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/input"
	"resnet/internal/system"
	"resnet/internal/train/checkpoint"
)

// table is a checkpoint.CSV that can do without its file for a while: rows that could not be
// written go out before the next one, and again when the run ends. It keeps the rows of its run, so
// that a file that was removed or replaced meanwhile gets them anew.
type table struct {
	path    string // "" writes nothing
	header  []string
	step    int // rows after it that the file has before it is opened are not this run's
	rows    [][]string
	written int // so many of rows are in the file
	csv     *checkpoint.CSV
	file    os.FileInfo // of the open file
	err     error       // why rows are not written, or nil
	warned  bool
}

func newTable(dir, file, header string) *table {
	t := &table{header: strings.Split(header, ",")}
	if dir != "" {
		t.path = filepath.Join(dir, file)
	}
	return t
}

// cut keeps the rows up to a step, opens the table, and adds the rows that are not in it.
func (t *table) cut(step int, rows [][]string) error {
	t.step, t.rows, t.written = step, slices.Clone(rows), 0
	t.close()
	return t.flush()
}

// append adds a row and writes everything that is pending.
func (t *table) append(row []string) error {
	if t.path == "" {
		return nil
	}
	t.rows = append(t.rows, row)
	return t.flush()
}

// pending are the rows that are not in the file.
func (t *table) pending() [][]string { return t.rows[t.written:] }

func (t *table) flush() (err error) {
	if t.path == "" {
		return nil
	}
	defer func() { t.err = err }()
	if t.csv != nil && !t.inPlace() {
		t.close()
	}
	if t.csv == nil {
		if err := t.open(); err != nil {
			return err
		}
	}
	for _, row := range t.pending() {
		if err := t.csv.Append(row); err != nil {
			return err
		}
		t.written++
	}
	return nil
}

// open opens the file and finds out which rows it has. What is after the rows that were written was
// written by a run that came further and was killed.
func (t *table) open() (err error) {
	step := t.step
	if t.written > 0 {
		step = stepOf(t.rows[t.written-1])
	}
	if err := regular(t.path); err != nil {
		return err
	}
	if t.csv, err = checkpoint.OpenCSV(atomicfile.OS, t.path, t.header, int64(step)); err != nil {
		t.csv = nil
		return err
	}
	if t.file, err = os.Stat(t.path); err != nil {
		t.close()
		return atomicfile.Error(err)
	}
	last := int(t.lastField(0))
	t.written = 0
	for t.written < len(t.rows) && stepOf(t.rows[t.written]) <= last {
		t.written++
	}
	return nil
}

// regular refuses to write rows to what is no file: a device swallows them, a pipe waits for its
// reader.
func regular(path string) error {
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		return atomicfile.Error(fmt.Errorf("%s: not a regular file", path))
	}
	return nil
}

// inPlace reports whether the open file is the one under its name still, as it was left.
func (t *table) inPlace() bool {
	now, err := os.Stat(t.path)
	return err == nil && os.SameFile(now, t.file) && now.Size() == t.csv.Size()
}

// stepOf is the step of a row.
func stepOf(row []string) int {
	step, _ := strconv.Atoi(row[0]) // the row is ours
	return step
}

// close closes the file; rows are durable already, so an error has nothing to tell.
func (t *table) close() {
	if t.csv != nil {
		_ = t.csv.Close()
		t.csv = nil
	}
}

// maxTable is far above the size of a table, in bytes.
const maxTable = 1 << 28

// lastField returns field i of the last line, or 0 when it is no finite number.
func (t *table) lastField(i int) float64 {
	b, err := input.Read(t.path, maxTable)
	if err != nil {
		return 0
	}
	return lastField(string(b), i)
}

func lastField(text string, i int) float64 {
	text = strings.TrimSpace(text)
	fields := strings.Split(text[strings.LastIndexByte(text, '\n')+1:], ",")
	if i >= len(fields) {
		return 0
	}
	x, err := strconv.ParseFloat(fields[i], 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) { // which ParseFloat reads, too
		return 0
	}
	return x
}

// openTables opens metrics.csv, timing.csv and the events, and cuts off what is newer than the
// state. A file that cannot be written costs one warning, not the training.
func (l *loop) openTables() {
	l.metrics = l.newMetrics()
	l.timing = newTable(l.o.Dir, TimingFile, timingHeader)
	if b, err := input.Read(l.timing.path, maxTable); err == nil && strings.HasPrefix(string(b), formerTimingHeader+"\n") {
		l.timing.header = strings.Split(formerTimingHeader, ",")
	}
	l.cutTables()
	l.lacks()
	l.before = l.timing.lastField(1)
}

func (l *loop) newMetrics() *table {
	header := metricsHeader
	if l.o.Plan.EvalTrainSet {
		header += trainSetHeader
	}
	if l.o.Plan.UtteranceErrors {
		header += utteranceHeader
	}
	return newTable(l.o.Dir, MetricsFile, header)
}

func (l *loop) cutTables() {
	l.written(l.metrics, l.metrics.cut(l.st.Evaluated, l.st.Rows))
	timing := slices.DeleteFunc(slices.Clone(l.timing.pending()), func(row []string) bool { return stepOf(row) > l.st.Evaluated })
	l.written(l.timing, l.timing.cut(l.st.Evaluated, timing))
	l.openEvents()
}

// lacks warns where metrics.csv has no row of the checkpoint's last evaluation and nobody has it
// any more: the file was removed or cut, or is another run's.
func (l *loop) lacks() {
	t := l.metrics
	if t.csv != nil && l.st.Evaluated > 0 && int(t.lastField(0)) != l.st.Evaluated {
		l.warn("%s has no row of step %d, which was evaluated: rows are missing", t.path, l.st.Evaluated)
	}
}

// written warns once for each file.
func (l *loop) written(t *table, err error) {
	if err != nil && !t.warned {
		t.warned = true
		l.warn("%v: training goes on; missing rows are added when the file can be written again", err)
	}
}

// record adds the rows of an evaluation.
func (l *loop) record(r Row) {
	cells := r.Fields()
	if l.o.Plan.EvalTrainSet {
		cells = append(cells, r.TrainSetFields()...)
	}
	if l.o.Plan.UtteranceErrors {
		cells = append(cells, r.UtteranceFields()...)
	}
	l.written(l.metrics, l.metrics.append(cells))
	timing := []string{
		strconv.Itoa(r.Step),
		strconv.FormatFloat(l.before+l.meter.elapsed().Seconds(), 'f', 3, 64),
		strconv.FormatFloat(l.meter.rate(l.o.Plan.ImagesPerStep()), 'f', 1, 64),
		fmt.Sprint(system.PeakRSS()),
		strconv.FormatFloat(l.meter.waiting(), 'f', 1, 64),
	}
	l.written(l.timing, l.timing.append(timing[:len(l.timing.header)]))
	l.rowEvents(r)
}
