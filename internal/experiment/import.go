package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
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
	// Prefix stands before the names of the network's tensors, where a file has several; "." is the
	// beginning, "" means the one that there is.
	Prefix string
	// WeightsKey is where the set of weights stands in the file, where it has several; "" means the
	// one that training scripts call the model.
	WeightsKey string
	Look       eval.Look
	Dataset    string // "" means imagenet, cifar10 or cifar100 by family and classes
	Out        string // checkpoint to write
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
	// How a picture is looked at: its shorter side is resized, and a square of Size pixels cut out.
	Size          int    `json:"size,omitempty"`
	Resize        int    `json:"resize,omitempty"`
	Interpolation string `json:"interpolation,omitempty"`
	// Of the file; the checkpoint's is always rgb.
	ChannelOrder string `json:"channel_order,omitempty"`
	// Features of each frame is what a network of speech takes; 0 for images.
	Features    int    `json:"features,omitempty"`
	ShortcutPad string `json:"shortcut_pad,omitempty"`
	Dataset     string `json:"dataset,omitempty"`
	// Backbone says that the file has no classifier: then Classes is 0.
	Backbone bool `json:"backbone,omitempty"`
	// WeightsKey and Prefix are where in the file the network was; OtherKeys hold networks too, and
	// SamePrefixes the same one.
	WeightsKey   string   `json:"weights_key,omitempty"`
	OtherKeys    []string `json:"other_weights_keys,omitempty"`
	Prefix       string   `json:"prefix,omitempty"`
	SamePrefixes []string `json:"same_prefixes,omitempty"`
	// LeftOut are the file's tensors, and objects of Python, that are not the network's.
	LeftOut []string `json:"left_out,omitempty"`
	// Notes say what the files beside the weights say and the checkpoint cannot, in sentences.
	Notes []string `json:"notes,omitempty"`
	Out   string   `json:"out"`
}

// Bytes are the means of values from 0 to 255.
func (r Imported) Bytes() []float32 {
	list := make([]float32, len(r.Mean))
	for i, v := range r.Mean {
		list[i] = float32(math.Round(255e4*float64(v)) / 1e4)
	}
	return list
}

// Import makes a checkpoint of weights that another program wrote: of a file that
// weights.OpenForeign knows, or of a folder as the Hugging Face hub has them.
func Import(path string, o ImportOptions) (Imported, error) {
	from, err := sourceOf(path)
	if err != nil {
		return Imported{}, err
	}
	return importFrom(from, o)
}

// importFrom is Import of weights that have been found.
func importFrom(from source, o ImportOptions) (Imported, error) {
	c, err := o.convert(from)
	if err != nil {
		return Imported{}, err
	}
	c.Out = o.Out
	return c.Imported, writeOut(o.Out, "weights", c.write)
}

// converted are weights of another program as a checkpoint has them.
type converted struct {
	Imported
	list []weights.Tensor
	meta weights.Meta
}

func (c converted) write(w io.Writer) error { return weights.Write(w, c.list, c.meta.Encode()) }

// convert reads weights that have been found.
func (o ImportOptions) convert(from source) (converted, error) {
	path := from.path
	net, spec, err := o.network(from)
	if err != nil {
		return converted{}, err
	}
	if net.net.Eps != 0 {
		spec.BNEps = net.net.Eps
	}
	meta, r, err := o.meta(spec, net, from.hub)
	if err != nil {
		return converted{}, err
	}
	if net.noBias {
		r.Notes = append(r.Notes, "its classifier has no biases in the file: zeros stand for them, which computes the same")
	}
	params := graph.NewParamSet(0)
	if spec.Speech != nil {
		_, err = blocks.BuildSequence(spec, 1, 1, graph.Eval, params)
	} else {
		_, err = blocks.Build(spec, 1, graph.Eval, params)
	}
	if err != nil {
		return converted{}, err
	}
	list := weights.FromParams(params)
	if net.headless {
		list = slices.DeleteFunc(list, func(t weights.Tensor) bool { return spec.InHead(t.Name) })
		for _, p := range params.All() { // which is not written
			if spec.InHead(p.Name) {
				net.net.Tensors = append(net.net.Tensors, weights.Tensor{Name: p.Name, Shape: p.Shape, Data: p.Data})
				r.Params -= int64(len(p.Data))
			}
		}
	}
	if err := weights.LoadTensors(path, net.net.Tensors, params); err != nil {
		return converted{}, wholeMismatch(err)
	}
	if first := params.Get(spec.FirstConv() + ".weight"); r.ChannelOrder == orderBGR && first != nil {
		weights.ReverseColours(first.Data, first.Shape[2]*first.Shape[3])
	}
	if err := checkFinite(path, list); err != nil {
		return converted{}, err
	}
	r.Params, r.Tensors = r.Params+params.Count(), len(list)
	return converted{r, list, meta}, nil
}

