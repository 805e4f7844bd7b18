package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// importOptions are the flags of import.
type importOptions struct {
	arch      string
	mean, std string
	pad       string
	classes   string
	dataset   string
	out       string
	json      bool
}

const importHelp = `Makes a checkpoint of weights that PyTorch wrote: safetensors, a state dict of torch.save (also in the format of PyTorch before 1.6), by itself
or under "state_dict" or "model" in a training's checkpoint. Nothing in a pickle is run; one that holds anything but tensors is refused with the name of
what it holds.

Names may be torchvision's and timm's, or those of the common CIFAR nets (linear.weight, shortcut.0.weight), with module., _orig_mod. or model. before them. Half
and double precision become float32.

Without --arch, names and shapes tell the architecture. Where they fit several, which differ in what has no weights (plain nets and option A, the
stride of a bottleneck), they are listed, and --arch has to choose. Nor do weights say how their input was made: --mean and --std, for each channel of
values from 0 to 1, and --shortcut-pad go into the checkpoint, so that eval and predict need no flags. torchvision's are
--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225.`

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
	f.StringVar(&o.arch, "arch", "", "architecture (default what names and shapes tell)")
	f.StringVar(&o.mean, "mean", "", "R,G,B subtracted from values of 0 to 1")
	f.StringVar(&o.std, "std", "", "R,G,B that divide what is left")
	f.StringVar(&o.pad, "shortcut-pad", "", "where option A has its zero channels: sides or end (default sides)")
	f.StringVar(&o.classes, "classes-file", "", "names of the classes, one a line")
	f.StringVar(&o.dataset, "dataset", "", "data set it was trained on (default imagenet, cifar10 or cifar100 by family and classes)")
	f.StringVar(&o.out, "out", "", "checkpoint to write")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	_ = c.RegisterFlagCompletionFunc("dataset", completeData)
	return c
}

// check refuses flags that contradict what there is, before any file is read.
func (o *importOptions) check() error {
	if o.out == "" {
		return usageErrorf("import: --out is missing: name the checkpoint to write")
	}
	if o.pad != "" && o.pad != "sides" && o.pad != "end" {
		return usageErrorf("import: --shortcut-pad %q: sides or end", o.pad)
	}
	if (o.mean == "") != (o.std == "") {
		return usageErrorf("import: --mean and --std belong together")
	}
	if o.dataset != "" {
		return knownData(o.dataset)
	}
	return nil
}

// channelValues reads a finite number for each channel; above says that they have to be above zero.
func channelValues(flag, text string, channels int, above bool) ([]float32, error) {
	parts := strings.Split(text, ",")
	if len(parts) != channels {
		return nil, usageErrorf("import: --%s %s: %s, and the network takes %s", flag, text, count(len(parts), "value"), count(channels, "channel"))
	}
	list := make([]float32, channels)
	for i, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 32)
		if err != nil || v-v != 0 || above && v <= 0 {
			return nil, usageErrorf("import: --%s %s: %q is not a number that can be used", flag, text, p)
		}
		list[i] = float32(v)
	}
	return list, nil
}
