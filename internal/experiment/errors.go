package experiment

import (
	"fmt"

	"resnet/internal/datasets"
)

// IOError is a file that could not be read or written.
type IOError struct{ Err error }

// Error is the message.
func (e *IOError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *IOError) Unwrap() error { return e.Err }

// MissingError is an input that is not there.
type MissingError struct{ Err error }

// Error is the message.
func (e *MissingError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *MissingError) Unwrap() error { return e.Err }

// Is makes it missing data.
func (*MissingError) Is(target error) bool { return target == datasets.ErrMissing }

func missingf(format string, args ...any) error { return &MissingError{fmt.Errorf(format, args...)} }
