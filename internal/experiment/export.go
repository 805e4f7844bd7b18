package experiment

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"resnet/internal/config"
	"resnet/internal/eval/onnx"
	"resnet/internal/graph/weights"
)

// Exported is what Export wrote: `export --json`.
type Exported struct {
	Model   string `json:"model"`
	Format  string `json:"format"`
	Params  int64  `json:"params"`
	Tensors int    `json:"tensors"`
	Out     string `json:"out"`
	Labels  string `json:"labels,omitempty"`
}

// ExportOptions say what Export writes.
type ExportOptions struct {
	Format string // one of Formats
	Out    string
	Names  string // one of Names, for safetensors: whose names tensors get; "" is torchvision's
	// WithPreprocessing and Softmax are for ONNX: the graph takes the bytes of an image that is
	// resized and cropped (a network of speech has no such form), and has probabilities besides
	// logits.
	WithPreprocessing, Softmax bool
	Labels                     string // file for the names of the classes, a line each; "" without
}

// Formats are those that Export writes.
var Formats = []string{"safetensors", "onnx"}

// Names are the programs whose names of tensors Export writes.
var Names = weights.Schemes()

// Export writes the network of a checkpoint for other programs.
func Export(env *Environment, path string, o ExportOptions) (Exported, error) {
	if o.Names != "" && (!slices.Contains(Names, o.Names) || o.Format != "safetensors") {
		return Exported{}, config.Usagef("export: --names %q: one of %s, with --format safetensors", o.Names, strings.Join(Names, ", "))
	}
	if o.Format != "onnx" && (o.WithPreprocessing || o.Softmax) {
		return Exported{}, config.Usagef("export: --with-preprocessing and --softmax are for --format onnx")
	}
	m, err := OpenModel(env, path)
	if err != nil {
		return Exported{}, err
	}
	if o.WithPreprocessing && m.Spec.Speech != nil {
		return Exported{}, config.Usagef("export: --with-preprocessing is for networks of images: %s takes features of speech, which its front end makes (metadata resnet.frontend)", m.Named)
	}
	list, meta, params := weights.FromParams(m.Params), m.Meta, m.Params.Count()
	if m.Headless {
		if o.Format == "onnx" || o.Labels != "" {
			return Exported{}, m.Classifies()
		}
		list = slices.DeleteFunc(list, func(t weights.Tensor) bool { return m.Spec.InHead(t.Name) })
		for _, p := range m.Params.All() {
			if m.Spec.InHead(p.Name) {
				params -= int64(len(p.Data))
			}
		}
	}
	if m.Assumed != "" && m.Frontend == "" { // what was assumed is what the file says from now on
		m.sayAssumed()
		meta = weights.WithPreprocessing(meta, m.Preprocessing.Encode())
	}
	if o.Names != "" && o.Names != Names[0] {
		for i := range list {
			list[i].Name = weights.ToScheme(o.Names, list[i].Name)
		}
		meta = nil // it would say that the names are ours
	}
	if o.Format == "onnx" {
		if meta, err = m.plainMeta(meta); err != nil {
			return Exported{}, err
		}
	}
	r := Exported{m.Spec.Name, o.Format, params, len(list), o.Out, o.Labels}
	if o.Labels != "" {
		if err := m.writeLabels(o.Labels); err != nil {
			return Exported{}, err
		}
	}
	err = writeOut(o.Out, "weights", func(w io.Writer) error {
		if o.Format == "onnx" {
			return onnx.Write(w, m.Spec, m.Params, meta, m.onnxOptions(o))
		}
		return weights.Write(w, list, meta)
	})
	if errors.Is(err, onnx.ErrUnsupported) {
		return Exported{}, config.Usagef("export: %w", err)
	}
	return r, err
}

// plainMeta is meta with the preprocessing, or the front end, in plain numbers.
func (m *Model) plainMeta(meta map[string]string) (map[string]string, error) {
	var all map[string]string
	if m.Spec.Speech == nil {
		all = m.Preprocessing.Plain("resnet.preprocessing.")
	} else {
		front, err := m.frontend()
		if err != nil {
			return nil, err
		}
		all = front.Plain("resnet.frontend.")
	}
	maps.Copy(all, meta)
	return all, nil
}

func (m *Model) onnxOptions(o ExportOptions) onnx.Options {
	out := onnx.Options{Softmax: o.Softmax}
	if o.WithPreprocessing {
		out.Normalize = &onnx.Normalize{Mean: m.Preprocessing.Mean, Std: m.Preprocessing.Std}
	}
	return out
}

// writeLabels writes the names of the classes in the order of the outputs.
func (m *Model) writeLabels(path string) error {
	names := m.ShownNames()
	if m.Frontend != "" {
		names = m.Classes
	}
	for c, name := range names {
		if name == "" || strings.ContainsAny(name, "\r\n") {
			return config.Usagef("export: --labels: %s has no name for class %d that fits a line: name them with classes.txt beside the data, or leave --labels out", m.Named, c)
		}
	}
	if len(names) == 0 {
		return config.Usagef("export: --labels: %s has no names of classes", m.Named)
	}
	return writeOut(path, "labels", func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(names, "\n")+"\n")
		return err
	})
}
