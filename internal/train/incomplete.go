package train

import (
	"errors"
	"fmt"
	"path/filepath"

	"resnet/internal/text"
	"resnet/internal/train/tensorboard"
)

// IncompleteError says that a training is done and saved, but that a record of it could not be
// written: nobody may take the file for whole.
type IncompleteError struct{ Err error }

// Error is the message.
func (e *IncompleteError) Error() string { return e.Err.Error() }

// Unwrap is what the system refused.
func (e *IncompleteError) Unwrap() error { return e.Err }

// complete tries to write what is pending of every record. What is missing then is the error of a
// run that has none of its own, and a warning of another: a checkpoint that was saved has the rows
// of metrics.csv, and the resumed run adds them.
func (l *loop) complete(err error) error {
	var missing []error
	for _, t := range []*table{l.metrics, l.timing} {
		if t.flush() != nil {
			missing = append(missing, t.lacking())
		}
	}
	if l.wantsEvents() {
		if l.events.log == nil {
			l.openEvents()
		}
		if l.flushEvents(); l.events.err != nil {
			missing = append(missing, fmt.Errorf("%s lacks %s: %w", filepath.Join(l.o.Dir, tensorboard.File), text.Count(len(l.events.pending), "event"), l.events.err))
		}
	}
	switch {
	case len(missing) == 0:
		return err
	case err == nil:
		return &IncompleteError{errors.Join(missing...)}
	}
	l.warn("%v", errors.Join(missing...))
	return err
}

// lacking is the error of rows that could not be written.
func (t *table) lacking() error {
	hint := ""
	if filepath.Base(t.path) == MetricsFile {
		hint = "; the checkpoint has them, and resuming the run adds them"
	}
	return fmt.Errorf("%s lacks %s%s: %w", t.path, text.Count(len(t.pending()), "row"), hint, t.err)
}

// addRows adds the rows that a finished run could not write.
func (l *loop) addRows() error {
	if len(l.st.Rows) == 0 {
		return nil
	}
	t := l.newMetrics()
	defer t.close()
	if t.cut(l.st.Evaluated, l.st.Rows) != nil {
		return &IncompleteError{t.lacking()}
	}
	return nil
}

// PendingRows is the number of rows that the metadata of a checkpoint's state file hold because
// metrics.csv could not be written.
func PendingRows(meta map[string]string) int {
	s, err := ParseState([]byte(meta[stateKey]))
	if err != nil {
		return 0
	}
	return len(s.Rows)
}
