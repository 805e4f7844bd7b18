package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
	"resnet/internal/train/checkpoint"
)

// Model is a trained network out of a checkpoint.
type Model struct {
	*eval.Model
	Named string            // as the user named it
	Meta  map[string]string // of the file

	run *config.Loaded // configuration of the run folder that the checkpoint is in, or nil
	env *Environment
}

// OpenModel reads a checkpoint, a run folder (its best checkpoint) or a bare weights file of ours.
func OpenModel(env *Environment, path string) (*Model, error) {
	file, _, err := checkpoint.OpenModel(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missingf("%s: no such checkpoint or run folder", path)
	case errors.Is(err, checkpoint.ErrNotFound):
		return nil, missingf("%s: no run folder with a complete checkpoint, and no weights file", path)
	case err != nil:
		return nil, env.importHint(err, path)
	}
	defer file.Close()
	m, err := eval.ReadModel(file)
	if err != nil {
		return nil, env.importHint(err, path)
	}
	net := &Model{Model: m, Named: filepath.Clean(path), Meta: file.Meta, run: runOf(path), env: env}
	if net.run != nil {
		m.AssumeConfig(net.run.Data)
	}
	return net, nil
}

// importHint tells whoever names a file of PyTorch, or a bare state dict, how it becomes a
// checkpoint.
func (e *Environment) importHint(err error, path string) error {
	if !errors.Is(err, weights.ErrTorchFile) && !errors.Is(err, weights.ErrNoMeta) {
		return err
	}
	return fmt.Errorf("%w: a checkpoint is made of it by `%s import %s --out NAME.safetensors`", err, e.Self, text.ShellQuote(path))
}

// runOf reads the configuration of the run folder that a checkpoint is in. A checkpoint elsewhere
// has none.
func runOf(path string) *config.Loaded {
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(filepath.Dir(path)) // runs/NAME/checkpoints/step-000123.safetensors
	}
	l, err := LoadRun(dir)
	if err != nil {
		return nil
	}
	return l
}

// dataConfig is the data set that a model is measured on: the run's own unless the user names
// another. The seed draws the run's validation split again.
func (m *Model) dataConfig(name, dir string) (cfg datasets.Config, seed uint64) {
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

// nameClasses takes the names of the network's classes from a file, where there is one, instead of
// the checkpoint's.
func (m *Model) nameClasses(file string) error {
	if file == "" {
		return nil
	}
	names, err := readClassNames(file, m.Spec.Classes)
	if err != nil {
		return fmt.Errorf("%s: --classes-file: %w", m.Named, err)
	}
	m.Classes = names
	return nil
}

// shownNames are the names of the classes for people: those of the checkpoint, or of the data set
// that it was trained on. WordNet IDs, which the folders of ImageNet are named by, become names.
func (m *Model) shownNames() []string {
	byID := map[string]string{}
	for _, c := range datasets.ImageNetClasses() {
		byID[c.ID] = c.Name
	}
	names := slices.Clone(m.ClassNames())
	for i, id := range names {
		if name, ok := byID[id]; ok {
			names[i] = name
		}
	}
	return names
}

// sayAssumed says what an old checkpoint does not say of its input.
func (m *Model) sayAssumed() {
	if m.Assumed != "" {
		m.env.say("%s: %s.", m.Named, m.Assumed)
	}
}
