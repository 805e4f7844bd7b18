package train

import (
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/train/checkpoint"
	"resnet/internal/train/tensorboard"
)

// eventUpdates is the number of updates between two events of the tags batch/...
const eventUpdates = 50

// perBatch begins the tags of single updates; the others are of evaluations.
const perBatch = "batch/"

// events is the run's event file for TensorBoard. Like the tables it can do without its file for a
// while.
type events struct {
	log     *tensorboard.Log // nil when it is off or could not be opened
	pending []event          // that are not in the file
	err     error            // why not, or nil
	warned  bool
}

type event struct {
	step    int
	scalars []tensorboard.Scalar
}

func (l *loop) wantsEvents() bool { return l.o.Dir != "" && l.o.Plan.Config.TensorBoard }

// openEvents opens the event file where train.tensorboard asks for it, and drops what is newer than
// the state.
func (l *loop) openEvents() {
	l.events.close()
	if !l.wantsEvents() {
		return
	}
	keep := func(step int64, tag string) bool {
		if strings.HasPrefix(tag, perBatch) {
			return step <= int64(l.st.Step)
		}
		return step <= int64(l.st.Evaluated)
	}
	l.events.pending = slices.DeleteFunc(l.events.pending, func(e event) bool { return !keep(int64(e.step), e.scalars[0].Tag) })
	path := filepath.Join(l.o.Dir, tensorboard.File)
	err := regular(path)
	if err == nil {
		l.events.log, err = tensorboard.Open(atomicfile.OS, path, checkpoint.Kind, keep, l.meter.now)
	}
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
	if l.events.err = err; err != nil && !l.events.warned {
		l.events.warned = true
		l.warn("%v: training goes on; events are added when the file can be written again", err)
	}
}

// addEvent adds an event and writes everything that is pending.
func (l *loop) addEvent(step int, scalars ...tensorboard.Scalar) {
	l.events.pending = append(l.events.pending, event{step, scalars})
	l.flushEvents()
}

func (l *loop) flushEvents() {
	for l.events.log != nil && len(l.events.pending) > 0 {
		e := l.events.pending[0]
		err := l.events.log.Add(int64(e.step), e.scalars...)
		if l.eventsWritten(err); err != nil {
			return
		}
		l.events.pending = l.events.pending[1:]
	}
}

// updateEvents adds the last update's figures, now and then.
func (l *loop) updateEvents() {
	if !l.wantsEvents() || l.st.Step%eventUpdates != 0 {
		return
	}
	m := l.last.metrics()
	if m == nil {
		return
	}
	l.addEvent(l.st.Step,
		tensorboard.Scalar{Tag: perBatch + "loss", Value: m.Loss}, tensorboard.Scalar{Tag: perBatch + "error", Value: m.Error},
		tensorboard.Scalar{Tag: perBatch + "rate", Value: l.st.Rate},
		tensorboard.Scalar{Tag: perBatch + "images_per_second", Value: l.meter.rate(l.o.Plan.ImagesPerStep())})
}

// rowEvents adds what an evaluation measured: the figures of metrics.csv.
func (l *loop) rowEvents(r Row) {
	if !l.wantsEvents() {
		return
	}
	if l.events.log == nil { // it could not be opened
		l.openEvents()
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
	l.addEvent(r.Step, s...)
}
