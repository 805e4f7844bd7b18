package config

import (
	"errors"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/train"
)

// sectionError is a value that a section refuses: where it is, what is wrong, what would be right
// (or "").
type sectionError struct{ path, msg, hint string }

// sectionErrors collects what the sections say about their values.
func sectionErrors(cfg *Config) []sectionError {
	var all []sectionError
	for _, e := range cfg.Model.Validate() {
		all = append(all, fieldError("model", e.Path, e.Msg, e.Hint))
	}
	for _, e := range cfg.Data.Validate() {
		all = append(all, fieldError("data", e.Path, e.Msg, e.Hint))
	}
	for _, e := range cfg.Speech.Validate() {
		all = append(all, fieldError("speech", e.Path, e.Msg, e.Hint))
	}
	for _, e := range cfg.Train.Validate() {
		all = append(all, fieldError("train", e.Path, e.Msg, e.Hint))
	}
	for _, e := range cfg.Eval.Validate() {
		all = append(all, fieldError("eval", e.Path, e.Msg, e.Hint))
	}
	return all
}

// fieldError adds the section's name to a path, unless the section did.
func fieldError(section, path, msg, hint string) sectionError {
	if !strings.HasPrefix(path, section+".") {
		path = section + "." + path
	}
	return sectionError{path, msg, hint}
}

// Located turns the field errors that a section found with the data at hand into a Error with
// places. Other errors of resolving are usage errors.
func (l *Loaded) Located(err error) error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	var ce Error
	for _, e := range list {
		var m blocks.FieldError
		var t train.FieldError
		var d datasets.FieldError
		switch {
		case errors.As(e, &m):
			ce.Problems = append(ce.Problems, l.problemAt(fieldError("model", m.Path, m.Msg, m.Hint)))
		case errors.As(e, &d):
			ce.Problems = append(ce.Problems, l.problemAt(fieldError("data", d.Path, d.Msg, d.Hint)))
		case errors.As(e, &t):
			ce.Problems = append(ce.Problems, l.problemAt(fieldError("train", t.Path, t.Msg, t.Hint)))
		default:
			return &UsageError{err}
		}
	}
	return &ce
}
