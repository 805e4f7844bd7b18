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
               load_state_dict, and for resnet itself; with --names those of another program's
               networks: kuangliu (pytorch-cifar), weiaicunzai (pytorch-cifar100), xternalz and
               szagoruyko (WRN), cadene (squeeze-and-excitation)
  onnx         a model for ONNX Runtime (operator set 17) with free batch size, height and width:
               "input" is [N, C, height, width] of normalised values, "logits" [N, classes]; its
               metadata says how to resize, crop and normalise. --with-preprocessing makes "input"
               the bytes of an image that is resized and cropped; --softmax adds "probabilities".
               Of speech, "input" is [N, maps, features, frames], utterances of one length without
               padding, and "logits" [N, frames, classes], or [N, classes] where utterances are
               classified; the metadata says how features are made`

func newExportCmd(a *app) *cobra.Command {
	var o experiment.ExportOptions
	var asJSON bool
	c := &cobra.Command{
		Use: "export CHECKPOINT|RUN", Short: "Write a network for PyTorch or ONNX Runtime",
		Long:    exportHelp + exitHelp(help65, help66, help74),
		Example: "  resnet export runs/cifar20-1 --format onnx --out resnet20.onnx\n  resnet export resnet50.safetensors --format safetensors --out for-torch.safetensors",
		Args:    exactArgs("CHECKPOINT or RUN"),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(experiment.Formats, o.Format) {
				return usageErrorf("export: --format %q: safetensors or onnx", o.Format)
			}
			if o.Out == "" {
				return usageErrorf("export: --out is missing: name the file to write")
			}
			return runExport(a, args[0], o, asJSON)
		},
	}
	c.Flags().StringVar(&o.Format, "format", "", "safetensors or onnx")
	c.Flags().StringVar(&o.Names, "names", "", "safetensors: whose names tensors get (default torchvision)")
	c.Flags().StringVar(&o.Out, "out", "", "file to write")
	c.Flags().BoolVar(&o.WithPreprocessing, "with-preprocessing", false, "onnx, of images: the graph scales and normalises bytes")
	c.Flags().BoolVar(&o.Softmax, "softmax", false, "onnx: probabilities besides logits")
	c.Flags().StringVar(&o.Labels, "labels", "", "file for the names of the classes, a line each in the order of the outputs")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("names", cobra.FixedCompletions(experiment.Names, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(experiment.Formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func runExport(a *app, path string, o experiment.ExportOptions, asJSON bool) error {
	r, err := experiment.Export(a.environment(), path, o)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(r)
	}
	if r.Labels != "" {
		defer fmt.Fprintf(a.out, "written: %s (names of the classes)\n", text.Printable(r.Labels))
	}
	_, err = fmt.Fprintf(a.out, "%s: %s parameters in %s\nwritten: %s (%s)\n", text.Printable(r.Model), text.Grouped(r.Params), text.Count(r.Tensors, "tensor"),
		text.Printable(r.Out), r.Format)
	return err
}
