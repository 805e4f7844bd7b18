package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

// ErrModel marks a file that holds no network which can be evaluated, though its format may be
// valid.
var ErrModel = errors.New("cannot be evaluated")

// A Model is a network out of a file, with what the file says about its input and its classes.
type Model struct {
	Path       string
	Spec       blocks.Spec
	Params     *graph.ParamSet
	Normalizer datasets.Normalizer
	Classes    []string // names by index; nil when the file has none
	Dataset    string   // name of the training set; "" when the file does not say
	Step       int64    // updates made
	// Frontend says how the input of a speech network is made, in the caller's words; "" for
	// images. ClassCounts are the training frames of each of its classes; nil where the file has
	// none.
	Frontend    string
	ClassCounts []int64
}

// A Factory compiles a graph in Eval mode.
type Factory func(g *graph.Graph, p *graph.ParamSet) (graph.Machine, error)

// LoadModel reads a network from a safetensors file of ours: see ReadModel.
func LoadModel(path string) (*Model, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadModel(f)
}

// ReadModel builds the network that the metadata of f describe and fills it with the tensors of f.
// It fails with ErrModel when architecture, preprocessing or class names are missing, impossible or
// contradict each other, with weights.ErrMismatch when the tensors are those of another network,
// and with weights.ErrNoMeta for a bare state dict. Nothing is allocated for a network larger than
// the file.
func ReadModel(f *weights.File) (*Model, error) {
	meta, err := weights.DecodeMeta(f.Name(), f.Meta)
	if err != nil {
		return nil, err
	}
	m := &Model{Path: f.Name(), Classes: meta.Classes, Dataset: meta.Dataset, Step: meta.Step, Frontend: meta.Frontend, ClassCounts: meta.ClassCounts, Params: graph.NewParamSet(0),
		Normalizer: datasets.Normalizer{Kind: meta.Preprocessing.Kind, Mean: meta.Preprocessing.Mean, Std: meta.Preprocessing.Std}}
	if err := json.Unmarshal([]byte(meta.Arch), &m.Spec); err != nil {
		return nil, m.fault("its architecture does not parse: %w", err)
	}
	if err := m.check(meta, f); err != nil {
		return nil, err
	}
	if err := m.draw(); err != nil {
		return nil, m.fault("%w", err)
	}
	if err := weights.LoadParams(f, m.Params); err != nil {
		return nil, err
	}
	return m, nil
}

// draw makes the network's parameters.
func (m *Model) draw() error {
	if m.Spec.Family == blocks.FamilySpeech {
		_, err := blocks.BuildSequence(m.Spec, 1, 1, graph.Eval, m.Params)
		return err
	}
	_, err := blocks.Build(m.Spec, 1, graph.Eval, m.Params)
	return err
}

// check compares what the file says with itself.
func (m *Model) check(meta weights.Meta, f *weights.File) error {
	sum, err := blocks.Summarize(m.Spec)
	if err != nil {
		return m.fault("%w", err)
	}
	var values int64
	for _, e := range f.Entries() {
		values += int64(e.Len())
	}
	if values < sum.Params {
		return fmt.Errorf("%s: %w: %s has %d parameters, the file %d values", m.Path, weights.ErrMismatch, Printable(m.Spec.Name), sum.Params, values)
	}
	if pad := map[bool]string{false: "sides", true: "end"}[m.Spec.PadEnd]; m.Spec.Shortcut == blocks.OptionA && meta.ShortcutPad != "" && meta.ShortcutPad != pad {
		return m.fault("its shortcut_pad is %q, and its architecture says %q", meta.ShortcutPad, pad)
	}
	if m.Classes != nil && len(m.Classes) > m.Spec.Classes {
		return m.fault("it names %d classes and tells %d apart", len(m.Classes), m.Spec.Classes)
	}
	if m.Spec.Family == blocks.FamilySpeech {
		return nil // its front end says how its input is made
	}
	if err := m.Normalizer.Check(m.Spec.InputChannels, m.Spec.InputSize, m.Spec.InputSize); err != nil {
		return m.fault("its preprocessing does not fit its input: %w", err)
	}
	return nil
}

func (m *Model) fault(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %w", m.Path, ErrModel, fmt.Errorf(format, args...))
}

// Machine compiles the network for batches of up to n images.
func (m *Model) Machine(n int, compile Factory) (graph.Machine, error) {
	g, err := blocks.Build(m.Spec, n, graph.Eval, m.Params)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	machine, err := compile(g, m.Params)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	return machine, nil
}

// Fits says why the network cannot be measured on a data set, or nil: other sizes of images, or
// other classes (where both have names, they must be the same names in the same order, or every
// label would count as another class).
func (m *Model) Fits(info datasets.Info) error {
	s := m.Spec
	if info.Channels != s.InputChannels || info.Height != s.InputSize || info.Width != s.InputSize {
		return m.fault("it takes images of %dx%dx%d, and %s has %dx%dx%d: name the data set it was trained on (%s)",
			s.InputChannels, s.InputSize, s.InputSize, info.Name, info.Channels, info.Height, info.Width, Printable(m.Dataset))
	}
	return m.FitsClasses(info)
}

// FitsClasses is Fits for pictures of any size, which are cut to the network's: their classes are
// what has to fit, and the network has to take 3 channels or 1.
func (m *Model) FitsClasses(info datasets.Info) error {
	s := m.Spec
	if s.InputChannels != 3 && s.InputChannels != 1 {
		return m.fault("it takes images of %d channels, and pictures have 3, or 1 in grey", s.InputChannels)
	}
	if len(info.Classes) > s.Classes {
		return m.fault("it tells %d classes apart, and %s has %d", s.Classes, info.Name, len(info.Classes))
	}
	for i, name := range info.Classes {
		if i < len(m.Classes) && m.Classes[i] != name {
			return m.fault("its class %d is %q, and that of %s is %q: name the data set it was trained on (%s)",
				i, Printable(m.Classes[i]), info.Name, Printable(name), Printable(m.Dataset))
		}
	}
	return nil
}

// Row makes the model's row. The paper's value is there only if the network is the one of that name
// in the table of architectures (the paper leaves the place of option A's zero channels and the
// constants of batch normalisation open).
func (m *Model) Row(checkpoint, dataset string, p Protocol, metrics Metrics) Row {
	r := NewRow(m.Spec.Name, checkpoint, dataset, m.Params.Count(), p, metrics)
	if !m.standard() {
		r.Paper, r.Citation = nil, ""
	}
	return r
}

// Measured makes the model's row with what a table of the paper has to know of it.
func (m *Model) Measured(checkpoint, dataset string, p Protocol, metrics Metrics) Measured {
	return Measured{Row: m.Row(checkpoint, dataset, p, metrics), Dataset: dataset, Protocol: p, Standard: m.standard()}
}

func (m *Model) standard() bool {
	t, err := blocks.Lookup(m.Spec.Name)
	s := m.Spec
	return err == nil && s.Block == t.Block && s.Stem == t.Stem && s.Shortcut == t.Shortcut && s.StrideIn3x3 == t.StrideIn3x3 &&
		slices.Equal(s.Depths, t.Depths) && slices.Equal(s.Widths, t.Widths) && s.SameBody(t) &&
		s.InputChannels == t.InputChannels && s.InputSize == t.InputSize && s.Classes == t.Classes
}
