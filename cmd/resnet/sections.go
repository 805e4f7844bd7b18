package main

import (
	"slices"

	"resnet/internal/fielderr"
)

// sectionErrors collects what the sections say about their values.
func sectionErrors(cfg *Config) []fielderr.Error {
	return slices.Concat(cfg.Model.Validate(), cfg.Data.Validate(), cfg.Speech.Validate(), cfg.Train.Validate(), cfg.Eval.Validate())
}

// located turns the field errors that a section found with the data at hand into a configError with
// places. Other errors of resolving are usage errors.
func (l *loaded) located(err error) error {
	fields, others := fielderr.Split(err)
	if len(others) > 0 {
		return &usageError{err}
	}
	var ce configError
	for _, e := range fields {
		ce.problems = append(ce.problems, l.problemAt(e))
	}
	return &ce
}
