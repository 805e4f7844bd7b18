package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/system"
	"resnet/internal/train/checkpoint"
)

// table is a checkpoint.CSV that can do without its file for a while: rows that could not be
// written stay pending and go out before the next one.
type table struct {
	path    string // "" writes nothing
	header  []string
	step    int // rows after it are removed when the file is opened
	csv     *checkpoint.CSV
	pending [][]string
	warned  bool
}

func newTable(dir, file, header string) *table {
	t := &table{header: strings.Split(header, ",")}
	if dir != "" {
		t.path = filepath.Join(dir, file)
	}
	return t
}

// cut keeps the rows up to a step and opens the table.
func (t *table) cut(step int) error {
	t.pending, t.step = nil, step
	t.close()
	return t.flush()
}

// append adds a row and writes everything pending.
func (t *table) append(row []string) error {
	if t.path == "" {
		return nil
	}
	t.pending = append(t.pending, row)
	return t.flush()
}

func (t *table) flush() (err error) {
	if t.path == "" {
		return nil
	}
	if t.csv == nil {
		if t.csv, err = checkpoint.OpenCSV(atomicfile.OS, t.path, t.header, int64(t.step)); err != nil {
			t.csv = nil
			return err
		}
	}
	for len(t.pending) > 0 {
		if err := t.csv.Append(t.pending[0]); err != nil {
			return err
		}
		t.step, _ = strconv.Atoi(t.pending[0][0]) // a file that is opened again keeps this row
		t.pending = t.pending[1:]
	}
	return nil
}

// close closes the file; rows are durable already, so an error has nothing to tell.
func (t *table) close() {
	if t.csv != nil {
		_ = t.csv.Close()
		t.csv = nil
	}
}

// lastField returns field i of the last line, or 0 when it is no number.
func (t *table) lastField(i int) float64 {
	b, err := os.ReadFile(t.path)
	if err != nil {
		return 0
	}
	text := strings.TrimSpace(string(b))
	fields := strings.Split(text[strings.LastIndexByte(text, '\n')+1:], ",")
	if i >= len(fields) {
		return 0
	}
	x, _ := strconv.ParseFloat(fields[i], 64)
	return x
}

// openTables opens metrics.csv, timing.csv and the events, and cuts off what is newer than the
// state. A file that cannot be written costs one warning, not the training.
func (l *loop) openTables() {
	header := metricsHeader
	if l.o.Plan.EvalTrainSet {
		header += trainSetHeader
	}
	if l.o.Plan.UtteranceErrors {
		header += utteranceHeader
	}
	l.metrics = newTable(l.o.Dir, MetricsFile, header)
	l.timing = newTable(l.o.Dir, TimingFile, timingHeader)
	l.cutTables()
	l.before = l.timing.lastField(1)
}

func (l *loop) cutTables() {
	for _, t := range []*table{l.metrics, l.timing} {
		l.written(t, t.cut(l.st.Evaluated))
	}
	l.openEvents()
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
	l.written(l.timing, l.timing.append([]string{
		strconv.Itoa(r.Step),
		strconv.FormatFloat(l.before+l.meter.elapsed().Seconds(), 'f', 3, 64),
		strconv.FormatFloat(l.meter.rate(l.o.Plan.ImagesPerStep()), 'f', 1, 64),
		fmt.Sprint(system.PeakRSS()),
	}))
	l.rowEvents(r)
}
