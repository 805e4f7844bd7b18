package experiment

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// starting is the network that a training starts from, model.weights: a checkpoint of ours, or
// weights that Import reads. Of a run that goes on it is the run's own, which has the same
// architecture and preprocessing: the file that it started from may be gone.
func (x *Experiment) starting() (*Model, error) {
	if x.start != nil {
		return x.start, nil
	}
	if x.Run != "" {
		if m, err := OpenModel(x.env, x.Run); err == nil {
			x.start = m
			return m, nil
		}
	}
	m, err := openStarting(x.env, x.Model.Weights, x.Model.Name)
	if err != nil {
		return nil, fmt.Errorf("model.weights: %w", err)
	}
	x.start = m
	return m, nil
}

// openStarting opens a checkpoint, or weights of another program. arch is the architecture of
// these, where they fit several; blocks.FromCheckpoint and "" mean the one that they are.
func openStarting(env *Environment, path, arch string) (*Model, error) {
	m, err := OpenModel(env, path)
	if !errors.Is(err, weights.ErrTorchFile) && !errors.Is(err, weights.ErrOtherProgram) && !errors.Is(err, weights.ErrNoMeta) {
		return m, err
	}
	from, err := sourceOf(path)
	if err != nil {
		return nil, err
	}
	if arch == blocks.FromCheckpoint {
		arch = ""
	}
	c, err := ImportOptions{Arch: arch}.convert(from)
	if usage := new(config.UsageError); errors.As(err, &usage) {
		return nil, config.Usagef("%w\n`%s import %s --out NAME.safetensors`, with its flags, makes a checkpoint of the one that is meant", err, env.Self, text.ShellQuote(path))
	}
	if err != nil {
		return nil, err
	}
	assumed := ""
	// What PyTorch's networks of colours take is nearly always the same.
	if c.Program == "PyTorch" && c.Preprocessing == datasets.NoNormalizing && from.hub == nil {
		view, err := datasets.DecodePreprocessing(c.meta.Preprocessing)
		if err == nil && view.Channels == 3 && view.Downsample <= 1 {
			c.meta.Preprocessing = view.With(datasets.ImageNetNormalizer()).Encode()
			assumed = fmt.Sprintf("%s does not say how its images were normalised: torchvision's mean and deviation are taken (data.normalize sets others).", text.Printable(path))
		}
	}
	var b bytes.Buffer
	if err := c.write(&b); err != nil {
		return nil, err
	}
	file, err := weights.New(bytes.NewReader(b.Bytes()), int64(b.Len()), path)
	if err != nil {
		return nil, err
	}
	read, err := eval.ReadModel(file)
	if err != nil {
		return nil, err
	}
	return &Model{Model: read, Named: path, Meta: file.Meta, normalised: assumed, env: env}, nil
}

// takeCheckpoint puts the architecture and the view of model.weights in the place of what the
// configuration leaves to them with model.name checkpoint: what is written down then needs the file
// no more.
func (x *Experiment) takeCheckpoint() error {
	if x.Model.Name != blocks.FromCheckpoint {
		return nil
	}
	m, err := x.starting()
	if err != nil {
		return err
	}
	x.Model.Take(m.Spec)
	takeView(&x.Data, m.Preprocessing)
	return nil
}

// takeView gives images of any size the view of a record, where c leaves it open. Of another size
// the shorter side is in the same proportion.
func takeView(c *datasets.Config, v datasets.Preprocessing) {
	if !datasets.AnySize(c.Name) || v.Size == 0 {
		return
	}
	if c.Size == 0 {
		c.Size, c.Downsample = v.Size, max(c.Downsample, v.Downsample)
	}
	if c.Resize == 0 {
		c.Resize = int(math.Round(float64(v.Resize) * float64(c.Size) / float64(v.Size)))
	}
	if c.Interpolation == "" {
		c.Interpolation = v.Interpolation
	}
}
