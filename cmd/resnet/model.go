package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/train/checkpoint"
)

// model is a trained network out of a checkpoint, with what the checkpoint says about its input.
type model struct {
	path    string // as the user named it
	spec    blocks.Spec
	meta    weights.Meta
	params  *graph.ParamSet
	machine graph.Machine // in Eval mode
	norm    datasets.Normalizer
	run     *loaded // configuration of the run folder that the checkpoint is in, or nil
}

// openModel reads a checkpoint, a run folder (its best checkpoint) or a bare weights file of ours, and compiles it for
// batches of up to so many images.
func (a *app) openModel(path string, batch, threads int) (*model, error) {
	file, _, err := checkpoint.OpenModel(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &missingError{fmt.Errorf("%s: no such checkpoint or run folder", path)}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m := &model{path: path}
	if m.meta, err = weights.DecodeMeta(path, file.Meta); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(m.meta.Arch), &m.spec); err != nil {
		return nil, fmt.Errorf("%s: %w: its architecture does not parse: %w", path, weights.ErrFormat, err)
	}
	if err := m.spec.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, weights.ErrFormat, err)
	}
	m.norm = datasets.Normalizer{Kind: m.meta.Preprocessing.Kind, Mean: m.meta.Preprocessing.Mean, Std: m.meta.Preprocessing.Std}
	if err := m.norm.Check(m.spec.InputChannels, m.spec.InputSize, m.spec.InputSize); err != nil {
		return nil, fmt.Errorf("%s: %w: its preprocessing does not fit its input: %w", path, weights.ErrFormat, err)
	}
	m.params = graph.NewParamSet(0)
	g, err := blocks.Build(m.spec, batch, graph.Eval, m.params)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := weights.LoadParams(file, m.params); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if m.machine, err = a.newMachine(g, m.params, threads); err != nil {
		return nil, err
	}
	m.run = a.runOf(path)
	return m, nil
}

// runOf reads the configuration of the run folder that a checkpoint is in. A checkpoint elsewhere has none.
func (a *app) runOf(path string) *loaded {
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(filepath.Dir(path)) // runs/NAME/checkpoints/step-000123.safetensors
	}
	l, err := a.loadRun(dir, nil, false)
	if err != nil {
		return nil
	}
	return l
}

// dataConfig is the data set that a model is measured on: the run's own unless the user names another. Sizes follow from
// the network's input.
func (m *model) dataConfig(name, dir string) (datasets.Config, uint64) {
	cfg, seed := datasets.Config{Name: m.meta.Dataset, Downsample: 1}, uint64(0)
	if m.run != nil {
		cfg, seed = m.run.Data, m.run.Train.Seed
	}
	if name != "" && name != cfg.Name {
		cfg = datasets.Config{Name: name, Downsample: cfg.Downsample}
	}
	if dir != "" {
		cfg.Dir = dir
	}
	cfg.Size = 0
	if cfg.Name == "folder" {
		cfg.Size = m.spec.InputSize * max(cfg.Downsample, 1)
	}
	cfg.Augment = datasets.Augment{}
	return cfg, seed
}

// fits refuses a data set whose images or classes are not the network's.
func (m *model) fits(info datasets.Info) error {
	s := m.spec
	if info.Channels != s.InputChannels || info.Height != s.InputSize || info.Width != s.InputSize {
		return usageErrorf("%s takes images of %s, and %s has %s: name the data set it was trained on (%s) with --data",
			m.path, dims([]int{s.InputChannels, s.InputSize, s.InputSize}), info.Name, dims([]int{info.Channels, info.Height, info.Width}), m.meta.Dataset)
	}
	if len(info.Classes) > s.Classes {
		return usageErrorf("%s tells %d classes apart, and %s has %d", m.path, s.Classes, info.Name, len(info.Classes))
	}
	return nil
}
