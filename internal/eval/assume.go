package eval

import (
	"fmt"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
)

// Checkpoints of programs that kept no size with the preprocessing are completed here.

// AssumeConfig completes a preprocessing record that the file leaves incomplete, from the
// configuration of the data that the network was trained on. It changes nothing where the record is
// complete, or where the configuration does not fit the network.
func (m *Model) AssumeConfig(c datasets.Config) {
	if m.Assumed == "" {
		return
	}
	before := *m
	if m.assume(c) != nil {
		*m = before
	}
}

// assume takes the preprocessing of a training with this configuration.
func (m *Model) assume(c datasets.Config) error {
	v, err := c.View(m.Spec.InputChannels, m.Spec.InputSize*max(c.Downsample, 1))
	if err != nil {
		return err
	}
	v = v.With(m.Preprocessing.Normalizer)
	v.Orientation = "" // as the pixels are stored, as those programs did
	if err := m.fits(v); err != nil {
		return err
	}
	m.Preprocessing = v
	m.Assumed = fmt.Sprintf("it does not say how its images were resized; assumed: to a shorter side of %d pixels, of which the central %dx%d are cut out", v.Resize, v.Size, v.Size)
	if v.Downsample > 1 {
		m.Assumed += fmt.Sprintf(" and blocks of %dx%d averaged", v.Downsample, v.Downsample)
	}
	return nil
}

// assumedConfig is that of the data set that the file names. Of a file that names none, a network
// of ImageNet's family is taken for one of ImageNet.
func (m *Model) assumedConfig() datasets.Config {
	c := datasets.Config{Name: m.Dataset}
	if datasets.Title(m.Dataset) == "" && m.Spec.Family == blocks.FamilyImageNet {
		c.Name = "imagenet"
	}
	return c
}

// fits compares a record with the network's input.
func (m *Model) fits(v datasets.Preprocessing) error {
	if err := v.Check(); err != nil {
		return err
	}
	if s := m.Spec; v.Channels != s.InputChannels || v.Side() != s.InputSize {
		return fmt.Errorf("it makes %dx%dx%d, and the network takes %dx%dx%d", v.Channels, v.Side(), v.Side(), s.InputChannels, s.InputSize, s.InputSize)
	}
	return nil
}

// ImportedView is the preprocessing of a network that was trained elsewhere: for ImageNet's family
// the centre of a shorter side of 8/7 of the input, for others the whole shorter side.
func ImportedView(s blocks.Spec, n datasets.Normalizer) datasets.Preprocessing {
	m := Model{Spec: s}
	v, _ := m.assumedConfig().View(s.InputChannels, s.InputSize) // fails for sizes alone
	v.Orientation = datasets.OrientData
	return v.With(n)
}
