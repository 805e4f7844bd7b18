package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
)

// importOptions are the flags of import.
type importOptions struct {
	experiment.ImportOptions
	json bool
}

const importHelp = `Makes a checkpoint from weights that another program wrote. A file is known by its contents.

PyTorch: safetensors, a file written by torch.save (also in the format before PyTorch 1.6), a module
that was saved whole, TorchScript, or a folder of the Hugging Face hub (model.safetensors or
pytorch_model.bin, in shards or not, with what config.json and preprocessor_config.json say). Nothing
in a pickle is executed: what is no tensor is passed over. The network is found under whatever key
and behind whatever prefix it stands; where there are several, --weights-key and --prefix choose.
What is left over is named. A network without a classifier becomes a backbone, from which a
fine-tuning starts. Names may be those of torchvision and timm, of transformers, of the common CIFAR
networks (linear.weight, shortcut.0.weight), of the BN-Inception of pretrained-models, or of
TF-slim's Inception v2. Half and double precision become float32.

Caffe: the .caffemodel of the paper's authors, and of VGG and GoogLeNet. Biases and the two layers of
a normalisation become one. Their networks take blue, green and red, from 0 to 255: the first
convolution is turned to red, green and blue, and the checkpoint says how values are scaled.
--mean FILE.binaryproto is the mean image that is subtracted; numbers without --std are means of red,
green and blue from 0 to 255.

Chainer: best.nnet of the Wide Residual BLSTM Network (HDF5), with its counts of classes.

Without --arch, names and shapes choose the architecture. Some architectures have the same weights
(plain networks and option A; the place of a bottleneck's stride): they are listed, and --arch has
to choose. Weights do not say how their input was made either: --mean and --std, one number for each
channel of values from 0 to 1, and --shortcut-pad are stored in the checkpoint, so that eval and
predict need no flags. torchvision's are --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225.

--size, --resize, --crop and --interpolation are stored too: the accuracy that a file was published
with is that of one size and one way to resize. --preprocessing sets them by name, with the mean and
std above: torchvision (256, of which 224 are cut out), torchvision-v2 (232, 224), timm (224 bicubic,
crop 0.95), timm-288 (288 bicubic, crop 1) and timm-288-0.95.`

