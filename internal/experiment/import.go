package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/input"
	"resnet/internal/text"
)

// ImportOptions say what a file of weights does not.
type ImportOptions struct {
	Arch      string // "" means what names and shapes tell
	Mean, Std string // a number for each channel, with commas between them; both or none
	Pad       string // sides or end: where option A has its zero channels; "" means sides
	Classes   string // file with the names of the classes, one a line, or ""
	Dataset   string // "" means imagenet, cifar10 or cifar100 by family and classes
	Out       string // checkpoint to write
}

// Imported is the checkpoint that Import made: `import --json`.
type Imported struct {
	Model         string    `json:"model"`
	Params        int64     `json:"params"`
	Classes       int       `json:"classes"`
	Tensors       int       `json:"tensors"`
	Preprocessing string    `json:"preprocessing"`
	Mean          []float32 `json:"mean"`
	Std           []float32 `json:"std"`
	ShortcutPad   string    `json:"shortcut_pad,omitempty"`
	Dataset       string    `json:"dataset,omitempty"`
	Out           string    `json:"out"`
}

// Import makes a checkpoint of weights that PyTorch wrote.
func Import(path string, o ImportOptions) (Imported, error) {
	tensors, err := weights.ReadTensors(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Imported{}, missingf("%s: no such file", path)
	}
	if err != nil {
		return Imported{}, err
	}
	tensors = weights.TorchvisionNames(tensors)
	spec, err := o.architecture(path, tensors)
	if err != nil {
		return Imported{}, err
	}
	meta, r, err := o.meta(spec)
	if err != nil {
		return Imported{}, err
	}
	params := graph.NewParamSet(0)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		return Imported{}, err
	}
	if err := weights.LoadTensors(path, tensors, params); err != nil {
		return Imported{}, wholeMismatch(err)
	}
	list := weights.FromParams(params)
	if err := checkFinite(path, list); err != nil {
		return Imported{}, err
	}
	r.Params, r.Tensors, r.Out = params.Count(), len(list), o.Out
	return r, writeCheckpoint(o.Out, func(w io.Writer) error { return weights.Write(w, list, meta.Encode()) })
}

// architecture is the one that --arch names, or the only one that names and shapes leave.
func (o ImportOptions) architecture(path string, tensors []weights.Tensor) (blocks.Spec, error) {
	shapes := make(map[string][]int, len(tensors))
	for _, t := range tensors {
		shapes[t.Name] = t.Shape
	}
	if o.Arch != "" {
		if _, err := blocks.Lookup(o.Arch); err != nil {
			return blocks.Spec{}, &config.UsageError{Err: err}
		}
		return o.withPad(blocks.ForTensors(o.Arch, shapes, o.Pad))
	}
	found := blocks.Identify(shapes)
	switch len(found) {
	case 0:
		return blocks.Spec{}, noneFits(path, tensors, shapes)
	case 1:
		return o.withPad(blocks.ForTensors(found[0].Name, shapes, o.Pad))
	}
	var b strings.Builder
	for _, s := range found {
		fmt.Fprintf(&b, "\n  --arch %-16s %s", s.Name, differs(s))
	}
	return blocks.Spec{}, config.Usagef("%s: its weights fit %d architectures, which differ in what has none; choose with --arch:%s", path, len(found), b.String())
}

// noneFits says how the tensors differ from the nearest architecture, if one is near.
func noneFits(path string, tensors []weights.Tensor, shapes map[string][]int) error {
	if near, ok := blocks.Nearest(shapes); ok {
		params := graph.NewParamSet(0)
		if _, err := blocks.Build(near, 1, graph.Eval, params); err != nil {
			return err
		}
		return fmt.Errorf("no architecture has the tensors of this file; the nearest is %s, and beside it: %w", near.Name, wholeMismatch(weights.LoadTensors(path, tensors, params)))
	}
	var some []string
	for _, t := range tensors[:min(len(tensors), 5)] {
		some = append(some, text.Printable(t.Name))
	}
	return fmt.Errorf("%s: %w: no architecture has its %s (%s, ...): `resnet models list` shows those that there are, and --arch NAME lists where it differs",
		path, weights.ErrMismatch, text.Count(len(tensors), "tensor"), strings.Join(some, ", "))
}

func (o ImportOptions) withPad(s blocks.Spec, err error) (blocks.Spec, error) {
	if err == nil && o.Pad != "" && s.Shortcut != blocks.OptionA {
		return s, config.Usagef("import: --shortcut-pad is for option A, and %s is not of it", s.Name)
	}
	return s, err
}

// differs says what tells a candidate from others with the same tensors.
func differs(s blocks.Spec) string {
	what := "shortcuts of option " + string(s.Shortcut)
	if s.Shortcut == blocks.OptionA {
		what = "shortcuts of option A: identity, and zero channels (--shortcut-pad sides or end)"
	} else if s.Shortcut == blocks.None {
		what = "no shortcuts"
	}
	if s.Block == blocks.Bottleneck {
		what = "stride in the first 1x1 of a bottleneck, as in the paper"
		if s.StrideIn3x3 {
			what = "stride in the 3x3 of a bottleneck, as in torchvision and timm"
		}
	}
	return what
}

