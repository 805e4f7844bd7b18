package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrIO marks what the system refused: a full disk, permissions, a failing device. Its text is not
// part of the errors that it marks.
var ErrIO = errors.New("input/output error")

// Error gives an error the class ErrIO without repeating that in the text.
func Error(err error) error {
	if err == nil {
		return nil
	}
	return &ioError{err}
}

type ioError struct{ err error }

func (e *ioError) Error() string   { return e.err.Error() }
func (e *ioError) Unwrap() []error { return []error{ErrIO, e.err} }

// writeError is the error of writing one file.
type writeError struct {
	path, target string // as the caller says it, and what that leads to
	err          error
}

func (e *writeError) Error() string {
	if e.target != "" && e.target != e.path {
		return fmt.Sprintf("write %s (a link to %s): %v", e.path, e.target, e.err)
	}
	return fmt.Sprintf("write %s: %v", e.path, e.err)
}

func (e *writeError) Unwrap() []error { return []error{ErrIO, e.err} }

// fail is the writeError of err; nil for nil, and err itself where it is one of this path. Of the
// system's error it leaves out operation and path, which would be those of the temporary file.
func fail(path, target string, err error) error {
	var already *writeError
	if err == nil || errors.As(err, &already) && already.path == path {
		return err
	}
	switch e := err.(type) { //nolint:errorlint // only the outermost goes: what others have wrapped says more
	case *fs.PathError:
		err = e.Err
	case *os.LinkError:
		err = e.Err
	}
	return &writeError{path, target, err}
}