func newImportCmd(a *app) *cobra.Command {
	o := &importOptions{}
	c := &cobra.Command{
		Use: "import FILE|FOLDER", Short: "Make a checkpoint of weights from PyTorch, Caffe or Chainer",
		Long: importHelp + exitHelp(help65, help66, help74),
		Example: "  resnet import ResNet-50-model.caffemodel --mean ResNet_mean.binaryproto --out resnet50.safetensors\n" +
			"  resnet import resnet50-0676ba61.pth --arch resnet50v1.5 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --out resnet50.safetensors\n" +
			"  resnet import resnet20-12fca82f.th --arch resnet20 --shortcut-pad sides --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --out resnet20.safetensors",
		Args: exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return runImport(a, o, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.Arch, "arch", "", "architecture (default what names and shapes tell)")
	f.StringVar(&o.Mean, "mean", "", "R,G,B subtracted from values of 0 to 1, or a mean image of Caffe (.binaryproto)")
	f.StringVar(&o.Std, "std", "", "R,G,B that divide what is left")
	f.StringVar(&o.Channels, "channel-order", "", "order in which the file's network takes colours: rgb or bgr (default what its program does)")
	f.StringVar(&o.Pad, "shortcut-pad", "", "where option A has its zero channels: sides or end (default sides)")
	f.StringVar(&o.Classes, "classes-file", "", "names of the classes, one a line")
	f.StringVar(&o.Prefix, "prefix", "", "what stands before the names of the network's tensors, where a file has several networks (. is nothing)")
	f.StringVar(&o.WeightsKey, "weights-key", "", "set of weights to take, where a file has several (default the model, not its averages)")
	f.StringVar(&o.Dataset, "dataset", "", "data set it was trained on (default imagenet, cifar10 or cifar100 by family and classes)")
	lookFlags(c, &o.Look)
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
	if o.Channels != "" && o.Channels != "rgb" && o.Channels != "bgr" {
		return usageErrorf("import: --channel-order %q: rgb or bgr", o.Channels)
	}
	if o.Mean == "" && o.Std != "" {
		return usageErrorf("import: --mean and --std belong together")
	}
	if err := o.Look.Check(); err != nil {
		return err
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

// printInput says how an image becomes the network's input.
func (a *app) printInput(r experiment.Imported) {
	switch {
	case r.Features > 0:
		fmt.Fprintf(a.out, "input: frames of %d features, log-mel filter banks and their differences, less the mean of the utterance\n", r.Features)
	case r.Preprocessing == "none":
		fmt.Fprintln(a.out, "input: values from 0 to 1 as they are. Most networks were trained otherwise: give --mean and --std (torchvision: 0.485,0.456,0.406 and 0.229,0.224,0.225)")
	case r.Preprocessing == "pixel-mean":
		fmt.Fprintf(a.out, "input: values from 0 to 255 less the mean image, whose channels have the means %v\n", r.Bytes())
	case r.Std[0] == 1./255:
		fmt.Fprintf(a.out, "input: values from 0 to 255 less %v", r.Bytes())
		if r.Program == "Caffe" && r.Mean[0] == 0 {
			fmt.Fprint(a.out, ". Caffe's networks were trained with a mean subtracted: give --mean FILE.binaryproto, or --mean R,G,B")
		}
		fmt.Fprintln(a.out)
	default:
		fmt.Fprintf(a.out, "input: (v - mean) / std of values from 0 to 1, mean %v, std %v\n", r.Mean, r.Std)
	}
	if r.Size > 0 {
		fmt.Fprintf(a.out, "view: %dx%d pixels of the centre of a shorter side of %d, %s\n", r.Size, r.Size, r.Resize, r.Interpolation)
	}
	if r.ChannelOrder == "bgr" {
		fmt.Fprintln(a.out, "colours: the file's network takes blue, green and red; its first convolution is turned to red, green and blue (--channel-order rgb leaves it)")
	}
}

// printPlace says where in the file the network was, and what else is there.
func (a *app) printPlace(r experiment.Imported) {
	if len(r.OtherKeys) > 0 {
		fmt.Fprintf(a.out, "weights: of %s; the file also has %s (--weights-key takes another)\n", keyName(r.WeightsKey), text.Printable(strings.Join(r.OtherKeys, ", ")))
	}
	if r.Prefix != "" {
		fmt.Fprintf(a.out, "prefix: %s", r.Prefix)
		if len(r.SamePrefixes) > 0 {
			fmt.Fprintf(a.out, "; the same values stand behind %s", strings.Join(r.SamePrefixes, ", "))
		}
		fmt.Fprintln(a.out)
	}
	if n := len(r.LeftOut); n > 0 {
		const most = 4
		more := ""
		if n > most {
			more = fmt.Sprintf(" and %d more", n-most)
		}
		fmt.Fprintf(a.out, "left out: %s that %s no part of it: %s%s\n", text.Count(n, "tensor"), map[bool]string{true: "is", false: "are"}[n == 1],
			text.Printable(strings.Join(r.LeftOut[:min(n, most)], ", ")), more)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(a.out, "note: %s\n", text.Printable(note))
	}
}

// keyName is a set's key; that of the file itself is a point.
func keyName(key string) string {
	if key == "" {
		return "the file itself (.)"
	}
	return text.Printable(key)
}

func (a *app) printImported(o *importOptions, r experiment.Imported) error {
	if o.json {
		return a.printJSON(r)
	}
	classes := fmt.Sprintf("%d classes", r.Classes)
	if r.Backbone {
		classes = "no classifier: a backbone, to start a fine-tuning from (model.weights)"
	}
	fmt.Fprintf(a.out, "%s: %s parameters in %s, %s\n", r.Model, text.Grouped(r.Params), text.Count(r.Tensors, "tensor"), classes)
	a.printPlace(r)
	a.printInput(r)
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
