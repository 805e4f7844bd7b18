package experiment

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/eval/report"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// RunState says how far a training is.
type RunState string

// The states of a training.
const (
	RunFinished   RunState = "finished"
	RunUnfinished RunState = "unfinished" // stopped, or still training
	RunEmpty      RunState = "no checkpoint"
)

// RunSummary is what a run folder holds, in short: a line of `runs list`. What is not known is ""
// or null.
type RunSummary struct {
	Run     string `json:"run"` // the folder, as the user named it
	Network string `json:"network"`
	Dataset string `json:"dataset"`
	// Precision is train.precision; "" where there is no configuration.
	Precision string   `json:"precision"`
	State     RunState `json:"state"`
	Step      int64    `json:"step"` // of the newest checkpoint
	Epoch     *float64 `json:"epoch"`
	// Errors of the newest measurement, in percent.
	TrainError *float64 `json:"train_error"`
	ValError   *float64 `json:"val_error"`
	TestError  *float64 `json:"test_error"`
	// Saved is when the newest checkpoint was written.
	Saved   *time.Time `json:"saved"`
	Problem string     `json:"problem,omitempty"` // what does not read
}

// Runs lists the run folders in and below a folder, or the folder itself where it is one, sorted by
// name. Nothing below a run folder is looked at. It fails where the folder is missing or cannot be
// read.
func Runs(dir string) ([]RunSummary, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, missingf("%s: no such folder", text.Printable(dir))
	}
	var all []RunSummary
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir() || !isRun(path):
			return nil
		}
		all = append(all, summarizeRun(path))
		return fs.SkipDir
	})
	if err != nil {
		return nil, &IOError{err}
	}
	return all, nil
}

// isRun reports whether a folder is one that a training has made.
func isRun(dir string) bool {
	// A comparison's folder has a configuration as well.
	for _, name := range []string{train.MetricsFile, "env.json", "checkpoints"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

func summarizeRun(dir string) RunSummary {
	s := RunSummary{Run: dir, State: RunEmpty}
	if l, err := LoadRun(dir); err != nil {
		s.Problem = err.Error()
	} else {
		s.Dataset, s.Precision = l.Data.Name, l.Train.Precision
	}
	view := checkpoint.View(dir, nil)
	if m, err := view.Latest(); err == nil {
		s.Step, s.State = m.Step, RunUnfinished
		if m.Final {
			s.State = RunFinished
		}
		s.Network = networkOf(view, m)
		if info, err := os.Stat(filepath.Join(dir, "checkpoints", m.Model.File)); err == nil {
			at := info.ModTime().Truncate(time.Second)
			s.Saved = &at
		}
	} else if !errors.Is(err, checkpoint.ErrNotFound) && s.Problem == "" {
		s.Problem = err.Error()
	}
	run, _, err := readRun(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && s.Problem == "" {
			s.Problem = err.Error()
		}
		return s
	}
	s.Epoch, s.TrainError = newest(run.History, "epoch"), newest(run.History, "train_error")
	s.ValError, s.TestError = newest(run.History, "val_error"), newest(run.History, "test_error")
	return s
}

// newest is the last value of a column of a history, or nil.
func newest(h report.History, column string) *float64 {
	for i := len(h) - 1; i >= 0; i-- {
		if v := h[i].Value(column); v != nil {
			return v
		}
	}
	return nil
}

// networkOf is the name of a checkpoint's architecture, or "".
func networkOf(view *checkpoint.Store, m checkpoint.Manifest) string {
	model, _, err := view.Metadata(m)
	if err != nil {
		return ""
	}
	meta, err := weights.DecodeMeta("checkpoint", model)
	if err != nil {
		return ""
	}
	var s blocks.Spec
	if json.Unmarshal([]byte(meta.Arch), &s) != nil {
		return ""
	}
	return s.Name
}

// RunDetails is what a run folder holds: `runs show`.
type RunDetails struct {
	RunSummary
	Environment []report.Fact     `json:"-"`
	Checkpoints []SavedCheckpoint `json:"checkpoints"`
	Best        int64             `json:"best"` // its step; 0 without any
	Config      string            `json:"config"`
	History     report.History    `json:"-"`
	Notes       []string          `json:"notes,omitempty"`
}

// SavedCheckpoint is a checkpoint of a run.
type SavedCheckpoint struct {
	Step  int64 `json:"step"`
	Bytes int64 `json:"bytes"`
	Final bool  `json:"final"`
}

// ShowRun reads a run folder. It fails where there is none.
func ShowRun(dir string) (RunDetails, error) {
	if !isRun(dir) {
		return RunDetails{}, missingf("%s: no run folder", text.Printable(dir))
	}
	d := RunDetails{RunSummary: summarizeRun(dir), Checkpoints: []SavedCheckpoint{}}
	run, notes, err := readRun(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	d.Environment, d.Config, d.History, d.Notes = run.Environment, run.Config, run.History, notes
	view := checkpoint.View(dir, nil)
	list, problems, err := view.List()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	for _, p := range problems {
		d.Notes = append(d.Notes, p.Error())
	}
	for _, m := range list {
		d.Checkpoints = append(d.Checkpoints, SavedCheckpoint{m.Step, m.Model.Bytes + m.State.Bytes, m.Final})
	}
	if m, err := view.Best(); err == nil {
		d.Best = m.Step
	}
	return d, nil
}
