package datasets

import (
	"errors"

	"resnet/internal/datasets/fault"
)

// The kinds of failure, to be checked with errors.Is. Those of reading are shared with the readers
// of speech.
var (
	// ErrMissing says that a file or folder of a data set is not there (exit code 66).
	ErrMissing = fault.ErrMissing
	// ErrData says that a file is there and its contents are wrong: size, count, label, digest,
	// format (exit code 65).
	ErrData = fault.ErrData
	// ErrConfig says that the configuration asks for something that cannot be (exit code 2).
	ErrConfig = fault.ErrConfig
	// ErrFetch says that a download did not finish (exit code 1); what has arrived is kept, so that
	// the next one resumes.
	ErrFetch = errors.New("download failed")
	// ErrClosed is what Loader.Next returns after Close.
	ErrClosed = errors.New("datasets: the loader is closed")
)

func faultf(kind error, format string, args ...any) error { return fault.Errorf(kind, format, args...) }

// openFault gives the error of opening or reading a file its kind: absent or not.
func openFault(name string, err error, remedy string) error { return fault.Opening(name, err, remedy) }
