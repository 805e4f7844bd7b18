package datasets

import (
	"errors"
	"fmt"
	"io/fs"
)

// The kinds of failure, to be checked with errors.Is.
var (
	// ErrMissing says that a file or folder of a data set is not there (exit code 66).
	ErrMissing = errors.New("missing data")
	// ErrData says that a file is there and its contents are wrong: size, count, label, digest, format (exit code 65).
	ErrData = errors.New("bad data")
	// ErrConfig says that the configuration asks for something that cannot be (exit code 2).
	ErrConfig = errors.New("bad data configuration")
	// ErrFetch says that a download did not finish (exit code 1); what has arrived is kept, so that the next one resumes.
	ErrFetch = errors.New("download failed")
	// ErrClosed is what Loader.Next returns after Close.
	ErrClosed = errors.New("datasets: the loader is closed")
)

// fault is an error of one of the kinds above: its text is the message alone, errors.Is finds both kind and cause.
type fault struct {
	kind error
	err  error
}

func (f *fault) Error() string   { return f.err.Error() }
func (f *fault) Unwrap() []error { return []error{f.kind, f.err} }

func faultf(kind error, format string, args ...any) error {
	return &fault{kind, fmt.Errorf(format, args...)}
}

// openFault gives the error of opening or reading a file its kind: absent or not.
func openFault(name string, err error, remedy string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return faultf(ErrMissing, "%s: %w; %s", name, err, remedy)
	}
	return fmt.Errorf("%s: %w", name, err)
}
