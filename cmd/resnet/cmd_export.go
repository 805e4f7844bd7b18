package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
)

const exportHelp = `Writes the network of a checkpoint for other programs.

  safetensors  tensors with torchvision's names, for safetensors.torch.load_file and
               load_state_dict, and for resnet itself
  onnx         a model for ONNX Runtime (operator set 17) with free batch size, height and width:
               "input" is [N, C, height, width] of normalised values, "logits" [N, classes]; its
               metadata says how to normalise`

func newExportCmd(a *app) *cobra.Command {
	var format, out string
	var asJSON bool
	c := &cobra.Command{
		Use: "export CHECKPOINT|RUN", Short: "Write a network for PyTorch or ONNX Runtime",
		Long:    exportHelp + exitHelp(help65, help66, help74),
		Example: "  resnet export runs/cifar20-1 --format onnx --out resnet20.onnx\n  resnet export resnet50.safetensors --format safetensors --out for-torch.safetensors",
		Args:    exactArgs("CHECKPOINT or RUN"),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(experiment.Formats, format) {
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
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(experiment.Formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func runExport(a *app, path, format, out string, asJSON bool) error {
	r, err := experiment.Export(a.environment(), path, format, out)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(r)
	}
	_, err = fmt.Fprintf(a.out, "%s: %s parameters in %s\nwritten: %s (%s)\n", text.Printable(r.Model), text.Grouped(r.Params), text.Count(r.Tensors, "tensor"),
		text.Printable(r.Out), r.Format)
	return err
}
