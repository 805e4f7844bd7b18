package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// ErrModel marks a file that holds no network which can be evaluated, though its format may be
// valid.
var ErrModel = errors.New("cannot be evaluated")

// A Model is a network out of a file, with the description of its input and classes there.
type Model struct {
	Path   string
	Spec   blocks.Spec
	Params *graph.ParamSet
	// Preprocessing is how pictures become the network's input; without meaning for speech.
	Preprocessing datasets.Preprocessing
	// Assumed is a sentence without a full stop: what is missing in the file about preprocessing,
	// and what was assumed. "" where nothing is missing.
	Assumed string
	Classes []string // names by index; nil when the file has none
	Dataset string   // name of the training set; "" when the file does not say
	Step    int64    // updates made
	// Frontend is how the input of a speech network is made, in a text of the caller's; "" for
	// images. ClassCounts are the training frames of each of its classes; nil where the file has
	// none.
	Frontend    string
	ClassCounts []int64
	// Headless says that the file has no classifier: the parameters of that are those that it is
	// drawn with, and mean nothing. See Classifies.
	Headless bool
	// Precision is that in which the network computes: the training's, so that its figures are
	// repeated to the last digit, unless the caller sets another.
	Precision graph.Precision
}

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
	m := &Model{Path: f.Name(), Classes: meta.Classes, Dataset: meta.Dataset, Step: meta.Step, Frontend: meta.Frontend, ClassCounts: meta.ClassCounts, Headless: meta.Headless, Params: graph.NewParamSet(0)}
	if err := json.Unmarshal([]byte(meta.Arch), &m.Spec); err != nil {
		return nil, m.fault("its architecture does not parse: %w", err)
	}
	// With a field passed over, another network would be drawn.
	strict := json.NewDecoder(strings.NewReader(meta.Arch))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&blocks.Spec{}); err != nil {
		return nil, m.fault("its architecture has what only a newer resnet knows: %w", err)
	}
	if m.Precision, err = graph.ParsePrecision(meta.Precision); err != nil {
		return nil, m.fault("its precision: %w", err)
	}
	if m.Preprocessing, err = datasets.DecodePreprocessing(meta.Preprocessing); err != nil {
		return nil, m.fault("%w", err)
	}
	if err := m.check(meta, f); err != nil {
		return nil, err
	}
	if err := m.draw(); err != nil {
		return nil, m.fault("%w", err)
	}
	if err := weights.LoadSome(f, m.Trained()); err != nil {
		return nil, err
	}
	return m, nil
}

// Trained are the parameters that the file has: all, or all but those of a classifier that it has
// not.
func (m *Model) Trained() []*graph.Param {
	if !m.Headless {
		return m.Params.All()
	}
	return slices.DeleteFunc(slices.Clone(m.Params.All()), func(p *graph.Param) bool { return m.Spec.InHead(p.Name) })
}

// Classifies fails with ErrModel where the file has no classifier, and says how it gets one.
func (m *Model) Classifies() error {
	if m.Headless {
		return m.fault("it has no classifier (it was imported as a backbone): a training that starts from it makes one, with --set model.weights=%s", text.ShellQuote(m.Path))
	}
	return nil
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

// check fails for metadata that contradict each other or the tensors.
func (m *Model) check(meta weights.Meta, f *weights.File) error {
	sum, err := blocks.Summarize(m.Spec)
	if err != nil {
		return m.fault("%w", err)
	}
	var values int64
	for _, e := range f.Entries() {
		values += int64(e.Len())
	}
	if m.Headless {
		for _, l := range sum.Layers {
			if l.Name == m.Spec.Head() {
				sum.Params -= l.Params
			}
		}
	}
	if values < sum.Params {
		return fmt.Errorf("%s: %w: %s has %d parameters, the file %d values", m.Path, weights.ErrMismatch, text.Printable(m.Spec.Name), sum.Params, values)
	}
	if pad := map[bool]string{false: "sides", true: "end"}[m.Spec.PadEnd]; m.Spec.Shortcut == blocks.OptionA && meta.ShortcutPad != "" && meta.ShortcutPad != pad {
		return m.fault("its shortcut_pad is %q, and its architecture says %q", meta.ShortcutPad, pad)
	}
	if m.Classes != nil && len(m.Classes) > m.Spec.Classes {
		return m.fault("it names %d classes, and it has outputs for %d", len(m.Classes), m.Spec.Classes)
	}
	for c, n := range m.ClassCounts {
		if n < 0 {
			return m.fault("it counts %d frames of class %d", n, c)
		}
	}
	if m.Spec.Family == blocks.FamilySpeech {
		return nil // its front end makes its input
	}
	if m.Preprocessing.Size == 0 {
		if err := m.assume(m.assumedConfig()); err != nil {
			return m.fault("its preprocessing does not fit its input: %w", err)
		}
		return nil
	}
	if err := m.fits(m.Preprocessing); err != nil {
		return m.fault("its preprocessing does not fit its input: %w", err)
	}
	return nil
}

func (m *Model) fault(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %w", m.Path, ErrModel, fmt.Errorf(format, args...))
}

// Machine compiles the network for batches of up to n images.
func (m *Model) Machine(n int, f Factory) (graph.Machine, error) {
	g, err := blocks.Build(m.Spec, n, graph.Eval, m.Params)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	machine, err := f.Compile(g, m.Params, MachineOptions{Frozen: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	return machine, nil
}

// Fits fails with ErrModel where the images of a data set have one size, and the network takes
// another or other channels. They may also have the size of its preprocessing before blocks of
// pixels are averaged. Images of sizes of their own are resized, and always fit.
func (m *Model) Fits(info datasets.Info) error {
	s := m.Spec
	fits := func(side int) bool { return info.Height == side && info.Width == side }
	if !datasets.AnySize(info.Name) && (info.Channels != s.InputChannels || !fits(s.InputSize) && !fits(m.Preprocessing.Size)) {
		hint := ""
		if m.Dataset != "" {
			hint = fmt.Sprintf(": it was trained on %s", text.Printable(m.Dataset))
		}
		return m.fault("it takes images of %dx%dx%d, and %s has %dx%dx%d%s",
			s.InputChannels, s.InputSize, s.InputSize, info.Name, info.Channels, info.Height, info.Width, hint)
	}
	return nil
}

// Row makes the model's row. The paper's value is there only if the network is the one of that name
// in the table of architectures (the paper leaves the place of option A's zero channels and the
// constants of batch normalisation open).
func (m *Model) Row(checkpoint, dataset string, p Protocol, metrics Metrics) Row {
	r := NewRow(m.Spec.Name, checkpoint, dataset, m.Params.Count(), p, metrics)
	r.Without, r.Precision = m.Spec.Lacks(), m.Precision
	if r.Without != "" || !m.standard() {
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
		s.SameVariation(t) && s.Variant == t.Variant &&
		slices.Equal(s.Depths, t.Depths) && slices.Equal(s.Widths, t.Widths) && s.SameBody(t) &&
		s.InputChannels == t.InputChannels && s.InputSize == t.InputSize && s.Classes == t.Classes
}
