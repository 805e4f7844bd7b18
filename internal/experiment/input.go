package experiment

import (
	"context"
	"fmt"

	"resnet/internal/config"
	"resnet/internal/datasets"
)

// colours gives images of any size the channels that the network takes, where the configuration
// leaves them open: one where the network, or the weights that it starts from, have one.
func (x *Experiment) colours(c *datasets.Config) error {
	if !datasets.AnySize(c.Name) || c.Channels != 0 {
		return nil
	}
	switch {
	case x.Model.InputChannels != 0:
		c.Channels = x.Model.InputChannels
	case x.Model.Weights != "":
		m, err := x.starting()
		if err != nil {
			return nil //nolint:nilerr // what is wrong with the weights is said when they are taken
		}
		c.Channels = m.Spec.InputChannels
	}
	if c.Channels != 1 {
		c.Channels = 0 // three; other numbers are refused with the network
	}
	return nil
}

// normalizer is that of data.normalize, in numbers.
func (x *Experiment) normalizer(ctx context.Context, set *datasets.Dataset) (datasets.Normalizer, error) {
	info := set.Info()
	switch x.Data.Normalize {
	case datasets.NormalizeGiven:
		return x.Data.Given(info.Channels)
	case datasets.NormalizeCheckpoint:
		if x.Model.Weights == "" {
			return datasets.Normalizer{}, config.Usagef("data.normalize is %s, and model.weights names none", datasets.NormalizeCheckpoint)
		}
		m, err := x.starting()
		if err != nil {
			return datasets.Normalizer{}, err
		}
		if m.normalised != "" {
			x.env.say("%s", m.normalised)
		}
		n := m.Preprocessing.Normalizer
		if err := n.Check(info.Channels, info.Height, info.Width); err != nil {
			return n, fmt.Errorf("data.normalize %s: %w", datasets.NormalizeCheckpoint, err)
		}
		return n, nil
	}
	return datasets.FitNormalizer(ctx, set, x.Data.Normalize)
}
