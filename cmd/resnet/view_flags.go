package main

import (
	"github.com/spf13/cobra"

	"resnet/internal/eval"
)

// viewFlags are the flags of commands that look at images: eval and predict.
func viewFlags(c *cobra.Command, l *eval.ViewOptions) {
	f := c.Flags()
	f.StringVar(&l.Crops, "crops", eval.CropsOne, "views of an image: 1, 10 or full")
	f.IntSliceVar(&l.Scales, "scales", nil, "shorter sides in pixels, with --crops full (default 224,256,384,480,640 for an input of 224, others in proportion)")
	f.StringVar((*string)(&l.Combine), "combine", string(eval.CombineSoftmax), "what is averaged over views and over an ensemble: softmax or logits")
	_ = c.RegisterFlagCompletionFunc("crops", cobra.FixedCompletions(eval.CropsNames, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("combine", cobra.FixedCompletions([]string{string(eval.CombineSoftmax), string(eval.CombineLogits)}, cobra.ShellCompDirectiveNoFileComp))
}
