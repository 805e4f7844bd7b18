package checkpoint

import (
	"errors"
	"fmt"

	"resnet/internal/atomicfile"
	"resnet/internal/folderlock"
)

// The classes of errors, for errors.Is.
var (
	ErrIO       = atomicfile.ErrIO
	ErrCorrupt  = errors.New("corrupt checkpoint")
	ErrVersion  = errors.New("checkpoint of a newer resnet")
	ErrNotFound = errors.New("no checkpoint")
	ErrLocked   = folderlock.ErrLocked
)

// classed gives an error a class without repeating it in the text.
type classed struct{ class, err error }

func (e *classed) Error() string   { return e.err.Error() }
func (e *classed) Unwrap() []error { return []error{e.class, e.err} }

func corruptf(format string, args ...any) error {
	return &classed{ErrCorrupt, fmt.Errorf(format, args...)}
}
