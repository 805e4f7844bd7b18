package train

import (
	"path/filepath"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/train/checkpoint"
	"resnet/internal/train/tensorboard"
)

// eventUpdates is the number of updates between two events of the tags batch/...
const eventUpdates = 50

// perBatch begins the tags of single updates; the others are of evaluations.
const perBatch = "batch/"

// events is the run's event file for TensorBoard. Like the tables it can do without its file: a
// failure is one warning.
type events struct {
	log    *tensorboard.Log // nil when it is off or could not be opened
	warned bool
}

// openEvents opens the event file where train.tensorboard asks for it, and drops what is newer than
// the state.
func (l *loop) openEvents() {
	l.events.close()
	if l.o.Dir == "" || !l.o.Plan.Config.TensorBoard {
		return
	}
	keep := func(step int64, tag string) bool {
		if strings.HasPrefix(tag, perBatch) {
			return step <= int64(l.st.Step)
		}
		return step <= int64(l.st.Evaluated)
	}
	log, err := tensorboard.Open(atomicfile.OS, filepath.Join(l.o.Dir, tensorboard.File), checkpoint.Kind, keep, l.meter.now)
	l.events.log = log
	l.eventsWritten(err)
}

func (e *events) close() {
	if e.log != nil {
		_ = e.log.Close() // what was added is in the file; there is nothing to tell
		e.log = nil
	}
}

// eventsWritten warns once.
func (l *loop) eventsWritten(err error) {
	if err != nil && !l.events.warned {
		l.events.warned = true
		l.warn("%v: training goes on without these events", err)
	}
}

// updateEvents adds the last update's figures, now and then.
func (l *loop) updateEvents() {
	if l.events.log == nil || l.st.Step%eventUpdates != 0 {
		return
	}
	m := l.last.metrics()
	if m == nil {
		return
	}
	l.eventsWritten(l.events.log.Add(int64(l.st.Step),
		tensorboard.Scalar{Tag: perBatch + "loss", Value: m.Loss}, tensorboard.Scalar{Tag: perBatch + "error", Value: m.Error},
		tensorboard.Scalar{Tag: perBatch + "rate", Value: l.st.Rate},
		tensorboard.Scalar{Tag: perBatch + "images_per_second", Value: l.meter.rate(l.o.Plan.ImagesPerStep())}))
}

// rowEvents adds what an evaluation measured: the figures of metrics.csv.
func (l *loop) rowEvents(r Row) {
	if l.events.log == nil {
		return
	}
	s := []tensorboard.Scalar{{Tag: "epoch", Value: r.Epoch}, {Tag: "rate", Value: r.Rate}}
	for _, split := range []struct {
		name string
		m    *Metrics
	}{{"train", r.Train}, {"validation", r.Val}, {"test", r.Test}, {"training_set", r.TrainEval}} {
		if split.m == nil {
			continue
		}
		s = append(s, tensorboard.Scalar{Tag: split.name + "/loss", Value: split.m.Loss}, tensorboard.Scalar{Tag: split.name + "/error", Value: split.m.Error})
		if t := split.m.Top5Error; t != nil {
			s = append(s, tensorboard.Scalar{Tag: split.name + "/top5_error", Value: *t})
		}
	}
	l.eventsWritten(l.events.log.Add(int64(r.Step), s...))
}
