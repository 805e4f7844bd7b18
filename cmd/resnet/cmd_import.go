package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
)

// importOptions are the flags of import.
type importOptions struct {
	experiment.ImportOptions
	json bool
}

const importHelp = `Makes a checkpoint from weights that PyTorch wrote: safetensors, or a state dict written by
torch.save (also in the format before PyTorch 1.6). The state dict may stand alone, or under
"state_dict" or "model" in a training's checkpoint. Nothing in a pickle is executed; a pickle that
holds anything except tensors is refused, and the message names what it holds.

Names may be those of torchvision and timm, or of the common CIFAR networks (linear.weight,
shortcut.0.weight), with module., _orig_mod. or model. in front. Half and double precision become
float32.

Without --arch, names and shapes choose the architecture. Some architectures have the same weights
(plain networks and option A; the place of a bottleneck's stride): they are listed, and --arch has
to choose. Weights do not say how their input was made either: --mean and --std, one number for each
channel of values from 0 to 1, and --shortcut-pad are stored in the checkpoint, so that eval and
predict need no flags. torchvision's are --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225.`

func newImportCmd(a *app) *cobra.Command {
	o := &importOptions{}
	c := &cobra.Command{
		Use: "import FILE", Short: "Make a checkpoint of weights from PyTorch",
		Long: importHelp + exitHelp(help65, help66, help74),
		Example: "  resnet import resnet50-0676ba61.pth --arch resnet50v1.5 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --out resnet50.safetensors\n" +
			"  resnet import resnet20-12fca82f.th --arch resnet20 --shortcut-pad sides --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --out resnet20.safetensors",
		Args: exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return runImport(a, o, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.Arch, "arch", "", "architecture (default what names and shapes tell)")
	f.StringVar(&o.Mean, "mean", "", "R,G,B subtracted from values of 0 to 1")
	f.StringVar(&o.Std, "std", "", "R,G,B that divide what is left")
	f.StringVar(&o.Pad, "shortcut-pad", "", "where option A has its zero channels: sides or end (default sides)")
	f.StringVar(&o.Classes, "classes-file", "", "names of the classes, one a line")
	f.StringVar(&o.Dataset, "dataset", "", "data set it was trained on (default imagenet, cifar10 or cifar100 by family and classes)")
	f.StringVar(&o.Out, "out", "", "checkpoint to write")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	_ = c.RegisterFlagCompletionFunc("dataset", completeData)
	return c
}

// check refuses flags that contradict what there is, before any file is read.
func (o *importOptions) check() error {
	if o.Out == "" {
		return usageErrorf("import: --out is missing: name the checkpoint to write")
	}
	if o.Pad != "" && o.Pad != "sides" && o.Pad != "end" {
		return usageErrorf("import: --shortcut-pad %q: sides or end", o.Pad)
	}
	if (o.Mean == "") != (o.Std == "") {
		return usageErrorf("import: --mean and --std belong together")
	}
	if o.Dataset != "" {
		return knownData(o.Dataset)
	}
	return nil
}

func runImport(a *app, o *importOptions, path string) error {
	if err := o.check(); err != nil {
		return err
	}
	r, err := experiment.Import(path, o.ImportOptions)
	if err != nil {
		return err
	}
	return a.printImported(o, r)
}

func (a *app) printImported(o *importOptions, r experiment.Imported) error {
	if o.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "%s: %s parameters in %s, %d classes\n", r.Model, text.Grouped(r.Params), text.Count(r.Tensors, "tensor"), r.Classes)
	if o.Mean != "" {
		fmt.Fprintf(a.out, "input: (v - mean) / std of values from 0 to 1, mean %v, std %v\n", r.Mean, r.Std)
	} else {
		fmt.Fprintln(a.out, "input: values from 0 to 1 as they are. Most networks were trained otherwise: give --mean and --std (torchvision: 0.485,0.456,0.406 and 0.229,0.224,0.225)")
	}
	if r.ShortcutPad != "" {
		fmt.Fprintf(a.out, "option A: zero channels at %s", map[string]string{"sides": "both sides", "end": "the end"}[r.ShortcutPad])
		if o.Pad == "" {
			fmt.Fprint(a.out, " (the default; --shortcut-pad end is the other)")
		}
		fmt.Fprintln(a.out)
	}
	if r.Dataset != "" {
		fmt.Fprintf(a.out, "data set: %s\n", text.Printable(r.Dataset))
	}
	_, err := fmt.Fprintf(a.out, "written: %s\n", text.Printable(r.Out))
	return err
}
