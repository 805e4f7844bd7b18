package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"resnet/internal/eval"
	"resnet/internal/eval/onnx"
	"resnet/internal/graph/weights"
	"resnet/internal/train/checkpoint"
)

const exportHelp = `Writes the network of a checkpoint for other programs.

  safetensors  tensors with torchvision's names: safetensors.torch.load_file and load_state_dict take them as they are, and resnet too
  onnx         a model for ONNX Runtime (operator set 17) with free batch, height and width: "input" is [N, C, height, width] of normalised
               values, "logits" [N, classes]; what normalised means is in its metadata`

func newExportCmd(a *app) *cobra.Command {
	var format, out string
	var asJSON bool
	c := &cobra.Command{
		Use: "export CHECKPOINT|RUN", Short: "Write a network for PyTorch or ONNX Runtime",
		Long:    exportHelp + exitHelp(help65, help66, help74),
		Example: "  resnet export runs/cifar20-1 --format onnx --out resnet20.onnx\n  resnet export resnet50.safetensors --format safetensors --out for-torch.safetensors",
		Args:    exactArgs("CHECKPOINT or RUN"),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "safetensors" && format != "onnx" {
				return usageErrorf("export: --format %q: safetensors or onnx", format)
			}
			if out == "" {
				return usageErrorf("export: --out is missing: name the file to write")
			}
			return runExport(a, args[0], format, out, asJSON)
		},
	}
	c.Flags().StringVar(&format, "format", "", "safetensors or onnx")
	c.Flags().StringVar(&out, "out", "", "file to write")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"safetensors", "onnx"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func runExport(a *app, path, format, out string, asJSON bool) error {
	file, _, err := checkpoint.OpenModel(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, checkpoint.ErrNotFound) {
		return &missingError{fmt.Errorf("%s: no checkpoint, and no run folder with one", path)}
	}
	if err != nil {
		return a.importHint(err, path)
	}
	defer file.Close()
	m, err := eval.ReadModel(file)
	if err != nil {
		return a.importHint(err, path)
	}
	list, meta := weights.FromParams(m.Params), file.Meta
	if m.Assumed != "" && m.Frontend == "" {
		meta = weights.WithPreprocessing(meta, m.Preprocessing.Encode())
	}
	err = writeCheckpoint(out, func(w io.Writer) error {
		if format == "onnx" {
			return onnx.Write(w, m.Spec, m.Params, meta)
		}
		return weights.Write(w, list, meta)
	})
	if errors.Is(err, onnx.ErrUnsupported) {
		return usageErrorf("export: %w", err)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(map[string]any{"model": m.Spec.Name, "format": format, "params": m.Params.Count(), "tensors": len(list), "out": out})
	}
	_, err = fmt.Fprintf(a.out, "%s: %s parameters in %s\nwritten: %s (%s)\n", eval.Printable(m.Spec.Name), grouped(m.Params.Count()), count(len(list), "tensor"), eval.Printable(out), format)
	return err
}