// meta is what the checkpoint says besides its tensors.
func (o ImportOptions) meta(s blocks.Spec) (weights.Meta, Imported, error) {
	r := Imported{Model: s.Name, Classes: s.Classes, Preprocessing: datasets.NoNormalizing, Dataset: o.Dataset}
	m := weights.Meta{}
	if o.Mean != "" {
		var err error
		if r.Mean, err = channelValues("mean", o.Mean, s.InputChannels, false); err != nil {
			return m, r, err
		}
		if r.Std, err = channelValues("std", o.Std, s.InputChannels, true); err != nil {
			return m, r, err
		}
		r.Preprocessing = datasets.ChannelMeanStd
	}
	if r.Dataset == "" {
		r.Dataset = trainedOn(s.Family, s.Classes)
	}
	if s.Shortcut == blocks.OptionA {
		r.ShortcutPad = map[bool]string{false: "sides", true: "end"}[s.PadEnd]
	}
	if o.Classes != "" {
		var err error
		if m.Classes, err = readClassNames(o.Classes, s.Classes); err != nil {
			return m, r, err
		}
	}
	arch, err := json.Marshal(s)
	m.Arch, m.Dataset, m.ShortcutPad = string(arch), r.Dataset, r.ShortcutPad
	if err != nil {
		return m, r, err
	}
	n := datasets.Normalizer{Kind: r.Preprocessing, Mean: r.Mean, Std: r.Std}
	m.Preprocessing = eval.ImportedView(s, n).Encode()
	return m, r, nil
}

// trainedOn is the data set that networks of a family and so many classes are mostly trained on, or
// "".
func trainedOn(family string, classes int) string {
	switch {
	case family == blocks.FamilyImageNet && classes == 1000:
		return "imagenet"
	case family == blocks.FamilyCIFAR && classes == 10:
		return "cifar10"
	case family == blocks.FamilyCIFAR && classes == 100:
		return "cifar100"
	}
	return ""
}

// maxClassNames is far above the size of a file of names, in bytes.
const maxClassNames = 16 << 20

// readClassNames reads a name for each of a network's n outputs, one a line.
func readClassNames(path string, n int) ([]string, error) {
	b, err := input.Read(path, maxClassNames)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missingf("%s: no such file", path)
	case errors.Is(err, input.ErrNotRegular), errors.Is(err, input.ErrTooLarge):
		return nil, config.Usagef("%s: not a text file of names: %w", path, err)
	case err != nil:
		return nil, &IOError{err}
	}
	names := datasets.ClassList(string(b))
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	if len(names) != n {
		return nil, config.Usagef("%s: %s, and the network has %d classes", path, text.Count(len(names), "name"), n)
	}
	return names, nil
}

// wholeMismatch lists every tensor of a mismatch, each on a line.
func wholeMismatch(err error) error {
	var m *weights.MismatchError
	if !errors.As(err, &m) {
		return err
	}
	var b strings.Builder
	for _, part := range []struct {
		title string
		list  []string
	}{{"missing from the file", m.Missing}, {"unexpected in the file", m.Unexpected}, {"of another shape or type", m.Different}} {
		if len(part.list) > 0 {
			fmt.Fprintf(&b, "\n  %d %s:", len(part.list), part.title)
			for _, name := range part.list {
				fmt.Fprintf(&b, "\n    %s", text.Printable(name))
			}
		}
	}
	return fmt.Errorf("%s: %w%s", m.File, weights.ErrMismatch, b.String())
}

// checkFinite refuses weights that no network can use.
func checkFinite(path string, list []weights.Tensor) error {
	for _, t := range list {
		for i, v := range t.Data {
			if v-v != 0 {
				return fmt.Errorf("%s: %w: value %d of %s is %v", path, weights.ErrMismatch, i, t.Name, v)
			}
		}
	}
	return nil
}

// channelValues reads a finite number for each channel; above says that they have to be above zero.
func channelValues(flag, list string, channels int, above bool) ([]float32, error) {
	parts := strings.Split(list, ",")
	if len(parts) != channels {
		return nil, config.Usagef("import: --%s %s: %s, and the network takes %s", flag, list, text.Count(len(parts), "value"), text.Count(channels, "channel"))
	}
	values := make([]float32, channels)
	for i, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 32)
		if err != nil || v-v != 0 || above && v <= 0 {
			return nil, config.Usagef("import: --%s %s: %q is not a number that can be used", flag, list, p)
		}
		values[i] = float32(v)
	}
	return values, nil
}

// writeCheckpoint writes a file whole or not at all.
func writeCheckpoint(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return config.Usagef("--out %s is not a regular file: name a file", path)
	}
	if err := atomicfile.Write(atomicfile.OS, path, "weights", write); err != nil {
		return &IOError{err}
	}
	return nil
}