// network reads a file and finds its architecture.
func (o ImportOptions) network(from source) (located, blocks.Spec, error) {
	f, err := weights.OpenForeign(from.path)
	if errors.Is(err, fs.ErrNotExist) {
		return located{}, blocks.Spec{}, missingf("%s: no such file", from.path)
	}
	if err != nil {
		return located{}, blocks.Spec{}, err
	}
	defer f.Close()
	if net, ok := f.Whole(); ok {
		if o.Prefix != "" || o.WeightsKey != "" {
			return located{}, blocks.Spec{}, config.Usagef("import: --prefix and --weights-key are for files of PyTorch, and %s is of %s", from.path, net.Program)
		}
		spec, err := o.architecture(from.path, net)
		return located{net: net}, spec, err
	}
	l, err := o.locate(from.path, f)
	if err != nil {
		return l, blocks.Spec{}, err
	}
	if len(l.found) == 0 {
		spec, err := o.architecture(from.path, l.net)
		return l, spec, err
	}
	var fits []blocks.Spec
	for _, x := range l.found {
		fits = append(fits, x.Spec)
	}
	spec, err := o.choose(from, fits, l.net)
	return l, spec, err
}

// meta is what the checkpoint says besides its tensors.
func (o ImportOptions) meta(s blocks.Spec, l located, hub *weights.HubConfig) (weights.Meta, Imported, error) {
	f := l.net
	r := Imported{
		Model: s.Name, Classes: s.Classes, Dataset: o.Dataset, Program: f.Program, ChannelOrder: o.order(s, f.Input),
		Backbone: l.headless, WeightsKey: l.key, OtherKeys: l.keys, Prefix: l.prefix, SamePrefixes: l.same, LeftOut: l.left,
	}
	m := weights.Meta{Headless: l.headless}
	if s.Speech != nil {
		return o.speechMeta(s, f, r)
	}
	n, err := o.normalizer(s, f.Input, r.ChannelOrder)
	if err != nil {
		return m, r, err
	}
	view, notes := eval.ImportedView(s, n), []string(nil)
	if hub != nil {
		if view, notes, err = o.hubView(view, *hub); err != nil {
			return m, r, err
		}
		n, r.Notes = view.Normalizer, notes
	}
	if s, view, err = o.Look.Apply(s, view); err != nil {
		return m, r, err
	}
	r.Preprocessing, r.Mean, r.Std = n.Kind, n.Mean, n.Std
	if n.Kind == datasets.PixelMean {
		r.Mean = averages(n.Mean, s.InputChannels)
	}
	switch {
	case l.headless:
		r.Classes = 0
	case r.Dataset == "":
		r.Dataset = trainedOn(s.Family, s.Classes)
	}
	if s.Shortcut == blocks.OptionA {
		r.ShortcutPad = map[bool]string{false: "sides", true: "end"}[s.PadEnd]
	}
	switch {
	case o.Classes != "" && l.headless:
		return m, r, config.Usagef("import: --classes-file names classes, and the file has no classifier")
	case o.Classes != "":
		var err error
		if m.Classes, err = readClassNames(o.Classes, s.Classes); err != nil {
			return m, r, err
		}
	case hub != nil && !l.headless:
		m.Classes = hubClasses(hub.Labels, s.Classes)
	}
	arch, err := json.Marshal(s)
	m.Arch, m.Dataset, m.ShortcutPad = string(arch), r.Dataset, r.ShortcutPad
	if err != nil {
		return m, r, err
	}
	r.Size, r.Resize, r.Interpolation = view.Size, view.Resize, view.Interpolation
	m.Preprocessing = view.Encode()
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
