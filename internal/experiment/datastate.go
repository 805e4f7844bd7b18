package experiment

import (
	"context"
	"errors"

	"resnet/internal/datasets"
)

// DataState is a row of `data list --json`.
type DataState struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Where it is looked for by default; "" when it is embedded or has no default.
	Dir string `json:"dir"`
	// Embedded, present, absent, damaged, or "" when it depends on --dir.
	State string `json:"state"`
	// Local says why it cannot be fetched; "" where it can.
	Local string `json:"local,omitempty"`
}

// StateOf opens a data set where it stands by default; a missing or damaged one is a state, not an
// error.
func StateOf(ctx context.Context, name string) DataState {
	s := DataState{Name: name, Title: datasets.Title(name), Local: datasets.Local(name)}
	switch name {
	case "fashion-sample":
		s.State = "embedded"
		return s
	case "folder", "packed", "parquet", "webdataset":
		return s
	}
	if datasets.IsSpeech(name) {
		return s
	}
	s.Dir, _ = datasets.DefaultDir(name)
	_, err := datasets.Open(ctx, datasets.Bare(name), 0)
	switch {
	case err == nil:
		s.State = "present"
	case errors.Is(err, datasets.ErrData):
		s.State = "damaged"
	default:
		s.State = "absent"
	}
	return s
}
