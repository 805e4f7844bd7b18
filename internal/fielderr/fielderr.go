// Package fielderr is the error of a field of the configuration. Every section returns it: model,
// data, speech, train, eval.
package fielderr

import (
	"errors"
	"fmt"
)

// ErrConfig is what every Error is for errors.Is: the configuration asks for something that cannot
// be (exit code 2).
var ErrConfig = errors.New("bad configuration")

// Error says what is wrong with one field.
type Error struct {
	Section string // "train"
	Path    string // below the section, "schedule.drop.factor"; "" is the section itself
	Msg     string // what is wrong
	Hint    string // what would be right; may be empty
}

// Field is section and path, "train.schedule.drop.factor".
func (e Error) Field() string {
	if e.Path == "" {
		return e.Section
	}
	return e.Section + "." + e.Path
}

// Error writes "model.shortcut: unknown option \"D\" (A, B or C)".
func (e Error) Error() string {
	s := e.Field() + ": " + e.Msg
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Is makes every Error an ErrConfig.
func (Error) Is(target error) bool { return target == ErrConfig }

// List collects the errors of one section.
type List struct {
	Section string
	Errors  []Error
}

// Add reports a field.
func (l *List) Add(path, hint, format string, args ...any) {
	l.Errors = append(l.Errors, Error{l.Section, path, fmt.Sprintf(format, args...), hint})
}

// Join makes one error of several, as errors.Join does; nil of none.
func Join(list []Error) error {
	errs := make([]error, len(list))
	for i, e := range list {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// Split returns the Errors in what Join, errors.Join and wrapping have made, in order, and the
// other errors that were joined with them.
func Split(err error) (fields []Error, others []error) {
	if err == nil {
		return nil, nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			f, o := Split(e)
			fields, others = append(fields, f...), append(others, o...)
		}
		if len(fields) > 0 {
			return fields, others
		}
		return nil, []error{err} // a class and its error, for one: it goes as it is
	}
	if e, ok := err.(Error); ok { //nolint:errorlint // wrapped ones are next
		return []Error{e}, nil
	}
	if fields, others = Split(errors.Unwrap(err)); len(fields) > 0 {
		return fields, others
	}
	return nil, []error{err}
}
