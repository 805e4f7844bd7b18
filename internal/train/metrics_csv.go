package train

import (
	"path/filepath"
	"strconv"
)

// The files that Run appends to in Options.Dir.
const (
	MetricsFile = "metrics.csv"
	TimingFile  = "timing.csv"
)

const (
	metricsHeader = "step,epoch,rate,train_loss,train_error,val_loss,val_error,val_top5,test_loss,test_error,test_top5"
	timingHeader  = "step,seconds,images_per_second,peak_rss_bytes"
)

// Row is one evaluation: a line of metrics.csv. Errors are percentages.
type Row struct {
	Step  int
	Epoch float64
	Rate  float64  // of the last update
	Train *Metrics // mean over the updates since the last evaluation, while they changed the model; nil when there were none
	Val   *Metrics // nil without a validation split
	Test  *Metrics // nil when the test split is not evaluated
}

// CSV is the row's line without its end. Nothing in it depends on time or machine: losses have nine significant digits,
// errors four decimals, and the rate is the float32 that was applied. A split that is not there leaves its cells empty.
func (r Row) CSV() string {
	b := strconv.AppendInt(nil, int64(r.Step), 10)
	b = strconv.AppendFloat(append(b, ','), r.Epoch, 'f', 4, 64)
	b = strconv.AppendFloat(append(b, ','), float64(float32(r.Rate)), 'g', -1, 32)
	b = appendMetrics(b, r.Train, false)
	b = appendMetrics(b, r.Val, true)
	b = appendMetrics(b, r.Test, true)
	return string(b)
}

func appendMetrics(b []byte, m *Metrics, top5 bool) []byte {
	if m == nil {
		m := ",,"
		if top5 {
			m = ",,,"
		}
		return append(b, m...)
	}
	b = strconv.AppendFloat(append(b, ','), m.Loss, 'g', 9, 64)
	b = strconv.AppendFloat(append(b, ','), m.Error, 'f', 4, 64)
	if top5 {
		b = strconv.AppendFloat(append(b, ','), m.Top5Error, 'f', 4, 64)
	}
	return b
}

func timingCSV(step int, seconds, rate float64, rss int64) string {
	b := strconv.AppendInt(nil, int64(step), 10)
	b = strconv.AppendFloat(append(b, ','), seconds, 'f', 3, 64)
	b = strconv.AppendFloat(append(b, ','), rate, 'f', 1, 64)
	b = strconv.AppendInt(append(b, ','), rss, 10)
	return string(b)
}

// openLogs opens both files and cuts off what is newer than the state: rows of later steps, and of this very step when it
// counts as not evaluated. A file that cannot be written costs one warning, not the training.
func (l *loop) openLogs() {
	l.metrics, l.timing = &csvLog{}, &csvLog{}
	if l.o.Dir == "" {
		return
	}
	l.metrics = &csvLog{path: filepath.Join(l.o.Dir, MetricsFile), header: metricsHeader}
	l.timing = &csvLog{path: filepath.Join(l.o.Dir, TimingFile), header: timingHeader}
	l.cutLogs()
}

func (l *loop) cutLogs() {
	for _, log := range []*csvLog{l.metrics, l.timing} {
		l.logged(log, log.cut(l.st.Evaluated))
	}
}

// logged warns once for each file.
func (l *loop) logged(log *csvLog, err error) {
	if err != nil && !log.warned {
		log.warned = true
		l.warn("%v: training goes on; rows that are missing are written when the file can be written again", err)
	}
}
