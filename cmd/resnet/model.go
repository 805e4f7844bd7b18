package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph/weights"
	"resnet/internal/train/checkpoint"
)

// model is a trained network out of a checkpoint.
type model struct {
	*eval.Model
	named string  // as the user named it
	run   *loaded // configuration of the run folder that the checkpoint is in, or nil
}

// openModel reads a checkpoint, a run folder (its best checkpoint) or a bare weights file of ours.
func (a *app) openModel(path string) (*model, error) {
	file, _, err := checkpoint.OpenModel(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &missingError{fmt.Errorf("%s: no such checkpoint or run folder", path)}
	}
	if errors.Is(err, checkpoint.ErrNotFound) {
		return nil, &missingError{fmt.Errorf("%s: no run folder with a complete checkpoint, and no weights file", path)}
	}
	if err != nil {
		return nil, a.importHint(err, path)
	}
	defer file.Close()
	m, err := eval.ReadModel(file)
	if err != nil {
		return nil, a.importHint(err, path)
	}
	net := &model{Model: m, named: filepath.Clean(path), run: a.runOf(path)}
	if net.run != nil {
		m.AssumeConfig(net.run.Data)
	}
	return net, nil
}

// importHint tells whoever names a file of PyTorch, or a bare state dict, how it becomes a
// checkpoint.
func (a *app) importHint(err error, path string) error {
	if !errors.Is(err, weights.ErrTorchFile) && !errors.Is(err, weights.ErrNoMeta) {
		return err
	}
	return fmt.Errorf("%w: a checkpoint is made of it by `%s import %s --out NAME.safetensors`", err, a.self, shellQuote(path))
}

// runOf reads the configuration of the run folder that a checkpoint is in. A checkpoint elsewhere
// has none.
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

// dataConfig is the data set that a model is measured on: the run's own unless the user names
// another. The seed draws the run's validation split again.
func (m *model) dataConfig(name, dir string) (cfg datasets.Config, seed uint64) {
	cfg = datasets.Config{Name: m.Dataset, Downsample: 1}
	if m.run != nil {
		cfg, seed = m.run.Data, m.run.Train.Seed
	}
	if name != "" && name != cfg.Name {
		cfg = datasets.Config{Name: name, Downsample: cfg.Downsample}
	}
	if dir != "" {
		cfg.Dir = dir
	}
	cfg.Size, cfg.Resize, cfg.Augment = 0, 0, datasets.Augment{}
	if v := m.Preprocessing; v.Size > 0 {
		cfg.Downsample = v.Downsample
		if datasets.AnySize(cfg.Name) {
			cfg.Size, cfg.Resize = v.Size, v.Resize
		}
	}
	return cfg, seed
}
