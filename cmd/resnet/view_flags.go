package main

import (
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// lookFlags are the flags of commands that say how a network looks at images: import and eval.
func lookFlags(c *cobra.Command, l *eval.Look) {
	f := c.Flags()
	f.StringVar(&l.Preset, "preprocessing", "", "how published weights look at images: "+strings.Join(eval.LookNames(), ", "))
	bounded(f, &l.Size, "size", 0, 0, 4096, "side of the square that the network takes, pixels (default its own)")
	bounded(f, &l.Resize, "resize", 0, 0, 4096, "pixels that the shorter side is resized to before")
	f.Float64Var(&l.Crop, "crop", 0, "in place of --resize: the size as a part of the resized shorter side, such as 0.95; above 1 it is --size")
	f.StringVar(&l.Interpolation, "interpolation", "", "bilinear or bicubic, as Pillow resizes")
	_ = c.RegisterFlagCompletionFunc("preprocessing", cobra.FixedCompletions(eval.LookNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("interpolation", cobra.FixedCompletions([]string{datasets.Bilinear, datasets.Bicubic}, cobra.ShellCompDirectiveNoFileComp))
}

// viewFlags are the flags of commands that look at images: eval and predict.
func viewFlags(c *cobra.Command, l *eval.ViewOptions) {
	f := c.Flags()
	f.StringVar(&l.Crops, "crops", eval.CropsOne, "views of an image: 1, 10 or full")
	f.IntSliceVar(&l.Scales, "scales", nil, "shorter sides in pixels, with --crops full (default 224,256,384,480,640 for an input of 224, others in proportion)")
	f.StringVar((*string)(&l.Combine), "combine", string(eval.CombineSoftmax), "what is averaged over views and over an ensemble: softmax or logits")
	_ = c.RegisterFlagCompletionFunc("crops", cobra.FixedCompletions(eval.CropsNames, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("combine", cobra.FixedCompletions([]string{string(eval.CombineSoftmax), string(eval.CombineLogits)}, cobra.ShellCompDirectiveNoFileComp))
}
