package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// Model is a trained network out of a checkpoint.
type Model struct {
	*eval.Model
	Named string            // as the user named it
	Meta  map[string]string // of the file

	run   *config.Loaded // configuration of the run folder that the checkpoint is in, or nil
	with  *trained       // what the checkpoint recorded, or nil
	taken []string       // of the record instead of the configuration, in sentences
	// broken is why that configuration does not read; it ends the commands that need it.
	broken error
	env    *Environment
	// normalised says what was assumed of a file of another program, in a sentence; or "".
	normalised string
}

// OpenModel reads a checkpoint, a run folder (its best checkpoint) or a bare weights file of ours.
func OpenModel(env *Environment, path string) (*Model, error) {
	file, manifest, err := checkpoint.OpenModel(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missingf("%s: no such checkpoint or run folder", path)
	case errors.Is(err, checkpoint.ErrNotFound):
		if s, e := sourceOf(path); e == nil && s.path != path {
			return nil, env.importHint(fmt.Errorf("%s: %w: a folder of the Hugging Face hub", path, weights.ErrNoMeta), path)
		}
		return nil, missingf("%s: no run folder with a complete checkpoint, and no weights file", path)
	case err != nil:
		return nil, env.importHint(err, path)
	}
	defer file.Close()
	m, err := eval.ReadModel(file)
	if err != nil {
		return nil, env.importHint(err, path)
	}
	net := &Model{Model: m, Named: filepath.Clean(path), Meta: file.Meta, env: env}
	dir, sure := runOf(path)
	net.run, net.broken = runConfig(dir)
	switch {
	case !sure:
		net.broken = nil
	case net.run != nil && manifest != nil:
		if err := net.asTrained(dir, *manifest); err != nil {
			return nil, err
		}
	}
	if m.Assumed != "" { // the checkpoint does not say how it looks at an image
		if net.broken != nil {
			return nil, net.broken
		}
		if net.run != nil {
			m.AssumeConfig(net.run.Data)
		}
	}
	return net, nil
}

// OpenClassifier is OpenModel for what needs classes: it refuses a network without a classifier.
func OpenClassifier(env *Environment, path string) (*Model, error) {
	m, err := OpenModel(env, path)
	if err == nil {
		err = m.Classifies()
	}
	return m, err
}

// importHint tells whoever names a file of another program, or a bare state dict, how it becomes a
// checkpoint.
func (e *Environment) importHint(err error, path string) error {
	if !errors.Is(err, weights.ErrTorchFile) && !errors.Is(err, weights.ErrOtherProgram) && !errors.Is(err, weights.ErrNoMeta) {
		return err
	}
	return fmt.Errorf("%w: a checkpoint is made of it by `%s import %s --out NAME.safetensors`", err, e.Self, text.ShellQuote(path))
}

// asTrained gives the configuration the values of data and seed that the checkpoint recorded: what
// it is measured on, and which images were held out, follows from them, whatever has been written
// into config.yaml since.
func (m *Model) asTrained(dir string, manifest checkpoint.Manifest) (err error) {
	_, state, err := checkpoint.View(dir, nil).Metadata(manifest)
	if err != nil {
		return nil //nolint:nilerr // weights alone can be measured
	}
	if m.with, err = decodeTrained(state[train.TrainedKey]); err != nil || m.with == nil {
		return err
	}
	now := train.Recorded(values(&m.run.Config))
	var sets []string
	for _, key := range slices.Sorted(maps.Keys(now)) {
		was, ok := m.with.Config[key]
		if section, _, _ := strings.Cut(key, "."); !ok || was == now[key] || section != "data" && section != "speech" && key != "train.seed" {
			continue
		}
		sets = append(sets, key+"="+was)
		m.taken = append(m.taken, fmt.Sprintf("note: %s says %s: %s, and the checkpoint was trained with %s, which is taken",
			text.Printable(filepath.Join(dir, checkpoint.ConfigFile)), key, text.Printable(now[key]), text.Printable(was)))
	}
	if sets == nil {
		return nil
	}
	l, err := loadRun(dir, config.Input{File: filepath.Join(dir, checkpoint.ConfigFile), Sets: sets, Before: before})
	if err != nil {
		m.broken = &badFileError{errors.New(err.Error())}
		return nil
	}
	m.run = l
	return nil
}

// heldOut refuses data of which another validation split is drawn than the network was trained
// without.
func (m *Model) heldOut(ctx context.Context, validation float64, print func(context.Context) (datasets.Fingerprint, error)) error {
	if m.with == nil || validation == 0 {
		return nil
	}
	now, err := print(ctx)
	if err != nil {
		return err
	}
	for _, s := range []datasets.Split{datasets.Train, datasets.Val} {
		if what := m.with.Data[s].Differs(now[s]); what == datasets.OtherNumber || what == datasets.OtherNames {
			return &badFileError{fmt.Errorf("%s: the %s of its training data is another than when it was trained: the validation split, which is drawn from them, would hold some that it was trained on",
				m.Named, what)}
		}
	}
	return nil
}

// runOf is the folder of the run that a checkpoint is in: RUN/checkpoints/step-000123.safetensors.
// sure is false of weights in a folder of another name, above which any configuration may be.
func runOf(path string) (dir string, sure bool) {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return path, true
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	folder := filepath.Dir(path)
	return filepath.Dir(folder), filepath.Base(folder) == "checkpoints"
}

// runConfig reads the configuration of a run folder; nil where there is none. A broken one is bad
// data, with its places: it is no mistake of the command line that asks for a checkpoint.
func runConfig(dir string) (*config.Loaded, error) {
	l, err := LoadRun(dir)
	var missing *MissingError
	switch {
	case errors.As(err, &missing):
		return nil, nil
	case err != nil:
		return nil, &badFileError{errors.New(err.Error())} // what it is otherwise, is not said
	}
	return l, nil
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
	if cfg.Name == "folder" && (m.run == nil || m.run.Data.Name != cfg.Name) {
		cfg.Test = datasets.AllTest // other photographs, of which none was trained on
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

// NameClasses takes the names of the network's classes from a file, where there is one, instead of
// the checkpoint's.
func (m *Model) NameClasses(file string) error {
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

// ShownNames are the names of the classes for people: those of the checkpoint, or of the data set
// that it was trained on. WordNet IDs, which the folders of ImageNet are named by, become names.
func (m *Model) ShownNames() []string {
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
