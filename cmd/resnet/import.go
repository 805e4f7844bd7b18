package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/train/checkpoint"
)

// imported is `import --json`.
type imported struct {
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

func runImport(a *app, o *importOptions, path string) error {
	if err := o.check(); err != nil {
		return err
	}
	tensors, err := weights.ReadTensors(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &missingError{fmt.Errorf("%s: no such file", path)}
	}
	if err != nil {
		return err
	}
	tensors = weights.TorchvisionNames(tensors)
	spec, err := o.architecture(path, tensors)
	if err != nil {
		return err
	}
	meta, r, err := o.meta(spec)
	if err != nil {
		return err
	}
	params := graph.NewParamSet(0)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		return err
	}
	if err := weights.LoadTensors(path, tensors, params); err != nil {
		return wholeMismatch(err)
	}
	list := weights.FromParams(params)
	if err := checkFinite(path, list); err != nil {
		return err
	}
	if err := writeCheckpoint(o.out, func(w io.Writer) error { return weights.Write(w, list, meta.Encode()) }); err != nil {
		return err
	}
	r.Params, r.Tensors, r.Out = params.Count(), len(list), o.out
	return a.printImported(o, r)
}

// architecture is the one that --arch names, or the only one that names and shapes leave.
func (o *importOptions) architecture(path string, tensors []weights.Tensor) (blocks.Spec, error) {
	shapes := make(map[string][]int, len(tensors))
	for _, t := range tensors {
		shapes[t.Name] = t.Shape
	}
	if o.arch != "" {
		if _, err := blocks.Lookup(o.arch); err != nil {
			return blocks.Spec{}, &usageError{err}
		}
		return o.withPad(blocks.ForTensors(o.arch, shapes, o.pad))
	}
	found := blocks.Identify(shapes)
	switch len(found) {
	case 0:
		return blocks.Spec{}, noneFits(path, tensors, shapes)
	case 1:
		return o.withPad(blocks.ForTensors(found[0].Name, shapes, o.pad))
	}
	var b strings.Builder
	for _, s := range found {
		fmt.Fprintf(&b, "\n  --arch %-16s %s", s.Name, differs(s))
	}
	return blocks.Spec{}, usageErrorf("%s: its weights fit %d architectures, which differ in what has none; choose with --arch:%s", path, len(found), b.String())
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
		some = append(some, eval.Printable(t.Name))
	}
	return fmt.Errorf("%s: %w: no architecture has its %s (%s, ...): `resnet models list` shows those that there are, and --arch NAME lists where it differs",
		path, weights.ErrMismatch, count(len(tensors), "tensor"), strings.Join(some, ", "))
}

func (o *importOptions) withPad(s blocks.Spec, err error) (blocks.Spec, error) {
	if err == nil && o.pad != "" && s.Shortcut != blocks.OptionA {
		return s, usageErrorf("import: --shortcut-pad is for option A, and %s is not of it", s.Name)
	}
	return s, err
}

// differs says what tells a candidate from others with the same tensors.
func differs(s blocks.Spec) string {
	text := "shortcuts of option " + string(s.Shortcut)
	if s.Shortcut == blocks.OptionA {
		text = "shortcuts of option A: identity, and zero channels (--shortcut-pad sides or end)"
	} else if s.Shortcut == blocks.None {
		text = "no shortcuts"
	}
	if s.Block == blocks.Bottleneck {
		text = "stride in the first 1x1 of a bottleneck, as in the paper"
		if s.StrideIn3x3 {
			text = "stride in the 3x3 of a bottleneck, as in torchvision and timm"
		}
	}
	return text
}

// meta is what the checkpoint says besides its tensors.
func (o *importOptions) meta(s blocks.Spec) (weights.Meta, imported, error) {
	r := imported{Model: s.Name, Classes: s.Classes, Preprocessing: datasets.NoNormalizing, Dataset: o.dataset}
	m := weights.Meta{}
	if o.mean != "" {
		var err error
		if r.Mean, err = channelValues("mean", o.mean, s.InputChannels, false); err != nil {
			return m, r, err
		}
		if r.Std, err = channelValues("std", o.std, s.InputChannels, true); err != nil {
			return m, r, err
		}
		r.Preprocessing = datasets.ChannelMeanStd
	}
	if r.Dataset == "" {
		r.Dataset = map[string]string{"imagenet1000": "imagenet", "cifar10": "cifar10", "cifar100": "cifar100"}[fmt.Sprint(s.Family, s.Classes)]
	}
	if s.Shortcut == blocks.OptionA {
		r.ShortcutPad = map[bool]string{false: "sides", true: "end"}[s.PadEnd]
	}
	if o.classes != "" {
		var err error
		if m.Classes, err = readClassNames(o.classes, s.Classes); err != nil {
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

// readClassNames reads a name a line.
func readClassNames(path string, n int) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &missingError{fmt.Errorf("%s: no such file", path)}
	case err == nil && (!info.Mode().IsRegular() || info.Size() > 64<<20):
		return nil, usageErrorf("%s: not a text file of names", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, &ioError{err}
	}
	var names []string
	for line := range strings.Lines(string(b)) {
		names = append(names, strings.TrimSpace(line))
	}
	if len(names) != n {
		return nil, usageErrorf("%s: %s, and the network has %d classes", path, count(len(names), "name"), n)
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
				fmt.Fprintf(&b, "\n    %s", eval.Printable(name))
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

func (a *app) printImported(o *importOptions, r imported) error {
	if o.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "%s: %s parameters in %s, %d classes\n", r.Model, grouped(r.Params), count(r.Tensors, "tensor"), r.Classes)
	if o.mean != "" {
		fmt.Fprintf(a.out, "input: (v - mean) / std of values from 0 to 1, mean %v, std %v\n", r.Mean, r.Std)
	} else {
		fmt.Fprintln(a.out, "input: values from 0 to 1 as they are. Most networks were trained otherwise: give --mean and --std (torchvision: 0.485,0.456,0.406 and 0.229,0.224,0.225)")
	}
	if r.ShortcutPad != "" {
		fmt.Fprintf(a.out, "option A: zero channels at %s", map[string]string{"sides": "both sides", "end": "the end"}[r.ShortcutPad])
		if o.pad == "" {
			fmt.Fprint(a.out, " (the default; --shortcut-pad end is the other)")
		}
		fmt.Fprintln(a.out)
	}
	if r.Dataset != "" {
		fmt.Fprintf(a.out, "data set: %s\n", eval.Printable(r.Dataset))
	}
	_, err := fmt.Fprintf(a.out, "written: %s\n", eval.Printable(r.Out))
	return err
}

// writeCheckpoint writes a file in one piece or not at all. What is there and is no regular file
// stays.
func writeCheckpoint(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return usageErrorf("--out %s is not a regular file: name a file", path)
	}
	if err := checkpoint.WriteAtomic(checkpoint.OS, path, 0o666, write); err != nil {
		return &ioError{err}
	}
	return nil
}
