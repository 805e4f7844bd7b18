package main

import (
	"context"
	"fmt"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/experiment"
	"resnet/internal/text"
	"resnet/internal/train/adapt"
)

// adaptOptions are the flags of speech adapt.
type adaptOptions struct {
	experiment.AdaptOptions
	out   string
	split string
	json  bool
}

const adaptHelp = `Estimates a linear layer for each speaker in front of a speech network. The network does not change.

Every frame x of a speaker becomes W·x + b. W and b begin as the identity and follow the gradient of
the network's loss for --iterations passes over the speaker's utterances. The labels are the
network's own, from a first pass without the layer: the likeliest class of each frame, or of each
utterance where the network classifies utterances, if its posterior is at least --confidence.
--alignments reads labels of frames from files instead, such as those of a decoder's first pass;
--labels reads classes of utterances. This form of speaker adaptation is ours: the WRBN's authors
did not publish theirs.

INPUT is a Kaldi data directory (with feats.scp or wav.scp), a folder of recordings, or a recording.
Without INPUT, the utterances are those of the run's own --split. Speakers come from utt2spk, or from
the folders of a folder of recordings without one.

--structure chooses the form of W:
  full      a full matrix
  block     a matrix for each map (static features, each order of differences)
  shared    one matrix for all maps, and a bias for the static features only
  diagonal  a diagonal matrix

The defaults are ours, chosen on two speakers of the Free Spoken Digit Dataset. A network with
thousands of classes is less certain of a frame: check how many frames were labelled.

The output is a safetensors file. speech posteriors, eval and predict read it with --adaptation. It
fits only the network that it was estimated with.`

func newSpeechAdaptCmd(a *app) *cobra.Command {
	o := &adaptOptions{}
	c := &cobra.Command{
		Use: "adapt CHECKPOINT|RUN [INPUT...] --out FILE.safetensors", Short: "Estimate a linear input layer for each speaker, the network frozen",
		Long: adaptHelp + exitHelp(help65, help66, help70, help74, helpUnwritten),
		Example: "  resnet speech adapt runs/wrbn-1 data/test --out test.safetensors\n" +
			"  resnet speech posteriors runs/wrbn-1 data/test --adaptation test.safetensors --likelihoods --out scores.ark\n" +
			"  resnet speech adapt runs/fsdd-wrbn-1 --out theo.safetensors",
		Args: atLeastArgs(1, "CHECKPOINT"),
		RunE: func(c *cobra.Command, args []string) error {
			return runAdapt(c.Context(), a, o, args[0], args[1:])
		},
	}
	f := c.Flags()
	f.StringVar(&o.out, "out", "", "file to write")
	f.StringVar(&o.Structure, "structure", adapt.Shared, "full, block, shared or diagonal")
	bounded(f, &o.Iterations, "iterations", 3, 0, maxMeasured, "passes over the utterances of a speaker")
	f.Float64Var(&o.Rate, "rate", 0.01, "rate of Adam in the first pass; it falls evenly to the last")
	f.Float64Var(&o.Regularise, "regularise", 0.1, "penalty on the distance from the identity")
	f.Float64Var(&o.Confidence, "confidence", 0.8, "posterior that a first-pass label needs")
	f.StringVar(&o.Alignments, "alignments", "", "labels of frames from these files (a pattern or commas), as in speech.alignments")
	f.StringVar(&o.States, "states", "", "table of the names in label files and CTM, as in speech.states")
	bounded(f, &o.AlignmentSubsampling, "alignment-subsampling", 1, 1, 8, "frames for which a number of --alignments stands: 3 for chain models")
	f.StringVar(&o.Labels, "labels", "", "labels of utterances from a file of lines UTTERANCE CLASS")
	f.StringVar(&o.Utt2Spk, "utt2spk", "", "speakers from a file of lines UTTERANCE SPEAKER")
	f.StringVar(&o.split, "split", "test", "without INPUT: test, val or train")
	bounded(f, &o.Batch, "batch", 16, 1, maxBatch, "utterances of an update")
	bounded(f, &o.Buckets, "buckets", 4, 1, maxBuckets, "lengths that utterances are padded to")
	f.Uint64Var(&o.Seed, "seed", 1, "of the order of the utterances")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfCheckpoint)
	f.BoolVar(&o.json, "json", false, "print what was estimated as JSON")
	_ = c.RegisterFlagCompletionFunc("structure", cobra.FixedCompletions(adapt.Structures, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (o *adaptOptions) check() error {
	o.Split = datasets.Split(o.split)
	switch {
	case o.out == "":
		return usageErrorf("speech adapt: --out FILE says what to write")
	case o.Split != datasets.Test && o.Split != datasets.Val && o.Split != datasets.Train:
		return usageErrorf("speech adapt: --split %s: test, val or train", o.split)
	case !(o.Confidence >= 0 && o.Confidence <= 1):
		return usageErrorf("speech adapt: --confidence %g is no probability", o.Confidence)
	case o.Alignments != "" && o.Labels != "":
		return usageErrorf("speech adapt: --alignments or --labels, not both")
	}
	if err := o.Validate(); err != nil {
		return usageErrorf("speech adapt: %w", err)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return nil
}

func runAdapt(ctx context.Context, a *app, o *adaptOptions, checkpoint string, inputs []string) error {
	if err := o.check(); err != nil {
		return err
	}
	return a.interruptible(ctx, "", func(ctx context.Context) error {
		r, err := experiment.Adapt(ctx, a.environment(), checkpoint, inputs, o.out, o.AdaptOptions)
		if err != nil {
			return err
		}
		if o.json {
			return a.printJSON(r)
		}
		return a.printAdapted(r)
	})
}

func (a *app) printAdapted(r experiment.Adapted) error {
	for _, note := range r.Notes {
		fmt.Fprintln(a.out, text.Printable(note))
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "speaker\tutterances\tlabelled %s\tloss, first pass\tlast pass\t\n", r.Unit)
	for _, s := range r.Speakers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.4f\t%.4f\t\n", text.Printable(s.Speaker), text.Grouped(s.Utterances), text.Grouped(s.Labelled), s.FirstLoss, s.LastLoss)
	}
	if err := w.Flush(); err != nil {
		return &experiment.IOError{Err: err}
	}
	_, err := fmt.Fprintf(a.out, "%s: %s transforms of %s before %s, labels from %s\n", text.Printable(r.File), r.Structure, text.Count(len(r.Speakers), "speaker"),
		text.Printable(r.Model), r.Labels)
	return err
}
