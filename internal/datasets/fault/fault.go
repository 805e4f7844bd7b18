// Package fault holds the kinds of failure of everything that reads data, so that the readers of
// images and of speech share them without importing each other.
package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"resnet/internal/fielderr"
	"resnet/internal/input"
)

// The kinds of failure, to be checked with errors.Is.
var (
	// ErrMissing says that a file or folder of a data set is not there (exit code 66).
	ErrMissing = errors.New("missing data")
	// ErrData says that a file is there and its contents are wrong: size, count, label, digest,
	// format (exit code 65).
	ErrData = errors.New("bad data")
	// ErrConfig says that the configuration asks for something that cannot be (exit code 2).
	ErrConfig = fielderr.ErrConfig
)

// kinded is an error of one of the kinds above: its text is the message alone, errors.Is finds both
// kind and cause.
type kinded struct {
	kind error
	err  error
}

func (f *kinded) Error() string   { return f.err.Error() }
func (f *kinded) Unwrap() []error { return []error{f.kind, f.err} }

// Errorf is fmt.Errorf with a kind that the text does not mention.
func Errorf(kind error, format string, args ...any) error {
	return &kinded{kind, fmt.Errorf(format, args...)}
}

// Dataf is Errorf of kind ErrData.
func Dataf(format string, args ...any) error { return Errorf(ErrData, format, args...) }

// Opening gives the error of opening or reading a file its kind: absent, no file to read, or
// another. The system's operation and path are left out of it: name stands for them.
func Opening(name string, err error, remedy string) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	if Absent(err) {
		return Errorf(ErrMissing, "%s: %w; %s", name, err, remedy)
	}
	if errors.Is(err, input.ErrNotRegular) || errors.Is(err, input.ErrTooLarge) {
		return Errorf(ErrData, "%s: %w", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Absent reports whether an error says that a file is not there: it is not where a folder above it
// is a file, either, or where no file can have the name.
func Absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG)
}
