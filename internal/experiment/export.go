package experiment

import (
	"errors"
	"io"

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
}

// Formats are those that Export writes.
var Formats = []string{"safetensors", "onnx"}

// Export writes the network of a checkpoint for other programs, in one of the Formats.
func Export(env *Environment, path, format, out string) (Exported, error) {
	m, err := OpenModel(env, path)
	if err != nil {
		return Exported{}, err
	}
	list, meta := weights.FromParams(m.Params), m.Meta
	if m.Assumed != "" && m.Frontend == "" { // what was assumed is what the file says from now on
		m.sayAssumed()
		meta = weights.WithPreprocessing(meta, m.Preprocessing.Encode())
	}
	err = writeOut(out, "weights", func(w io.Writer) error {
		if format == "onnx" {
			return onnx.Write(w, m.Spec, m.Params, meta)
		}
		return weights.Write(w, list, meta)
	})
	if errors.Is(err, onnx.ErrUnsupported) {
		return Exported{}, config.Usagef("export: %w", err)
	}
	return Exported{m.Spec.Name, format, m.Params.Count(), len(list), out}, err
}
