package config

import (
	"slices"

	"resnet/internal/fielderr"
)

// sectionErrors collects what the sections say about their values.
func sectionErrors(cfg *Config) []fielderr.Error {
	return slices.Concat(cfg.Model.Validate(), cfg.Data.Validate(), cfg.Speech.Validate(), cfg.Train.Validate(), cfg.Eval.Validate(), cfg.Distributed.Validate())
}

// Located turns the field errors that a section found with the data at hand into an Error with
// places. Other errors of resolving are usage errors.
func (l *Loaded) Located(err error) error {
	fields, others := fielderr.Split(err)
	if len(others) > 0 {
		return &UsageError{err}
	}
	var ce Error
	for _, e := range fields {
		ce.Problems = append(ce.Problems, l.problemAt(e))
	}
	return &ce
}
