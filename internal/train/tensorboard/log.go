package tensorboard

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"resnet/internal/atomicfile"
)

// File is the name of a run's event file; TensorBoard looks for "tfevents".
const File = "events.out.tfevents.resnet"

// A Log is an event file that grows. It is not safe for concurrent use.
type Log struct {
	records *atomicfile.Appender
	now     func() time.Time
}

// Open opens the event file at path, or begins one. Of the events that are there it keeps those
// that keep wants, up to the first torn record: keep is told the step and a tag of the event. A
// file that begins with something else is refused. kind is that of the temporary file (see
// atomicfile), now the clock of the events.
func Open(fsys atomicfile.FS, path, kind string, keep func(step int64, tag string) bool, now func() time.Time) (*Log, error) {
	old, err := atomicfile.ReadFile(fsys, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("event file %s: %w", path, err)
	}
	kept, ok := filter(old, keep)
	if !ok {
		return nil, fmt.Errorf("%s is not an event file: move it away", path)
	}
	if len(kept) == 0 {
		kept = first(unix(now()))
	}
	if len(kept) != len(old) {
		if err := atomicfile.WriteFile(fsys, path, kind, kept); err != nil {
			return nil, err
		}
	}
	records, err := atomicfile.OpenAppend(fsys, path)
	if err != nil {
		return nil, fmt.Errorf("event file: %w", err)
	}
	return &Log{records, now}, nil
}

// filter returns the records that keep wants. ok is false when b is no event file; an empty one,
// and one that was torn in its first record, is.
func filter(b []byte, keep func(step int64, tag string) bool) (kept []byte, ok bool) {
	for at := 0; at < len(b); {
		data, size := nextRecord(b[at:])
		if size == 0 {
			return kept, at > 0 || len(b) < len(first(0))
		}
		e, ok := decode(data)
		switch {
		case at == 0 && (!ok || e.version == ""):
			return nil, false
		case !ok:
			return kept, true
		case e.version != "" || len(e.scalars) > 0 && keep(e.step, e.scalars[0].Tag):
			kept = append(kept, b[at:at+size]...)
		}
		at += size
	}
	return kept, true
}

// first is the record that every event file begins with.
func first(wall float64) []byte {
	return appendRecord(nil, event{wall: wall, version: version}.encode())
}

// Add writes the scalars of a step as one event. After an error the file is as before, and the next
// Add may succeed. Events are not synced to the disk: what a crash of the machine tears off, the
// next Open cuts.
func (l *Log) Add(step int64, scalars ...Scalar) error {
	e := event{wall: unix(l.now()), step: step, scalars: scalars}
	return l.records.Append(appendRecord(nil, e.encode()))
}

// Close closes the file; a part of a record that a failed Add left is removed.
func (l *Log) Close() error { return l.records.Close() }

func unix(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
