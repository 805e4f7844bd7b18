package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/input"
	"resnet/internal/text"
)

// ImportOptions say what a file of weights does not.
type ImportOptions struct {
	Arch string // "" means what names and shapes tell
	// Mean and Std are a number for each channel, with commas between them; or Mean alone is a mean
	// image of Caffe.
	Mean, Std string
	Channels  string // rgb or bgr, the order of colours that the network takes; "" is the program's
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
	Program       string    `json:"program"`
	// Of the file; the checkpoint's is always rgb.
	ChannelOrder string `json:"channel_order,omitempty"`
	// Features of each frame is what a network of speech takes; 0 for images.
	Features    int    `json:"features,omitempty"`
	ShortcutPad string `json:"shortcut_pad,omitempty"`
	Dataset     string `json:"dataset,omitempty"`
	Out         string `json:"out"`
}

// Bytes are the means of values from 0 to 255.
func (r Imported) Bytes() []float32 {
	list := make([]float32, len(r.Mean))
	for i, v := range r.Mean {
		list[i] = float32(math.Round(255e4*float64(v)) / 1e4)
	}
	return list
}

// Import makes a checkpoint of weights that another program wrote: see weights.ReadForeign.
func Import(path string, o ImportOptions) (Imported, error) {
	f, err := weights.ReadForeign(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Imported{}, missingf("%s: no such file", path)
	}
	if err != nil {
		return Imported{}, err
	}
	spec, err := o.architecture(path, f)
	if err != nil {
		return Imported{}, err
	}
	if f.Eps != 0 {
		spec.BNEps = f.Eps
	}
	meta, r, err := o.meta(spec, f)
	if err != nil {
		return Imported{}, err
	}
	params := graph.NewParamSet(0)
	if spec.Speech != nil {
		_, err = blocks.BuildSequence(spec, 1, 1, graph.Eval, params)
	} else {
		_, err = blocks.Build(spec, 1, graph.Eval, params)
	}
	if err != nil {
		return Imported{}, err
	}
	if err := weights.LoadTensors(path, f.Tensors, params); err != nil {
		return Imported{}, wholeMismatch(err)
	}
	if first := params.Get(spec.FirstConv() + ".weight"); r.ChannelOrder == orderBGR && first != nil {
		weights.ReverseColours(first.Data, first.Shape[2]*first.Shape[3])
	}
	list := weights.FromParams(params)
	if err := checkFinite(path, list); err != nil {
		return Imported{}, err
	}
	r.Params, r.Tensors, r.Out = params.Count(), len(list), o.Out
	return r, writeOut(o.Out, "weights", func(w io.Writer) error { return weights.Write(w, list, meta.Encode()) })
}

// meta is what the checkpoint says besides its tensors.
func (o ImportOptions) meta(s blocks.Spec, f weights.Foreign) (weights.Meta, Imported, error) {
	r := Imported{Model: s.Name, Classes: s.Classes, Dataset: o.Dataset, Program: f.Program, ChannelOrder: o.order(s, f.Input)}
	m := weights.Meta{}
	if s.Speech != nil {
		return o.speechMeta(s, f, r)
	}
	n, err := o.normalizer(s, f.Input, r.ChannelOrder)
	if err != nil {
		return m, r, err
	}
	r.Preprocessing, r.Mean, r.Std = n.Kind, n.Mean, n.Std
	if n.Kind == datasets.PixelMean {
		r.Mean = averages(n.Mean, s.InputChannels)
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
	m.Preprocessing = eval.ImportedView(s, n).Encode()
	return m, r, nil
}

// speechMeta is meta of a network of speech, whose front end is that of its authors.
func (o ImportOptions) speechMeta(s blocks.Spec, f weights.Foreign, r Imported) (weights.Meta, Imported, error) {
	m := weights.Meta{}
	if o.Mean+o.Std+o.Channels+o.Pad != "" {
		return m, r, config.Usagef("import: --mean, --std, --channel-order and --shortcut-pad are for networks of images, and this is %s", s.Name)
	}
	if n := len(f.ClassCounts); n != 0 && n != s.Classes {
		return m, r, fmt.Errorf("%w: counts of %d classes, and %d classes", weights.ErrMismatch, n, s.Classes)
	}
	var err error
	if o.Classes != "" {
		if m.Classes, err = readClassNames(o.Classes, s.Classes); err != nil {
			return m, r, err
		}
	}
	front := corpus.DefaultConfig().Frontend
	front.Bins, front.Deltas = s.Speech.Features, s.Maps()-1
	arch, err := json.Marshal(s)
	m.Arch, m.Dataset, m.Frontend, m.ClassCounts = string(arch), r.Dataset, front.Encode(), f.ClassCounts
	m.Preprocessing = datasets.Preprocessing{Normalizer: datasets.Normalizer{Kind: datasets.NoNormalizing}}.Encode()
	r.Preprocessing, r.ChannelOrder, r.Features = datasets.NoNormalizing, "", s.Maps()*s.Speech.Features
	return m, r, err
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

// writeOut writes a file whole or not at all.
func writeOut(path, kind string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return config.Usagef("--out %s is not a regular file: name a file", path)
	}
	if err := atomicfile.Write(atomicfile.OS, path, kind, write); err != nil {
		return &IOError{err}
	}
	return nil
}
